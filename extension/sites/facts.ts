/** What addresses, requests and readings of any site say, in one vocabulary. */

/**
 * What an address says a page is.
 * - `conversation`: one with a lasting id.
 * - `new`: the page that starts one.
 * - `provisional`: a conversation whose lasting id is not known yet.
 * - `temporary`: a conversation that never gets a lasting id.
 * - `other`: settings, shared conversations, lists.
 *
 * Only `conversation` has an id. `new`, `provisional` and `temporary` are shell pages.
 */
export type AddressKind = 'conversation' | 'new' | 'provisional' | 'temporary' | 'other';
export interface PageAddress {
  kind: AddressKind;
  /** The lasting id; null unless `kind` is `conversation`. */
  conversationId: string | null;
}

/**
 * What a request of the page is for.
 * - `prepare`: comes before a send and can be refused in its place.
 * - `send`: carries a message of the person, or asks for the answer again.
 * - `stream`: carries answers and is not a send.
 * - `read`: loads a conversation.
 * - `account`: says who is signed in.
 */
export type RequestRole = 'prepare' | 'send' | 'stream' | 'read' | 'account';

export interface PageRequest {
  method: string;
  url: URL;
}

/** The body of a request as `webRequest` gives it. */
export type RequestBody = { kind: 'bytes'; bytes: Uint8Array } | { kind: 'form'; fields: Record<string, string[]> };

/** A send of the page, as its request says. */
export interface SeenSend {
  /** `message`: a new message. `regenerate`: the same question again. `edit`: another question in an earlier place. */
  kind: 'message' | 'regenerate' | 'edit' | 'continue';
  /** Null in a conversation that has no lasting id yet. */
  conversationId: string | null;
  /** The id that the page gave the person's message; null where the site gives it later. */
  userMessageId: string | null;
  /**
   * The person's message that this one follows, where the site gives the new one its id later: null for the first of a
   * conversation; absent where the send does not say.
   */
  followsId?: string | null;
  /** The id of the message that will hold the answer, where the page chooses it. */
  assistantMessageId: string | null;
  /** The person's text exactly as sent; null when the send carries none. */
  text: string | null;
  /** The conversation never gets a lasting id. */
  isTemporary: boolean;
  organizationId: string | null;
  /** The site takes or refuses this send by an `accepted` or `refused` event on a stream; its status alone proves nothing. */
  isAcknowledgedByStream?: boolean;
}

/** What is known of a response when its body begins. */
export interface ResponseHead {
  role: RequestRole;
  url: URL;
  status: number;
  /** Lower case, without parameters; empty when there is none. */
  contentType: string;
  /** Lower-case names. Only these: content-type, content-encoding, cf-mitigated, retry-after, and the site's `headers`. */
  headers: Readonly<Record<string, string>>;
  /** The send that this responds to. */
  send: SeenSend | null;
}

/** A message of a conversation as the site itself reports it. */
export interface SiteMessage {
  role: 'user' | 'assistant';
  id: string;
  /** The message that this one follows; null when the site does not say. */
  parentId: string | null;
  text: string;
  /** `final` only by the site's own mark. */
  state: 'final' | 'running' | 'incomplete';
}

/** A conversation as read from the site: the current branch, oldest message first. */
export interface SiteReading {
  conversationId: string;
  messages: readonly SiteMessage[];
}
