/**
 * Which of the waiting deliveries goes next, and when to look again: pure. Replies come before renewals, then the
 * older one. What waits for its browser, its conversation or a place is passed over and woken by that event; what waits
 * for a time names it.
 */
import type { Platform } from '../../schema/contracts/common.ts';
import type { Slot } from './policy.ts';
import { admission } from './policy.ts';

export const DELIVERY_KINDS = ['reply', 'renewal'] as const;
export type DeliveryKind = (typeof DELIVERY_KINDS)[number];

/** A waiting delivery, as far as the choice needs it. */
export interface Waiting {
  plan_id: string;
  kind: DeliveryKind;
  client_id: string;
  platform: Platform;
  conversation_id: string | null;
  created_at: number;
  /** Not before, Unix milliseconds. */
  next_at: number;
  /** Gives up waiting then, Unix milliseconds. */
  deadline_at: number;
}

export interface ChoiceView {
  isConnected(clientId: string): boolean;
  slot(clientId: string, platform: Platform): Slot;
  /** Whether a delivery is in flight on this host for that conversation, by `conversationKey`. */
  isBusy(conversation: string): boolean;
}

export type Decision =
  | { type: 'send' }
  /** It will not be sent: its time is over, or a renewal would have to wait too long or has no browser. */
  | { type: 'drop'; reason: string; retryAfterMs: number | null }
  /** `wakeAt`: when to look again if nothing happens before. */
  | { type: 'wait'; reason: string; wakeAt: number };

/** The order in which the waiting are asked: replies first, then the older. */
export function byPrecedence(a: Waiting, b: Waiting): number {
  if (a.kind !== b.kind) return a.kind === 'reply' ? -1 : 1;
  return a.created_at - b.created_at || (a.plan_id < b.plan_id ? -1 : 1);
}

/** One name per conversation, whichever browser shows it; null for a page that has none yet. */
export function conversationKey(item: Pick<Waiting, 'platform' | 'conversation_id'>): string | null {
  return item.conversation_id === null ? null : `${item.platform}:${item.conversation_id}`;
}

type Blocked = { reason: string; at: number | null };

function whatBlocks(item: Waiting, view: ChoiceView, now: number): Blocked | null {
  if (!view.isConnected(item.client_id)) return { reason: 'no_active_client', at: null };
  if (item.next_at > now) return { reason: 'backoff', at: item.next_at };
  const key = conversationKey(item);
  if (key !== null && view.isBusy(key)) return { reason: 'conversation_busy', at: null };
  const admitted = admission(view.slot(item.client_id, item.platform), now);
  return admitted.admitted ? null : admitted;
}

function isHopeless(item: Waiting, blocked: Blocked, now: number): boolean {
  if (item.deadline_at <= now) return true;
  if (item.kind === 'reply') return false;
  return blocked.reason === 'no_active_client' || (blocked.at !== null && blocked.at > item.deadline_at);
}

/** What to do with one of the waiting; ask in the order of `byPrecedence`, with a view that knows of each start. */
export function decide(item: Waiting, view: ChoiceView, now: number): Decision {
  const blocked = whatBlocks(item, view, now);
  if (blocked === null && item.deadline_at > now) return { type: 'send' };
  const why: Blocked = blocked ?? { reason: 'waited_too_long', at: null };
  if (isHopeless(item, why, now)) {
    return { type: 'drop', reason: why.reason, retryAfterMs: why.at === null ? null : Math.max(0, why.at - now) };
  }
  return { type: 'wait', reason: why.reason, wakeAt: Math.min(item.deadline_at, why.at ?? item.deadline_at) };
}
