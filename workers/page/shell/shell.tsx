/** What is around each panel: navigation, connection, search, the notice of the last action, and the caller. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso/router';
import { usePage } from '../page-context.ts';
import type { Panel } from '../panels/panel.ts';
import { addressesFor } from '../panels/registry.ts';
import { Heading, Nothing } from '../parts/parts.tsx';
import { t } from '../texts/texts.ts';
import { Connection } from './connection.tsx';
import type { Match } from './match-address.ts';
import { matchAddress } from './match-address.ts';
import { Navigation } from './navigation.tsx';
import { NoticeBar } from './notice-bar.tsx';
import { Search } from './search.tsx';
import { Shortcuts, useShortcuts } from './shortcuts.tsx';
import { Who } from './who.tsx';

export function Shell() {
  const { session } = usePage();
  const { path } = useLocation();
  const addresses = addressesFor(session.role);
  const match = matchAddress(path, addresses);
  const shortcuts = useShortcuts(addresses);
  useEffect(watchNotices, []);
  return (
    <div class="shell">
      <a class="skip" href="#main">
        {t('skip')}
      </a>
      <Navigation addresses={addresses} path={path} />
      <header class="bar">
        <Search />
        <Connection />
        <Who onShortcuts={shortcuts.open} />
      </header>
      <main id="main" tabIndex={-1}>
        <NoticeBar />
        {match === null ? <NoPanel /> : <PanelOf key={`${match.address.path} ${match.id}`} match={match} />}
      </main>
      {shortcuts.isOpen ? <Shortcuts addresses={addresses} onClose={shortcuts.close} /> : null}
    </div>
  );
}

function NoPanel() {
  return (
    <>
      <Heading title={t('no_page')} />
      <Nothing>{t('no_page_help')}</Nothing>
    </>
  );
}

/** Its files are loaded apart from those that the first panel needs. */
function watchNotices(): () => void {
  const started = import('../notices/show.ts').then(({ watch }) => watch());
  return () => void started.then((end) => end());
}

const loaded = new Map<string, Panel>();

function PanelOf({ match: { address, id } }: { match: Match }) {
  const [, draw] = useState(0);
  const [error, setError] = useState<unknown>(null);
  const isFirst = useRef(true);
  const PanelHere = loaded.get(address.path);
  useEffect(() => {
    const before = document.activeElement;
    if (PanelHere === undefined) {
      address.load().then(
        (module) => {
          loaded.set(address.path, module.default);
          draw((count) => count + 1);
        },
        (caught: unknown) => setError(caught),
      );
    }
    // Where the navigation led to a new panel, a screen reader reads it from its beginning.
    if (!isFirst.current || before instanceof HTMLAnchorElement)
      document.querySelector<HTMLElement>('#main')?.focus({ preventScroll: true });
    isFirst.current = false;
    scrollTo({ top: 0 });
  }, []);
  if (error !== null) {
    // An update of the edge has other files.
    return (
      <div class="banner bad" role="alert">
        <strong>{t('page_outdated')}</strong>
        <button type="button" class="plain" onClick={() => location.reload()}>
          {t('reload')}
        </button>
      </div>
    );
  }
  return PanelHere === undefined ? <p class="loading">{t('loading')}</p> : <PanelHere id={id} />;
}
