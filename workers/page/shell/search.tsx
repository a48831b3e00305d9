/** Goes to the object of an id. */

import { useRef, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso/router';
import { t } from '../texts/texts.ts';
import { addressOfId } from './id-address.ts';

export function Search() {
  const { route } = useLocation();
  const field = useRef<HTMLInputElement>(null);
  const [isUnknown, setUnknown] = useState(false);
  const submit = (event: Event): void => {
    event.preventDefault();
    const address = addressOfId(field.current?.value ?? '');
    setUnknown(address === null);
    if (address === null || field.current === null) return;
    field.current.value = '';
    field.current.blur();
    route(address);
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
          aria-invalid={isUnknown}
          aria-describedby={isUnknown ? 'search-error' : undefined}
          onInput={() => setUnknown(false)}
        />
        {isUnknown ? (
          <p id="search-error" class="problem" role="alert">
            {t('search_unknown')}
          </p>
        ) : null}
      </form>
    </search>
  );
}
