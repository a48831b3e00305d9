/**
 * What the requests of the chat pages show, as one stream of events. `capture` emits it; turns, deliveries and logins
 * listen to it. An event never holds a header value, a cookie, a token, or the address of a stream.
 */
import type { Platform } from '../../schema/contracts/common.ts';
import type { DecodedEvent } from '../sites/decoder.ts';
import type { RequestRole, SeenSend } from '../sites/facts.ts';

interface TrafficSource {
  platform: Platform;
  /** -1 when the request belongs to no tab, as one of a service worker. */
  tabId: number;
  /** The container of the browser that made it; absent when the browser did not say. */
  container?: string | undefined;
  /** The browser's id of the request. A redirected request keeps it. */
  requestId: string;
  role: RequestRole;
  /** Unix milliseconds. */
  at: number;
}

export type TrafficEvent = TrafficSource &
  (
    | { type: 'send'; send: SeenSend }
    /** The response has begun. `isChallenge`: a security check instead of the response that was due. */
    | { type: 'status'; status: number; isChallenge: boolean; retryAfterMs: number | null }
    | { type: 'decoded'; event: DecodedEvent }
    /** The request has ended; `error` is the browser's name of the failure, null for none. */
    | { type: 'ended'; error: string | null }
  );
