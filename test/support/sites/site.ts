/** What a fake chat site is made of: the hosts that it serves, and how it responds. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** A request whose body has been read. */
export interface SiteRequest {
  method: string;
  host: string;
  url: URL;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

/**
 * One fake site. Its own module adds the controls that a test sets, such as how the next answer is streamed, and what it
 * has received; the server knows none of them.
 */
export interface FakeSite {
  hosts: readonly string[];
  handle(request: SiteRequest, response: ServerResponse): Promise<void> | void;
  /** A WebSocket that the page opens. Without it, an upgrade is refused. */
  upgrade?(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** What the server has received and how it responded. The body is the proof of what a page has sent. */
export interface ServedRequest {
  method: string;
  host: string;
  path: string;
  body: Buffer;
  /** Null until the response begins. */
  status: number | null;
  /** `cut`: the connection ended before the response was complete. */
  end: 'open' | 'complete' | 'cut';
}
