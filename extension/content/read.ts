/** Reads the conversation from the site, as the page itself would. The session's secrets stay in the page. */
import type { Fetch } from '../lib/perform-reading.ts';
import { performReading } from '../lib/perform-reading.ts';
import type { ReadOutcome } from '../messages.ts';
import type { ReadingRequest } from '../sites/page.ts';
import type { Site } from '../sites/site.ts';

export interface ReadDeps {
  document: Document;
  location: Pick<Location, 'href' | 'origin'>;
  site: Pick<Site, 'wire' | 'page'>;
  /** The page's own `fetch`, so that the request has the page's origin. */
  fetch: Fetch;
}

export interface ReadOrder {
  conversationId: string;
  timeoutMs: number;
}

/** Whether every address of the request belongs to the page itself, so that its cookies and tokens go nowhere else. */
function isOfPage({ url, otherUrl, token }: ReadingRequest, { href, origin }: ReadDeps['location']): boolean {
  const urls = [url, otherUrl, token?.url].filter((one) => one !== undefined && one !== null);
  return urls.every((one) => URL.parse(one, href)?.origin === origin);
}

export async function readConversation(deps: ReadDeps, { conversationId, timeoutMs }: ReadOrder): Promise<ReadOutcome> {
  const { document, location, site, fetch } = deps;
  const address = site.wire.addressOf(new URL(location.href));
  if (address.conversationId !== conversationId) return { kind: 'failed', reason: 'other_conversation' };
  const request = site.page.readingRequest(document, address, document.cookie);
  if (request === null) return { kind: 'failed', reason: 'not_ready' };
  if (!isOfPage(request, location)) return { kind: 'failed', reason: 'other_origin' };
  // A relative address would be resolved against the extension by its own `fetch`.
  const absolute = (url: string) => new URL(url, location.href).href;
  const { url, otherUrl, token } = request;
  const ownRequest: ReadingRequest = {
    ...request,
    url: absolute(url),
    ...(otherUrl && { otherUrl: absolute(otherUrl) }),
    ...(token && { token: { ...token, url: absolute(token.url) } }),
  };
  return performReading(ownRequest, fetch, AbortSignal.timeout(timeoutMs));
}
