/** What one delivery knows, what can happen to it, and what follows. machine.ts moves it. */
import type { ComposeOutcome, PageLook, PressOutcome, WithdrawOutcome } from '../../messages.ts';
import type { TrafficEvent } from '../traffic.ts';
import type { End } from './end.ts';
import type { Evidence } from './evidence.ts';

export interface Order {
  planId: string;
  /** Null: a page that starts a conversation. */
  conversationId: string | null;
  text: string;
  /** The account that it must be; null: any. */
  account: string | null;
  timeoutMs: number;
}

/** Unix milliseconds. */
interface Times {
  /** Until then the page may load the messages of its conversation. */
  loadedBy: number;
  /** The page must be ready. */
  readyBy: number;
  /** The button must be pressed. */
  pressBy: number;
  endBy: number;
}

export const STEPS = [
  'storing_start',
  'finding_tab',
  'looking',
  'identifying',
  'composing',
  'storing_press',
  'pressing',
  'watching',
  'checking',
  'confirming',
  'withdrawing',
  'ended',
] as const;
export type Step = (typeof STEPS)[number];

export interface Delivery {
  step: Step;
  order: Order;
  startedAt: number;
  times: Times;
  tabId: number | null;
  /** What the page is not yet. */
  waitingFor: string;
  /** The conversation was proven by its messages, where the document does not name it. */
  isIdentified: boolean;
  evidence: Evidence | null;
  /** The end, once it is decided. */
  end: End | null;
  /** Ids and texts that the page's own request named. */
  found: { userMessageId: string | null; conversationId: string | null };
  /** When to send `time`; null: not. */
  wakeAt: number | null;
}

export type DeliveryEvent =
  | { type: 'stored' }
  | { type: 'tab_found'; tabId: number }
  | { type: 'no_tab'; end: End }
  | { type: 'looked'; look: PageLook; account: string | null }
  /** The page did not respond: it is loading, or was closed. */
  | { type: 'not_looked'; isTabGone: boolean }
  | { type: 'identified'; as: 'same' | 'other' | 'unknown' }
  | { type: 'composed'; outcome: ComposeOutcome }
  | { type: 'pressed'; outcome: PressOutcome }
  /** The page is gone, so that its result will not come. */
  | { type: 'call_lost' }
  | { type: 'withdrawn'; outcome: WithdrawOutcome | null }
  | { type: 'confirmed'; isSeen: boolean }
  | { type: 'traffic'; event: TrafficEvent }
  /** The agent asks to stop, or its connection is gone. */
  | { type: 'canceled'; reason: string }
  | { type: 'time' };

export type DeliveryEffect =
  | { type: 'store'; stage: 'started' | 'pressed' }
  | { type: 'find_tab' }
  | { type: 'look' }
  /** Compares the messages of the page with those of the conversation. */
  | { type: 'identify' }
  | { type: 'compose'; timeoutMs: number }
  | { type: 'press'; timeoutMs: number }
  | { type: 'withdraw' }
  /** Looks whether the page shows the message. */
  | { type: 'confirm' }
  /** Stores the end and sends it. */
  | { type: 'end'; end: End };

export interface Moved {
  next: Delivery;
  effects: DeliveryEffect[];
}

/** What is left for the result to reach the agent before its deadline. */
const RESULT_MS = 1_500;
/** How long storage may take. */
export const STORE_MS = 2_000;

export function beginDelivery(order: Order, now: number): Moved {
  const { timeoutMs } = order;
  const endBy = now + Math.max(timeoutMs * 0.5, timeoutMs - RESULT_MS);
  const times = {
    loadedBy: now + timeoutMs * 0.2,
    readyBy: now + timeoutMs * 0.5,
    pressBy: now + timeoutMs * 0.65,
    endBy,
  };
  const next: Delivery = {
    step: 'storing_start',
    order,
    startedAt: now,
    times,
    tabId: null,
    waitingFor: 'page_not_ready',
    isIdentified: false,
    evidence: null,
    end: null,
    found: { userMessageId: null, conversationId: null },
    wakeAt: now + STORE_MS,
  };
  return { next, effects: [{ type: 'store', stage: 'started' }] };
}
