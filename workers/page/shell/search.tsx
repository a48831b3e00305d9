/** Goes to the object of an id; any other text is looked up, on the page of a conversation in that one first. */

import { useRef } from 'preact/hooks';
import { useLocation } from 'preact-iso/router';
import { withQuery } from '../page-context.ts';
import { t } from '../texts/texts.ts';
import { addressOfId } from './id-address.ts';

const CONVERSATION = /^\/conversations\/(lc_[0-9a-z]{26})$/;

export function Search() {
  const { route, path } = useLocation();
  const field = useRef<HTMLInputElement>(null);
  const submit = (event: Event): void => {
    event.preventDefault();
    const text = field.current?.value.trim() ?? '';
    if (text === '' || field.current === null) return;
    field.current.value = '';
    field.current.blur();
    route(addressOfId(text) ?? withQuery('/search', { q: text, conversation: CONVERSATION.exec(path)?.[1] }));
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
