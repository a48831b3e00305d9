/** Goes to the object of an id; any other text is looked up. */

import { useRef } from 'preact/hooks';
import { useLocation } from 'preact-iso/router';
import { withQuery } from '../page-context.ts';
import { t } from '../texts/texts.ts';
import { addressOfId } from './id-address.ts';

export function Search() {
  const { route } = useLocation();
  const field = useRef<HTMLInputElement>(null);
  const submit = (event: Event): void => {
    event.preventDefault();
    const text = field.current?.value.trim() ?? '';
    if (text === '' || field.current === null) return;
    field.current.value = '';
    field.current.blur();
    route(addressOfId(text) ?? withQuery('/search', { q: text }));
  };
  return (
    <search>
      <form onSubmit={submit}>
        <input
          ref={field}
          id="search"
          type="search"
          aria-label={t('search')}
          placeholder={t('search_placeholder')}
          title={t('search')}
          spellcheck={false}
          autoComplete="off"
          maxLength={300}
        />
      </form>
    </search>
  );
}
