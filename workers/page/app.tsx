/** The page as a whole: signed in or not, the live connection, the shell, and the panel of the address. */

import { useEffect, useMemo, useState } from 'preact/hooks';
import { LocationProvider } from 'preact-iso/router';
import type { Session } from '../../schema/contracts/tokens.ts';
import type { EdgeError } from './api/client.ts';
import { Store } from './api/store.ts';
import { Live } from './live/live.ts';
import type { PageContext } from './page-context.ts';
import { PageProvider } from './page-context.ts';
import { createFormat } from './parts/format.ts';
import { Notices } from './parts/notices.ts';
import { Shell } from './shell/shell.tsx';
import type { SessionState } from './sign-in/session.ts';
import { ACCESS_SIGN_OUT, readSession, signOut } from './sign-in/session.ts';
import { SignIn } from './sign-in/sign-in.tsx';
import { language, t } from './texts/texts.ts';

/** Addresses of the API are not those of the page: a link to one leaves it. */
const SCOPE = /^\/(?!v1\/|artifact\/)/;
const LINK = '/v1/session/link/';

/** Whether this page was shown instead of a sign-in by a link that is no longer valid; the address is then that of Now. */
function takeRefusedLink(): boolean {
  const isLink = location.pathname.startsWith(LINK);
  if (isLink || location.pathname === '/ui' || location.pathname === '/index.html') history.replaceState(null, '', '/');
  return isLink;
}

export function App({ first }: { first: SessionState }) {
  const [isLinkRefused, setLinkRefused] = useState(takeRefusedLink);
  const [state, setState] = useState(first);
  const [isAccess, setAccess] = useState(first.status === 'signed_in' && first.session.via === 'access');
  useEffect(() => {
    if (state.status !== 'unknown') return undefined;
    const timer = setTimeout(() => void readSession().then(setState), 3_000);
    return () => clearTimeout(timer);
  }, [state]);
  if (state.status === 'unknown') {
    return (
      <main class="sign-in">
        <p class="banner bad" role="alert">
          {t(state.error.code === 'auth_not_configured' ? 'not_configured' : 'edge_not_reached', {
            why: state.error.message,
          })}
        </p>
      </main>
    );
  }
  if (state.status === 'signed_out') {
    const onSignedIn = (session: Session): void => {
      setLinkRefused(false);
      setAccess(false);
      setState({ status: 'signed_in', session });
    };
    return <SignIn ended={state.error} {...{ isAccess, isLinkRefused, onSignedIn }} />;
  }
  const onSignedOut = (error: EdgeError | null): void => setState({ status: 'signed_out', error });
  return <SignedIn key={state.session.token_id} session={state.session} onSignedOut={onSignedOut} />;
}

function SignedIn({ session, onSignedOut }: { session: Session; onSignedOut: (error: EdgeError | null) => void }) {
  const context = useMemo<PageContext>(() => {
    const store = new Store({ now: Date.now, onSignedOut });
    const live = new Live({
      open: (path) => new EventSource(path),
      now: Date.now,
      onChange: (topics) => store.changed(topics),
      onRefused: () =>
        void readSession().then((read) => {
          if (read.status === 'signed_out') onSignedOut(read.error);
        }),
    });
    const out = () => {
      if (session.via === 'access') location.assign(ACCESS_SIGN_OUT);
      else void signOut().then(() => onSignedOut(null), onSignedOut);
    };
    return { store, live, notices: new Notices(), session, format: createFormat(language()), signOut: out };
  }, []);
  const { store, live } = context;
  useEffect(() => {
    const onVisible = (): void => {
      store.pause(document.visibilityState === 'hidden');
      live.look();
    };
    live.start();
    document.addEventListener('visibilitychange', onVisible);
    addEventListener('online', onVisible);
    return () => {
      live.stop();
      store.clear();
      document.removeEventListener('visibilitychange', onVisible);
      removeEventListener('online', onVisible);
    };
  }, []);
  return (
    <LocationProvider scope={SCOPE}>
      <PageProvider value={context}>
        <Shell />
      </PageProvider>
    </LocationProvider>
  );
}
