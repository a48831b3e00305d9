/**
 * Performs the request that reads a conversation, under the page's own session. A token that the site wants is fetched
 * first and lives in this function only: it is never stored, logged or given to another part.
 */
import type { ReadingRequest, ReadingToken } from '../sites/page.ts';

export type Reading =
  | { kind: 'response'; status: number; contentType: string; isChallenge: boolean; body: string }
  | { kind: 'failed'; reason: 'signed_out' | 'network' | 'too_large' };

const MAX_BODY_CHARS = 32 * 1024 * 1024;
const GONE = [404, 405];

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** At most three requests: the token, the reading, and its other address when the first is gone. */
export async function performReading(request: ReadingRequest, fetch: Fetch, signal: AbortSignal): Promise<Reading> {
  const { url, method, body, token = null, otherUrl = null } = request;
  try {
    const headers = { ...request.headers };
    if (token) {
      const session = await readToken(token, fetch, signal);
      if (typeof session !== 'string') return session;
      headers[token.header] = token.prefix + session;
    }
    const init: RequestInit = { method, headers, body, signal, credentials: 'include', cache: 'no-store' };
    const first = await fetch(url, init);
    const response = otherUrl !== null && GONE.includes(first.status) ? await fetch(otherUrl, init) : first;
    return await outcomeOf(response);
  } catch {
    return { kind: 'failed', reason: 'network' };
  }
}

/** The token; or the response that came in its place, without its body, in which the token may be all the same. */
async function readToken(token: ReadingToken, fetch: Fetch, signal: AbortSignal): Promise<string | Reading> {
  const response = await fetch(token.url, { method: 'GET', credentials: 'include', cache: 'no-store', signal });
  if (!response.ok || !contentTypeOf(response).includes('json')) {
    const outcome = await outcomeOf(response);
    return outcome.kind === 'response' ? { ...outcome, body: '' } : outcome;
  }
  const session = (await response.json()) as Record<string, unknown> | null;
  const value = session?.[token.field];
  return typeof value === 'string' && value !== '' ? value : { kind: 'failed', reason: 'signed_out' };
}

async function outcomeOf(response: Response): Promise<Reading> {
  const contentType = contentTypeOf(response);
  const isChallenge = response.headers.get('cf-mitigated') === 'challenge' || contentType === 'text/html';
  const body = isChallenge ? '' : await response.text();
  if (body.length > MAX_BODY_CHARS) return { kind: 'failed', reason: 'too_large' };
  return { kind: 'response', status: response.status, contentType, isChallenge, body };
}

function contentTypeOf(response: Response): string {
  return (response.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}
