/** What a person sees who is not signed in, or no longer. The address stays, and is shown after the sign-in. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Session } from '../../../schema/contracts/tokens.ts';
import { EdgeError } from '../api/client.ts';
import { adviceOf } from '../parts/errors.ts';
import { describeError } from '../parts/notices.ts';
import { t } from '../texts/texts.ts';
import { signIn } from './session.ts';

export interface SignInProps {
  /** Why the session that there was has ended. */
  ended: EdgeError | null;
  isLinkRefused: boolean;
  /** The session was that of Cloudflare Access, whose login page the browser is led to. */
  isAccess: boolean;
  onSignedIn: (session: Session) => void;
}

export function SignIn({ ended, isAccess, isLinkRefused, onSignedIn }: SignInProps) {
  const [error, setError] = useState<EdgeError | null>(null);
  const [isPending, setPending] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const token = field.current?.value.trim() ?? '';
    if (token === '' || isPending) return;
    setPending(true);
    try {
      onSignedIn(await signIn(token));
    } catch (caught) {
      setError(caught instanceof EdgeError ? caught : new EdgeError('internal', String(caught)));
      setPending(false);
      field.current?.select();
    }
  };
  return (
    <main class="sign-in">
      <form class="card" onSubmit={(event) => void submit(event)}>
        <h1>{t('app_name')}</h1>
        {isLinkRefused ? <p class="banner wait">{t('link_refused')}</p> : null}
        {ended === null || isLinkRefused ? null : <Ended {...{ error: ended, isAccess }} />}
        <p class="note">{t('sign_in_how')}</p>
        <label for="token">{t('token')}</label>
        <input
          id="token"
          ref={field}
          name="token"
          type="password"
          autoComplete="current-password"
          spellcheck={false}
          required
          aria-invalid={error !== null}
          aria-describedby={error === null ? undefined : 'token-error'}
        />
        {error === null ? null : (
          <p id="token-error" class="problem" role="alert">
            {t('sign_in_failed', { why: describeError(error) })}{' '}
            {error.isSignedOut ? t('sign_in_other') : adviceOf(error)}
          </p>
        )}
        <button type="submit" class="primary" aria-busy={isPending}>
          {t('sign_in')}
        </button>
        <p class="note">{t('sign_in_link')}</p>
      </form>
    </main>
  );
}

/** Why there is no session any more, and how to get one. */
function Ended({ error, isAccess }: { error: EdgeError; isAccess: boolean }) {
  if (error.code === 'forbidden')
    return <p class="banner wait">{t('access_refused', { why: describeError(error) })}</p>;
  if (!isAccess) return <p class="banner wait">{t('session_ended', { why: describeError(error) })}</p>;
  return (
    <div class="banner wait">
      <p>{t('access_ended')}</p>
      <button type="button" onClick={() => location.reload()}>
        {t('reload')}
      </button>
    </div>
  );
}
