/** Who is signed in, by the data that the page starts with. It also holds tokens; they are not read. */
import { z } from 'zod';
import type { PageLogin } from '../../page.ts';
import { findShown, first } from './finding.ts';
import { OBSTACLES, SELECTORS } from './selectors.ts';

const BootstrapSchema = z.object({
  authStatus: z.string(),
  session: z.object({ user: z.object({ id: z.string().min(1).max(256) }).nullish() }).nullish(),
  user: z.object({ id: z.string().min(1).max(256).nullish() }).nullish(),
});

/** Names the workspace; `personal`, or no cookie, for none. */
const WORKSPACE_COOKIE = /(?:^|;\s*)_account=([0-9a-f-]{36})(?:;|$)/i;

/** The id of the workspace that the page works in; null for the person's own, and without a cookie. */
export function workspaceOf(cookies: string): string | null {
  return WORKSPACE_COOKIE.exec(cookies)?.[1]?.toLowerCase() ?? null;
}

export function loginOf(document: Document): PageLogin | null {
  if (isChallengePage(document)) return { login: 'stale', account: null };
  const bootstrap = bootstrapOf(document);
  if (bootstrap?.authStatus === 'logged_in') {
    return { login: 'fresh', account: bootstrap.session?.user?.id ?? bootstrap.user?.id ?? null };
  }
  if (bootstrap?.authStatus === 'logged_out') return { login: 'lost', account: null };
  return findShown(document, OBSTACLES.signed_out) ? { login: 'lost', account: null } : null;
}

function bootstrapOf(document: Document): z.infer<typeof BootstrapSchema> | null {
  try {
    const text = first(document, SELECTORS.bootstrap)?.textContent ?? '';
    return BootstrapSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/** A security check instead of the page. The page itself also loads parts of the check, so it must have no composer. */
export function isChallengePage(document: Document): boolean {
  return first(document, OBSTACLES.challenge) !== null && first(document, SELECTORS.composer) === null;
}
