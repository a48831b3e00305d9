/** Whether a request was made by a page of the site, or by its service worker. */

import { matcher } from '../../lib/match-pattern.ts';
import type { Site } from '../../sites/site.ts';
import type { RequestDetails } from './web-request.ts';

/** `fetch` and `XMLHttpRequest`, of pages and of service workers. */
const TYPES = new Set(['xmlhttprequest']);

/**
 * Returns the test for one site. A request counts when the document that makes it, and every document around that one,
 * belong to the site. So neither another page that embeds the site, nor a foreign frame, nor an extension counts.
 */
export function ownRequest({ matches }: Pick<Site, 'matches'>): (details: RequestDetails) => boolean {
  const isOwn = matcher(matches);
  return ({ type, tabId, documentUrl, originUrl, frameAncestors = [] }) => {
    if (!TYPES.has(type)) return false;
    if (originUrl !== undefined && !isOwn(originUrl)) return false;
    // A service worker has no document, and then only its own address says who asks.
    if (documentUrl === undefined) return tabId === -1 && originUrl !== undefined;
    return isOwn(documentUrl) && frameAncestors.every(({ url }) => isOwn(url));
  };
}
