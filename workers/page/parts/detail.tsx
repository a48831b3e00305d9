/** The panel of one object: the object once it was read, and under its own heading that there is none, or why it cannot be read. */
import type { ComponentChildren } from 'preact';
import { makeVisibleLine } from '../../../schema/domain/visible.ts';
import type { EdgeError } from '../api/client.ts';
import type { Read } from '../api/store.ts';
import type { TextKey } from '../texts/texts.ts';
import { t } from '../texts/texts.ts';
import { Failure, Heading, Shown } from './parts.tsx';

/** What an object is: its name in the texts, its id, and the list that it is found in. */
export interface ObjectName {
  kind: TextKey;
  id: string;
  list: { href: string; name: TextKey };
}

export function Detail<T>({
  of,
  name,
  children,
}: {
  of: Read<T>;
  name: ObjectName;
  children: (data: T) => ComponentChildren;
}) {
  const { data, error, at } = of;
  if (data !== null || error === null) return <Shown of={of}>{children}</Shown>;
  return isMissing(error) ? (
    <Missing {...name} />
  ) : (
    <>
      <ObjectHeading {...name} />
      <Failure error={error} at={at} />
    </>
  );
}

/** An id that is no id at all names nothing either. */
function isMissing({ status }: EdgeError): boolean {
  return status === 404 || status === 400;
}

/** That no object has this id, and where to look for it. */
export function Missing({ kind, id, list }: ObjectName) {
  return (
    <>
      <ObjectHeading kind={kind} id={id} list={list} />
      <div class="banner wait" role="alert">
        <strong>{t('no_such_object', { kind: t(kind), id: makeVisibleLine(id) })}</strong>
        <span>
          {t('no_such_object_why')} <a href={`/search?q=${encodeURIComponent(id)}`}>{t('nav_search')}</a>
        </span>
      </div>
    </>
  );
}

function ObjectHeading({ kind, id, list: { href, name } }: ObjectName) {
  return <Heading above={<a href={href}>{t(name)}</a>} title={`${t(kind)} ${makeVisibleLine(id)}`} />;
}
