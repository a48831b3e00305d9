/**
 * Messages between the background page and the content scripts and pages of the extension. Each has a fixed result. The
 * side that handles a message checks who sent it: a message from a page counts for the tab that it came from only.
 */
import type { Capture } from '../schema/contracts/instructions.ts';
import type { PageAddress } from './sites/facts.ts';
import type { Obstacle, PageLogin } from './sites/page.ts';

/** What a tab shows now. */
export interface PageLook {
  url: string;
  title: string;
  address: PageAddress;
  /** The conversation that the document shows by itself; null when it does not say. */
  shownConversation: string | null;
  isVisible: boolean;
  /**
   * `loading` until the document is complete and its composer, or a reason for its absence, is there. `draft`: it holds a
   * text or an attachment.
   */
  composer: 'loading' | 'missing' | 'empty' | 'draft' | 'busy';
  /** How long ago the person used the keyboard in this page, but for what they have sent; null: not since it was loaded. */
  typedAgoMs: number | null;
  isAnswering: boolean;
  /** By marks of the page itself, the newest message is an answer that is over: it was finished, or stopped. */
  isOver: boolean;
  obstacle: Obstacle | null;
  login: PageLogin | null;
  /** The workspace that the page works in; absent on a site without workspaces. */
  workspace?: string | undefined;
  /** Selectors that matched other than the most trusted one. */
  drift: readonly string[];
  /** The newest message of the assistant that the page shows. */
  lastAnswer: { id: string | null; isFinished: boolean; chars: number } | null;
}

/** Why nothing was sent. */
export type ComposeRefusal =
  | 'other_conversation'
  | 'composer_missing'
  | 'composer_busy'
  | 'draft_in_composer'
  | 'person_is_typing'
  | 'answer_is_streaming'
  | 'obstacle'
  | 'text_changed_by_editor'
  | 'became_attachment'
  | 'send_button_missing'
  | 'not_composed'
  | 'canceled'
  | 'timeout';

export interface ComposeOrder {
  planId: string;
  text: string;
  /** The conversation that must be open and shown; null: a page that starts a new one. */
  conversationId: string | null;
  timeoutMs: number;
}

export type ComposeOutcome =
  /** The editor shows exactly the text, and waits for `press`. `detail`: the way of typing and the selectors that matched. */
  | { typed: true; detail: Record<string, string> }
  | { typed: false; refusal: ComposeRefusal; detail: Record<string, string>; look: PageLook };

export interface PressOrder {
  planId: string;
  timeoutMs: number;
}

export type PressOutcome =
  | { pressed: true; detail: Record<string, string> }
  /** The button was certainly not pressed. */
  | { pressed: false; refusal: ComposeRefusal; detail: Record<string, string>; look: PageLook };

/** `text` is given so that a page that was reloaded still knows its own text, which a site may have restored as a draft. */
export interface WithdrawOrder {
  planId: string;
  text: string;
}

/** `wasThere`: the composer held exactly the text. `isCleared`: it is empty now. */
export interface WithdrawOutcome {
  wasThere: boolean;
  isCleared: boolean;
}

/** A reading of the conversation by the content script: the site's response, or the page's view, or neither. */
export type ReadOutcome =
  | { kind: 'response'; status: number; contentType: string; isChallenge: boolean; body: string }
  | { kind: 'failed'; reason: string };

export interface PageView {
  conversationId: string | null;
  messages: { role: 'user' | 'assistant'; id: string | null; text: string; isFinished: boolean }[];
}

export interface ShowOrder {
  conversationId: string;
  /** Ids by which the answer is known. */
  answerIds: readonly string[];
  /** The message of the person that it answers. */
  questionId: string | null;
  /** When the question was sent, Unix milliseconds. */
  since: number;
}

/** The answer that the page shows as final: the text of its `baa` blocks as Markdown, and no other text. */
export type ShownAnswer = { isFinal: true; messageId: string; text: string } | { isFinal: false; reason: string };

/** The second opinion on a captured message. */
export type Opinion = Capture['other'];
/** `nameless`: it names none of its messages, so that it can have no opinion on one. */
export type PageOpinion = Opinion | 'nameless';

export interface OpinionOrder {
  messageId: string;
  /** The message of the person that it answers: some pages name an answer by that only. */
  answersId?: string | null;
  blocks: readonly string[];
  timeoutMs: number;
  /** In place of `timeoutMs` while the page still draws the answer. */
  drawingMs: number;
}

/** Background page → content script of one tab. */
export interface PageCalls {
  look: { order: object; result: PageLook };
  /** Types a message and compares what the editor shows. It is sent by `press`, so that the press can be stored before. */
  compose: { order: ComposeOrder; result: ComposeOutcome };
  /** Presses send for what `compose` typed; nothing is pressed unless the editor still shows exactly the text. */
  press: { order: PressOrder; result: PressOutcome };
  /** Ends `compose` and `press`, and clears the composer when it holds exactly this text. */
  withdraw: { order: WithdrawOrder; result: WithdrawOutcome };
  /** Reads the conversation from the site, under the page's own session. */
  read: { order: { conversationId: string; timeoutMs: number }; result: ReadOutcome };
  /** What the page itself shows of it. */
  view: { order: object; result: PageView };
  /** The final answer as the page shows it, when the conversation cannot be read. */
  show: { order: ShowOrder; result: ShownAnswer };
  /** Compares the `baa` blocks of a message with those that the page shows, waiting until it has rendered them. */
  opinion: { order: OpinionOrder; result: PageOpinion };
  /** The answer to this message of the page is final: the keys that wrote it count no more. */
  answered: { order: { text: string }; result: true };
}

export type PageCallName = keyof PageCalls;
export type PageCall = {
  [Name in PageCallName]: { to: 'page'; call: Name; order: PageCalls[Name]['order'] };
}[PageCallName];

/** Content script → background page. */
export type PageNotice =
  /** The page has changed in something that `PageLook` shows; at most four a second. */
  { to: 'background'; notice: 'page_changed'; look: PageLook };
