/** Objects without a page of their own: the part of an address behind `#` names one in its list. */

import { useEffect } from 'preact/hooks';
import { useLocation } from 'preact-iso/router';
import { withQuery } from '../page-context.ts';

/** What an element needs to be found by the address of its object. */
export function addressed(id: string, kind = ''): { id: string; class: string } {
  return { id, class: location.hash === `#${id}` ? `addressed ${kind}` : kind };
}

/** Scrolls to the object that the address names, and looks for it on the older pages of the list. */
export function FindAddressed({ ids, next }: { ids: readonly string[]; next: string | null }) {
  const { path, query, route } = useLocation();
  const id = location.hash.slice(1);
  const isHere = ids.includes(id);
  useEffect(() => {
    if (isHere) document.getElementById(id)?.scrollIntoView({ block: 'center' });
    // Another part of the page may have that id, such as the one that the keyboard skips to.
    else if (id !== '' && next !== null && document.getElementById(id) === null)
      route(`${withQuery(path, { ...query, cursor: next })}#${id}`, true);
  }, [id, isHere, next]);
  return null;
}
