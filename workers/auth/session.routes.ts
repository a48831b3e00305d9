/** Sessions of pages: sign in with a token, show the caller, sign out. session-cookie.ts has the cookie itself. */
import type { Session } from '../../schema/contracts/tokens.ts';
import { ROLES, SessionBodySchema, SessionEndedSchema, SessionSchema } from '../../schema/contracts/tokens.ts';
import { bootstrapSecret } from '../crypto/bootstrap-secret.ts';
import type { MountedRoute } from '../http/route.ts';
import { READERS, read, write } from '../http/route.ts';
import { tokenLimits } from './authenticate.ts';
import { endSession, SESSION_LASTS_MS, startSession } from './session-cookie.ts';

const tag = 'session';
const path = '/v1/session';

export const session: readonly MountedRoute[] = [
  read(
    {
      method: 'get',
      path,
      summary: 'Show the caller and how it is authenticated',
      tag,
      roles: ROLES,
      data: SessionSchema,
    },
    async ({ principal }) => principal,
  ),
  write(
    {
      method: 'post',
      path,
      summary:
        'Sign in with a token: sets a session cookie that expires with the token, at the latest after twelve hours',
      tag,
      roles: READERS,
      body: SessionBodySchema,
      data: SessionSchema,
      signsIn: true,
    },
    async ({ c, principal, now }) => {
      const { expires_at } = await tokenLimits(c, principal.token_id);
      const ends_at = Math.min(now + SESSION_LASTS_MS, expires_at ?? Number.POSITIVE_INFINITY);
      const response: Session = { ...principal, via: 'session', expires_at: ends_at };
      return { subject_id: principal.token_id, response };
    },
    async ({ c, env, now }, { token_id, expires_at }) => {
      const { token_hash } = await tokenLimits(c, token_id);
      await startSession(c, bootstrapSecret(env), { token_id, token_hash, ends_at: expires_at ?? now });
    },
  ),
  write(
    {
      method: 'delete',
      path,
      summary: 'Sign out: deletes the session cookie',
      tag,
      roles: READERS,
      data: SessionEndedSchema,
    },
    async ({ principal }) => ({
      subject_id: principal.token_id,
      response: { signed_out: true } as const,
    }),
    ({ c }) => endSession(c),
  ),
];
