/**
 * The document of a site, as the content script reads and uses it. Elements are found by ordered lists of selectors, most
 * trusted first; which one matched is reported, so that a change of the site is noticed before the last one fails.
 */
import type { PageAddress } from './facts.ts';

/** How text is put into an editor. */
export type TypingMethod =
  /** ProseMirror: line by line, with a paragraph between. */
  | 'lines'
  /** Quill and editors that read the clipboard: a paste of plain text. */
  | 'paste'
  /** Lexical: the whole text as one input. */
  | 'insert'
  /** A textarea: its value and an input event. */
  | 'value';

/** An element and the name of the selector that found it. `rank` 0 is the most trusted. */
export interface Found {
  element: HTMLElement;
  selector: string;
  rank: number;
}

export interface Composer extends Found {
  /** Methods to try, in this order, until the editor shows the text that was typed. */
  methods: readonly TypingMethod[];
  /** The longest text that goes in by one paste or input; a longer one goes in by parts. Null: no limit. */
  chunkChars: number | null;
}

/** One code block of a message whose language is `baa`. */
export interface PageBlock {
  /** Null when the page has not rendered all of it. */
  text: string | null;
}

/** One message as the page shows it now. Its text and its blocks are read when they are asked for. */
export interface PageTurn {
  role: 'user' | 'assistant';
  /** The site's message id, where the page has it. */
  id: string | null;
  /** The message of the person that it answers, where the page says so, as some pages name an answer by that only. */
  answersId?: string | null;
  /** Pages of this kind name none of their messages, now or later. */
  isNameless?: boolean;
  element: HTMLElement;
  isFinished: boolean;
  text: string;
  blocks: readonly PageBlock[];
}

/**
 * A complete answer as a document shows it, or why it is none. Of its text there are the `baa` blocks only: the rest of a
 * document is no Markdown any more.
 */
export type FinalInPage =
  | {
      isFinal: true;
      id: string;
      /** The message of the person that it answers. */
      questionId: string | null;
      blocks: readonly string[];
    }
  | { isFinal: false; reason: string };

/** Something in the page that keeps a message from being sent. Nothing of it is clicked. */
export interface Obstacle {
  kind: 'challenge' | 'signed_out' | 'limit' | 'permission' | 'choice' | 'old_version' | 'error';
  /** What the page says, cut to 200 characters. */
  text: string;
  /** When a limit ends, Unix milliseconds, where the page says so. */
  resetsAt: number | null;
}

export interface ReadingRequest {
  url: string;
  method: 'GET' | 'POST';
  headers: Record<string, string>;
  body: string | null;
  /** What must be fetched first, where the site wants a token of the session as a header. */
  token?: ReadingToken | null;
  /** The same reading at another address, for a site that has dropped the first one (404 or 405). */
  otherUrl?: string | null;
}

/**
 * A token of the page's session. It is fetched for one reading, is held by the function that fetches it only, and goes
 * nowhere but into that request, which has the same origin.
 */
export interface ReadingToken {
  /** A GET with the page's cookies; its response is JSON. */
  url: string;
  /** The field of that JSON, a string. Without it the person is not signed in. */
  field: string;
  header: string;
  /** Comes before the token in the header. */
  prefix: string;
}

/** Who is signed in, as far as the document says. */
export interface PageLogin {
  login: 'fresh' | 'stale' | 'lost';
  /** An id of the account; it leaves the browser only as a salted hash. */
  account: string | null;
}

export interface SitePage {
  /** The id of the conversation that the document itself shows, apart from the address; null when it does not say. */
  shownConversation(document: Document): string | null;
  composer(document: Document): Composer | null;
  /** The text in the composer as it will be sent; empty when there is none. */
  composedText(composer: Composer): string;
  /**
   * How many attachments the composer holds, such as a person's file or a long text that the site has made a file of; none
   * of those of messages that were sent.
   */
  attachments?(document: Document): number;
  /** The enabled button that sends; null when there is none. */
  sendButton(document: Document): Found | null;
  /** Whether an answer is being written. */
  isAnswering(document: Document): boolean;
  /**
   * Whether the page marks an answer that is over, so that `isFinished` is more than the absence of signs that it is being
   * written.
   */
  hasFinishMarks?: true;
  /** Every message. */
  turns(document: Document): PageTurn[];
  /**
   * The same messages, newest first. Each is read when it is taken, so that finding a new one costs the same in a
   * conversation of any length.
   */
  newestTurns(document: Document): Iterable<PageTurn>;
  obstacle(document: Document): Obstacle | null;
  /**
   * The newest answer, as far as the document itself proves that it is complete and says whose it is. A site whose document
   * has no such marks does not have this.
   */
  finalAnswer?(document: Document): FinalInPage;
  login(document: Document): PageLogin | null;
  /** The workspace that the page works in; empty for the person's own. A site without workspaces does not have this. */
  workspace?(document: Document): string;
  /** The request that reads this conversation from the site; null when the document lacks what it needs. */
  readingRequest(document: Document, address: PageAddress, cookies: string): ReadingRequest | null;
}
