/**
 * Whether a queued delivery is sent now, waits, or is dropped: pure. A delivery that waits for an event (its browser
 * connects, another delivery of its conversation or slot ends) is decided again at that event; one that waits for a time
 * names it. A reply waits for its browser until its deadline. Renewals and prompts do not: they are dropped when their
 * browser is away or stopped (except for the moment in which it may be reconnecting), or would be ready only after their
 * deadline; the edge or the assistant may ask again.
 */
import type { Platform } from '../../schema/contracts/common.ts';
import type { DeliveryKind } from '../../schema/contracts/renewal.ts';
import { DELIVERY } from '../../schema/defaults.ts';
import type { Slot } from './policy.ts';
import { admission } from './policy.ts';

/** A queued delivery, as far as the decision needs it. */
export interface QueuedDelivery {
  plan_id: string;
  kind: DeliveryKind;
  client_id: string;
  platform: Platform;
  conversation_id: string | null;
  created_at: number;
  /** Not sent before, Unix milliseconds. */
  next_at: number;
  /** Not sent after, Unix milliseconds. */
  deadline_at: number;
}

/** What a decision reads. */
export interface ChoiceView {
  isConnected(clientId: string): boolean;
  /** Until when a disconnected browser counts as reconnecting (Unix milliseconds). */
  reconnectsUntil(clientId: string): number;
  slot(clientId: string, platform: Platform): Slot;
  /** Whether a delivery to that conversation (by `conversationKey`) is in flight. */
  isBusy(conversation: string): boolean;
}

export type Decision =
  | { type: 'send' }
  | { type: 'drop'; reason: string; retryAfterMs: number | null }
  /** `wakeAt`: when to decide again if no event comes before. */
  | { type: 'wait'; reason: string; wakeAt: number };

/** One key per conversation, whichever browser shows it; null for a page that has none yet. */
export function conversationKey(item: Pick<QueuedDelivery, 'platform' | 'conversation_id'>): string | null {
  return item.conversation_id === null ? null : `${item.platform}:${item.conversation_id}`;
}

/** Why nothing is sent. `until`: when the block expires; null: at an event. */
export interface Block {
  reason: string;
  until: number | null;
  /** It will not clear within the wait of a renewal or prompt. */
  permanent: boolean;
  /** Only a person's resume clears it. */
  stopped?: true;
}

/** What blocks a browser and platform as a whole; null when a delivery may start there. */
export function slotBlock(
  { client_id, platform }: Pick<QueuedDelivery, 'client_id' | 'platform'>,
  view: ChoiceView,
  now: number,
): Block | null {
  if (!view.isConnected(client_id)) {
    const until = view.reconnectsUntil(client_id);
    const isReconnecting = until > now;
    return { reason: 'no_active_client', until: isReconnecting ? until : null, permanent: !isReconnecting };
  }
  const admitted = admission(view.slot(client_id, platform), now);
  return admitted.admitted ? null : { ...admitted, permanent: admitted.stopped === true };
}

/** Why a queued delivery is not sent now; null when it may leave. */
export function deliveryBlock(item: QueuedDelivery, view: ChoiceView, now: number): Block | null {
  const block = slotBlock(item, view, now);
  if (block?.permanent) return block;
  if (item.next_at > now) return { reason: 'backoff', until: item.next_at, permanent: false };
  const key = conversationKey(item);
  if (key !== null && view.isBusy(key)) return { reason: 'conversation_busy', until: null, permanent: false };
  return block;
}

function mustDrop(item: QueuedDelivery, block: Block, now: number): boolean {
  if (item.deadline_at <= now) return true;
  if (item.kind === 'reply') return false;
  return block.permanent || (block.until !== null && block.until > item.deadline_at);
}

function retryAfterMs(block: Block, now: number): number | null {
  if (block.stopped) return DELIVERY.stopped_recheck_ms;
  return block.until === null ? null : Math.max(0, block.until - now);
}

/** Decides one queued delivery. Ask for replies first, then by deadline, with a view that knows of each start. */
export function decideDelivery(item: QueuedDelivery, view: ChoiceView, now: number): Decision {
  const found = deliveryBlock(item, view, now);
  if (found === null && item.deadline_at > now) return { type: 'send' };
  const block: Block = found ?? { reason: 'waited_too_long', until: null, permanent: false };
  const { reason } = block;
  if (mustDrop(item, block, now)) return { type: 'drop', reason, retryAfterMs: retryAfterMs(block, now) };
  return { type: 'wait', reason, wakeAt: Math.min(item.deadline_at, block.until ?? item.deadline_at) };
}
