/**
 * Whether a waiting delivery goes now, and when to look again: pure. What waits for its browser, its conversation or a
 * place is passed over and woken by that event; what waits for a time names it. A renewal does not wait for a browser
 * that is away (but for a moment when it may be reconnecting) or stopped, nor for longer than its time: the edge tries
 * it again.
 */
import type { Platform } from '../../schema/contracts/common.ts';
import { DELIVERY } from '../../schema/defaults.ts';
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
  /** Until when one that is away may just be reconnecting (Unix milliseconds). */
  backBy(clientId: string): number;
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

/** One name per conversation, whichever browser shows it; null for a page that has none yet. */
export function conversationKey(item: Pick<Waiting, 'platform' | 'conversation_id'>): string | null {
  return item.conversation_id === null ? null : `${item.platform}:${item.conversation_id}`;
}

/** `at`: when it ends by itself. `forever`: not while a renewal waits. */
export interface Blocked {
  reason: string;
  at: number | null;
  forever: boolean;
  /** Only a person ends it. */
  stopped?: true;
}

/** What blocks a browser and platform as a whole; null when a delivery may start there. */
export function slotBlock(
  { client_id, platform }: Pick<Waiting, 'client_id' | 'platform'>,
  view: ChoiceView,
  now: number,
): Blocked | null {
  if (!view.isConnected(client_id)) {
    const backBy = view.backBy(client_id);
    const isReconnecting = backBy > now;
    return { reason: 'no_active_client', at: isReconnecting ? backBy : null, forever: !isReconnecting };
  }
  const admitted = admission(view.slot(client_id, platform), now);
  return admitted.admitted ? null : { ...admitted, forever: admitted.stopped === true };
}

function whatBlocks(item: Waiting, view: ChoiceView, now: number): Blocked | null {
  const slot = slotBlock(item, view, now);
  if (slot?.forever) return slot;
  if (item.next_at > now) return { reason: 'backoff', at: item.next_at, forever: false };
  const key = conversationKey(item);
  if (key !== null && view.isBusy(key)) return { reason: 'conversation_busy', at: null, forever: false };
  return slot;
}

function isHopeless(item: Waiting, blocked: Blocked, now: number): boolean {
  if (item.deadline_at <= now) return true;
  if (item.kind === 'reply') return false;
  return blocked.forever || (blocked.at !== null && blocked.at > item.deadline_at);
}

function retryAfter(blocked: Blocked, now: number): number | null {
  if (blocked.stopped) return DELIVERY.stopped_recheck_ms;
  return blocked.at === null ? null : Math.max(0, blocked.at - now);
}

/** What to do with one of the waiting; ask replies first, then the older, with a view that knows of each start. */
export function decide(item: Waiting, view: ChoiceView, now: number): Decision {
  const blocked = whatBlocks(item, view, now);
  if (blocked === null && item.deadline_at > now) return { type: 'send' };
  const why: Blocked = blocked ?? { reason: 'waited_too_long', at: null, forever: false };
  if (isHopeless(item, why, now)) return { type: 'drop', reason: why.reason, retryAfterMs: retryAfter(why, now) };
  return { type: 'wait', reason: why.reason, wakeAt: Math.min(item.deadline_at, why.at ?? item.deadline_at) };
}
