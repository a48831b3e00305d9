/** Who is signed in; the workspace is named by a cookie of the page only (`SitePage.workspace`). Of what the site says, only ids are read; tokens, names and addresses are not. */
import { z } from 'zod';
import type { DecodedEvent } from '../decoder.ts';

const IdSchema = z.string().min(1).max(256);
/** `/api/auth/session`, which is `{}` for a person who is not signed in, and `/backend-api/me`. */
const SessionSchema = z.object({
  user: z.object({ id: IdSchema }),
  account: z.object({ id: IdSchema }).nullish(),
});
const MeSchema = z.object({ object: z.literal('user').nullish(), id: IdSchema });
/** Begins the id of a visitor. */
const VISITOR = 'ua-';

export function accountEvents(path: string, body: unknown): DecodedEvent[] {
  if (path === '/backend-api/me') {
    const me = MeSchema.safeParse(body).data;
    if (!me) return [{ type: 'drift', what: 'account' }];
    return me.id.startsWith(VISITOR)
      ? [{ type: 'signed_out' }]
      : [{ type: 'account', account: me.id, organizationId: null, lacksWorkspace: true }];
  }
  const session = SessionSchema.safeParse(body).data;
  if (session) {
    const organizationId = session.account?.id ?? null;
    return [{ type: 'account', account: session.user.id, organizationId, lacksWorkspace: true }];
  }
  const isEmpty = typeof body === 'object' && (body === null || Object.keys(body).length === 0);
  return [isEmpty ? { type: 'signed_out' } : { type: 'drift', what: 'session' }];
}
