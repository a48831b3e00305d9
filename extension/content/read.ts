/** Reads the conversation from the site, as the page itself would. The session's secrets stay in the page. */
import type { ReadOutcome } from '../messages.ts';
import type { Site } from '../sites/site.ts';

/** A longer response is not read. */
const MAX_CHARS = 16 * 1024 * 1024;

export interface ReadDeps {
  document: Document;
  location: Pick<Location, 'href' | 'origin'>;
  site: Pick<Site, 'wire' | 'page'>;
  /** The page's own `fetch`, so that the request has the page's origin. */
  fetch: typeof fetch;
}

export interface ReadOrder {
  conversationId: string;
  timeoutMs: number;
}

export async function readConversation(deps: ReadDeps, { conversationId, timeoutMs }: ReadOrder): Promise<ReadOutcome> {
  const { document, location, site, fetch } = deps;
  const address = site.wire.addressOf(new URL(location.href));
  if (address.conversationId !== conversationId) return { kind: 'failed', reason: 'other_conversation' };
  const request = site.page.readingRequest(document, address, document.cookie);
  if (request === null) return { kind: 'failed', reason: 'not_ready' };
  const url = new URL(request.url, location.href);
  if (url.origin !== location.origin) return { kind: 'failed', reason: 'other_origin' };
  try {
    const response = await fetch(url.href, {
      method: request.method,
      headers: request.headers,
      body: request.body,
      credentials: 'include',
      cache: 'no-store',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const body = await response.text();
    if (body.length > MAX_CHARS) return { kind: 'failed', reason: 'too_long' };
    const contentType = (response.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
    const isChallenge = response.headers.get('cf-mitigated') === 'challenge' || contentType === 'text/html';
    return { kind: 'response', status: response.status, contentType, isChallenge, body };
  } catch (error) {
    return { kind: 'failed', reason: error instanceof Error ? error.name : 'unknown' };
  }
}
