/** Decoders of responses: bytes in, events out. A decoder is pure and gives the same events for any chunking. */
import type { SiteReading } from './facts.ts';

/** The answer that a stream is about. */
export interface AnswerRef {
  /** Null while the site has not named the conversation. */
  conversationId: string | null;
  messageId: string;
  /** The message of the person that it answers; null when the stream does not say. */
  userMessageId: string | null;
}

export type DecodedEvent =
  /** The site has taken this message of the person. */
  | { type: 'accepted'; conversationId: string | null; userMessageId: string }
  /** The site has refused it. */
  | { type: 'refused'; conversationId: string | null; userMessageId: string | null; reason: string }
  /** An answer is being written. `chars`: its length until now. */
  | { type: 'progress'; answer: AnswerRef; chars: number }
  /**
   * An answer is complete by the site's own mark. `history`: it may be an old one that the stream repeats, so it counts
   * only when a send has named it or an earlier event has shown it in progress.
   */
  | { type: 'final'; answer: AnswerRef; text: string; history: boolean }
  /** An answer has ended without being complete, such as `interrupted`, `max_tokens`, `no_end_mark`, `choice`. */
  | { type: 'incomplete'; answer: AnswerRef | null; reason: string }
  /** The answer follows on a connection that cannot be observed. */
  | { type: 'handoff'; conversationId: string | null }
  /** The body is not one that this decoder reads. */
  | { type: 'opaque'; reason: string }
  /** The site reports a failure of the turn. */
  | { type: 'error'; reason: string }
  /** The site says that a limit is reached, and when it ends if it says so. */
  | { type: 'limit'; resetsInMs: number | null; resetsAt: number | null; reason: string }
  /** A security check comes in place of the response. */
  | { type: 'challenge' }
  /** The account is not signed in. */
  | { type: 'signed_out' }
  /** Who is signed in. `account` is an id of the account; it leaves the browser only as a salted hash. */
  /** `lacksWorkspace`: the site has workspaces, and this does not say in which one the page works. */
  | { type: 'account'; account: string; organizationId: string | null; lacksWorkspace?: true }
  /** The page has loaded a conversation. */
  | { type: 'reading'; reading: SiteReading }
  /** Something does not have the shape that is known. `what` names it; it holds no content of the conversation. */
  | { type: 'drift'; what: string };

export interface Decoder {
  /** Takes the next bytes. Work is linear in the bytes, memory is bounded; over the bound the body is `opaque`. */
  push(bytes: Uint8Array): DecodedEvent[];
  /** The body has ended; `isBroken`: by an error of the connection. */
  end(isBroken: boolean): DecodedEvent[];
}
