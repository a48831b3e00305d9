/** Who the page is signed in as. The cookie itself is out of the reach of scripts. */
import type { Session } from '../../../schema/contracts/tokens.ts';
import { SessionEndedSchema, SessionSchema } from '../../../schema/contracts/tokens.ts';
import { callEdge, EdgeError } from '../api/client.ts';
import { SESSION_PATH } from '../api/first-paths.ts';

/** Ends the login at Cloudflare Access, which the edge cannot end. */
export const ACCESS_SIGN_OUT = '/cdn-cgi/access/logout';

/** Signed in, or why not: `error` is null when there was never a session. */
export type SessionState =
  | { status: 'signed_in'; session: Session }
  | { status: 'signed_out'; error: EdgeError | null }
  | { status: 'unknown'; error: EdgeError };

export async function readSession(): Promise<SessionState> {
  try {
    return { status: 'signed_in', session: await callEdge(SESSION_PATH, SessionSchema) };
  } catch (caught) {
    const error = caught instanceof EdgeError ? caught : new EdgeError('internal', String(caught));
    // Cloudflare Access knows a person who has no role here: a token is another way in.
    if (!error.isSignedOut && error.code !== 'forbidden') return { status: 'unknown', error };
    return { status: 'signed_out', error: error.code === 'missing_token' ? null : error };
  }
}

/** @throws EdgeError */
export function signIn(token: string): Promise<Session> {
  return callEdge(SESSION_PATH, SessionSchema, { method: 'POST', body: { token } });
}

/** @throws EdgeError */
export async function signOut(): Promise<void> {
  await callEdge(SESSION_PATH, SessionEndedSchema, { method: 'DELETE' });
}
