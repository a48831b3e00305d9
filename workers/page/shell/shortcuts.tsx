/** The keyboard: `g` and a letter goes to a panel, `/` to the search, `?` lists all. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso/router';
import type { Address } from '../panels/registry.ts';
import { t } from '../texts/texts.ts';

/** The second key must follow within this time. */
const CHORD_MS = 1_500;

/** Keys that a person types into a field are not shortcuts. */
function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('input, textarea, select, [contenteditable], dialog') !== null;
}

export function useShortcuts(addresses: readonly Address[]) {
  const { route } = useLocation();
  const [isOpen, setOpen] = useState(false);
  const newest = useRef({ addresses, route });
  newest.current = { addresses, route };
  useEffect(() => {
    let goneAt = Number.NEGATIVE_INFINITY;
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      const isSecond = event.timeStamp - goneAt < CHORD_MS;
      goneAt = Number.NEGATIVE_INFINITY;
      if (isSecond) {
        const address = newest.current.addresses.find(({ key }) => key === event.key);
        if (address) newest.current.route(address.path);
      } else if (event.key === 'g') goneAt = event.timeStamp;
      else if (event.key === '?') setOpen(true);
      else if (event.key === '/') {
        event.preventDefault();
        document.querySelector<HTMLElement>('#search')?.focus();
      }
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  return { isOpen, open: () => setOpen(true), close: () => setOpen(false) };
}

export function Shortcuts({ addresses, onClose }: { addresses: readonly Address[]; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby="shortcuts" onClose={onClose}>
      <h2 id="shortcuts">{t('shortcuts')}</h2>
      <dl class="keys">
        <Line keys={['?']} text={t('shortcut_list')} />
        <Line keys={['/']} text={t('shortcut_search')} />
        <Line keys={['Esc']} text={t('shortcut_close')} />
        {addresses.flatMap(({ name, key }) =>
          name === undefined || key === undefined ? [] : [<Line key={key} keys={['g', key]} text={t(name)} />],
        )}
      </dl>
      <p class="buttons">
        <button type="button" class="plain" onClick={() => dialog.current?.close()}>
          {t('close')}
        </button>
      </p>
    </dialog>
  );
}

function Line({ keys, text }: { keys: readonly string[]; text: string }) {
  return (
    <div>
      <dt>
        {keys.map((key) => (
          <kbd key={key}>{key}</kbd>
        ))}
      </dt>
      <dd>{text}</dd>
    </div>
  );
}
