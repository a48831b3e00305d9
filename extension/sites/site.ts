/**
 * What the extension must know of a chat site. Everything that is true of one site only, such as addresses, endpoints,
 * selectors and places in a frame, is in that site's folder and is reached through this interface. The rest of the
 * extension knows no site.
 *
 * A site has two sides. `wire` is pure: it reads addresses, requests and responses, and runs in the background page.
 * `page` reads and uses the document, and runs in the content script.
 */
import type { Platform } from '../../schema/contracts/common.ts';
import type { Decoder } from './decoder.ts';
import type {
  PageAddress,
  PageRequest,
  RequestBody,
  RequestRole,
  ResponseHead,
  SeenSend,
  SiteReading,
} from './facts.ts';
import type { SitePage } from './page.ts';

export interface Site {
  platform: Platform;
  /** Match patterns of the pages, such as `https://chatgpt.com/*`. The manifest takes them from here. */
  matches: readonly string[];
  wire: SiteWire;
  page: SitePage;
}

export interface SiteWire {
  addressOf(url: URL): PageAddress;
  /**
   * Which of several accounts, that one container is signed in to, an address is of; empty: the first. A site that has one
   * account in a container does not have this.
   */
  accountPathOf?(url: URL): string;
  /** Match patterns of the requests that are observed. Nothing else is looked at. */
  requestPatterns: readonly string[];
  /** Response headers to be kept beside those of every site, in lower case. */
  headers: readonly string[];
  /** What a request is for; null when it is of no interest. */
  roleOf(request: PageRequest): RequestRole | null;
  /**
   * The send in a request of the role `send`. `no_send`: the endpoint serves other actions of the page too, and this is
   * one of them. Null when the body is not one that is known, which is drift.
   */
  readSend(request: PageRequest, body: RequestBody): SeenSend | 'no_send' | null;
  /** Decodes the body of one response. Each response has its own decoder. */
  decoder(head: ResponseHead): Decoder;
  /**
   * Whether the text of a final answer is better taken from a reading of the conversation than from the stream, where
   * the stream is good for the time and the id only.
   */
  confirmsByReading: boolean;
  /** Reads the response to the request of `SitePage.readingRequest`; null when it is not one that is known. */
  readReading(body: string): SiteReading | null;
  /** The longest text, in UTF-16 units, that the site takes as typed text; null when no limit is known. */
  maxTextChars: number | null;
}
