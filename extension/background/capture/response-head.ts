/** What is kept of a response's headers: a fixed list, and the site's own names. */
import type { RequestRole, ResponseHead, SeenSend } from '../../sites/facts.ts';
import type { SiteWire } from '../../sites/site.ts';
import type { HeadersReceivedDetails } from './web-request.ts';

const KEPT = ['content-type', 'content-encoding', 'cf-mitigated', 'retry-after'];
const HTML = 'text/html';

export interface HeadContext {
  wire: Pick<SiteWire, 'headers'>;
  role: RequestRole;
  send: SeenSend | null;
}

export function responseHead(details: HeadersReceivedDetails, { wire, role, send }: HeadContext): ResponseHead {
  const headers: Record<string, string> = {};
  for (const { name, value } of details.responseHeaders ?? []) {
    const key = name.toLowerCase();
    if (value !== undefined && (KEPT.includes(key) || wire.headers.includes(key))) headers[key] = value;
  }
  const contentType = (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return { role, url: new URL(details.url), status: details.statusCode, contentType, headers, send };
}

/** A security check in place of the response: the header says so, or a page arrives where data was due. */
export function isChallenge({ status, contentType, headers, role }: ResponseHead): boolean {
  if (headers['cf-mitigated'] === 'challenge') return true;
  if (contentType !== HTML || status === 404) return false;
  // The signed-out site may show a page where account data was due.
  return role === 'account' ? status === 403 || status === 503 : status < 500 || status === 503;
}

/** The wait that a `retry-after` header asks for; null when there is none that can be read. */
export function retryAfterMs({ headers }: ResponseHead, now: number): number | null {
  const text = headers['retry-after'];
  if (text === undefined) return null;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}
