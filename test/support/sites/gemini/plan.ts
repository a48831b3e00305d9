/** How the fake Gemini answers one message. */
import type { Gate } from '../streaming.ts';

export interface AnswerPlan {
  /** The whole answer. It is stored, and a reading gives it, also when the response breaks off. */
  text: string;
  /** Shown as thoughts before the answer. */
  thoughts?: string;
  /** Further drafts beside the answer. */
  drafts?: readonly string[];
  /** The page asks the person to choose between the answer and the first draft. */
  asksChoice?: boolean;
  /** Where the response breaks off: while thinking, in the middle of the text, or before the mark of the end. */
  cut?: 'thinking' | 'text' | 'mark';
  /** An error of the stream: instead of an answer, or after it. */
  error?: { code: number; after: boolean };
  /** A status in place of the response; `isHtml`: with a page for people, as a security check has. */
  refusal?: { status: number; isHtml?: boolean; retryAfter?: string };
  /** Bytes of each piece of the body; 7 splits characters. */
  pieceBytes?: number;
  everyMs?: number;
  /** Opened by the test: the answer ends then, and not before. */
  until?: Gate;
}

/** What the fake Gemini has received as a message. */
export interface ReceivedSend {
  text: string;
  /** `c_…`, `r_…` and `rc_…` of the turn that it follows; empty in a new conversation. */
  follows: { conversation: string; turn: string; answer: string };
  /** The part of the path that names the account: empty, or `/u/1`. */
  account: string;
  isTemporary: boolean;
  status: number;
}

export type Language = 'en' | 'de' | 'zh';

/** Given to the page with its document. */
export interface PageConfig {
  language: Language;
  isSignedIn: boolean;
  isTemporary: boolean;
  /** How many of the newest turns the page keeps in its document; null for all. */
  keepsTurns: number | null;
}
