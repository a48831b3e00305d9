/** What a test says about the next answers and the account of the fake ChatGPT. */
import type { Gate, Pace } from '../streaming.ts';

/** A message of the assistant's turn before its answer. None of them is an answer. */
export interface Aside {
  kind: 'thoughts' | 'recap' | 'tool_call' | 'tool_output' | 'commentary';
  text: string;
}

/** A response instead of the one that was due. */
export interface Refused {
  /** `sentinel` and `prepare` come before the send. */
  at: 'sentinel' | 'prepare' | 'send' | 'read' | 'session';
  status: number;
  /** JSON; a string is sent as HTML. */
  body: object | string;
  headers?: Record<string, string>;
}

export interface Turn {
  text: string;
  asides?: readonly Aside[];
  /** `handoff`: the answer follows on a WebSocket. `cumulative`: the older frames. */
  transport?: 'delta' | 'cumulative' | 'handoff';
  finish?: 'stop' | 'max_tokens' | 'interrupted';
  /** Two answers between which the person chooses. */
  isChoice?: boolean;
  /** `complete`: both marks of the end. `done`: `[DONE]` only. `missing`: neither. `cut`: the connection breaks. */
  end?: 'complete' | 'done' | 'missing' | 'cut';
  /** An error in a frame, in place of the answer. */
  failure?: string;
  pace?: Pace;
  /** Waits here before the response begins. */
  hold?: Gate;
  /** Waits here when half of the answer has been sent. */
  half?: Gate;
}

export interface ChatgptControl {
  renderer: 'legacy' | 'app-shell';
  isSignedIn: boolean;
  userId: string;
  /** The labels of buttons. */
  language: 'en' | 'zh' | 'eo';
  /** The next turns, first one first; after them each answer is a short text without a block. */
  turns: Turn[];
  refusals: Refused[];
  /** A new conversation is shown at `/c/WEB:<uuid>` for this long. */
  provisionalMs: number | null;
  /** Whether a running turn can be resumed; without it the page waits for the end and loads the conversation. */
  isResumable: boolean;
  /** Which endpoint reads conversations; the other one is gone. */
  reading: 'list' | 'tree';
  /** Long code in the app shell is drawn by CodeMirror, which draws only what is visible. */
  hasCodeEditor: boolean;
  /** A paste of more characters becomes an attachment. */
  attachmentAbove: number;
  /** The page shows only the newest messages. */
  shownMessages: number;
  /** The page ends its request when the mark of completeness has come. */
  endsRequestEarly: boolean;
  /** What the page shows beside the conversation. */
  notice: 'none' | 'limit' | 'tool_question' | 'error' | 'dialog';
  /** Every page is a security check. */
  isChallenged: boolean;
}

export function defaultControl(): ChatgptControl {
  return {
    renderer: 'legacy',
    isSignedIn: true,
    userId: 'user-fake0001',
    language: 'en',
    turns: [],
    refusals: [],
    provisionalMs: null,
    isResumable: true,
    reading: 'list',
    hasCodeEditor: false,
    attachmentAbove: 10_000,
    shownMessages: 100,
    endsRequestEarly: false,
    notice: 'none',
    isChallenged: false,
  };
}
