import { useEffect, useRef } from 'preact/hooks';
import { ICON } from '../icon.ts';
import type { Address } from '../panels/registry.ts';
import { t } from '../texts/texts.ts';
import { Waiting } from './waiting.tsx';

/** Addresses that belong to a panel and are not below it. */
const OF_PANEL: Readonly<Record<string, string>> = {
  '/messages': '/conversations',
  '/grants': '/instructions',
  '/runs': '/tasks',
};

/** Whether an address belongs to the panel. */
export function isAt(path: string, panel: string): boolean {
  const [, first = ''] = path.split('/');
  const above = `/${first}`;
  return (OF_PANEL[above] ?? above) === panel;
}

export function Navigation({ addresses, path }: { addresses: readonly Address[]; path: string }) {
  const here = useRef<HTMLAnchorElement>(null);
  // On a phone the links are a row that scrolls.
  useEffect(() => here.current?.scrollIntoView({ block: 'nearest', inline: 'center' }), [path]);
  return (
    <nav aria-label={t('navigation')}>
      <p class="brand">
        <img src={ICON} alt="" width="22" height="22" />
        {t('app_name')}
      </p>
      <ul>
        {addresses.flatMap(({ path: at, name }) =>
          name === undefined
            ? []
            : [
                <li key={at}>
                  <a
                    href={at}
                    ref={isAt(path, at) ? here : undefined}
                    aria-current={isAt(path, at) ? 'page' : undefined}
                  >
                    {t(name)}
                  </a>
                  {at === '/instructions' ? <Waiting /> : null}
                </li>,
              ],
        )}
      </ul>
    </nav>
  );
}
