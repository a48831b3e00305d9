/**
 * Replies to instructions: when one is tried again, and how its end is told. A reply that certainly was not taken is
 * tried again until ten minutes have passed; one that may have been sent is never sent twice.
 */
import { z } from 'zod';
import type { Platform } from '../../schema/contracts/common.ts';
import type { TargetPayload } from '../../schema/contracts/conversations.ts';
import type { REPLY_OUTCOMES } from '../../schema/contracts/instructions.ts';
import { DELIVERY, INSTRUCTION } from '../../schema/defaults.ts';
import type { ResponseHandler } from '../edge/response-handlers.ts';
import type { Store } from '../store/store.ts';
import { conversationStream } from '../store/streams.ts';
import type { DeliveryRow } from './deliveries.ts';
import type { Ended } from './outcome.ts';
import { backoffMs } from './policy.ts';

/** One reply into the conversation that its message came from. */
export interface Reply {
  /** `reply:<message_id>`: one reply a message. */
  plan_id: string;
  /** The message. */
  subject_id: string;
  platform: Platform;
  client_id: string;
  conversation_id: string | null;
  target: TargetPayload;
  message_text: string;
  assistant_message_id: string | null;
  timeout_ms: number;
}

export interface ReplyQueue {
  /** Queues one reply inside the caller's transaction; a plan that is known already is left as it is. */
  enqueue(reply: Reply): void;
}

type ReplyOutcome = (typeof REPLY_OUTCOMES)[number];
export type AfterReply =
  | { type: 'again'; attempt: number; nextAt: number; deadlineAt: number }
  | { type: 'end'; outcome: ReplyOutcome };

/** The platform knows who is asking and refuses: nothing changes by asking again. */
const FINAL_STATUSES: readonly number[] = [401, 403];

/** What follows a reply's attempt: pure. `chance` in [0, 1). */
export function afterReply(
  row: Pick<DeliveryRow, 'attempt' | 'created_at'>,
  { result, refused }: Ended,
  now: number,
  chance: number,
): AfterReply {
  if (result.outcome === 'delivered' || result.outcome === 'uncertain') return { type: 'end', outcome: result.outcome };
  const deadlineAt = row.created_at + INSTRUCTION.reply_give_up_ms;
  if (result.outcome === 'deferred') {
    const nextAt = now + (result.retry_after_ms ?? DELIVERY.retry_base_ms);
    if (nextAt >= deadlineAt) return { type: 'end', outcome: 'given_up' };
    // Nothing was sent, so the attempt is given back.
    return { type: 'again', attempt: Math.max(0, row.attempt - 1), nextAt, deadlineAt };
  }
  const final = FINAL_STATUSES.includes(result.http_status ?? 0) || row.attempt >= DELIVERY.reply_max_attempts;
  if (!refused && final) return { type: 'end', outcome: 'failed' };
  const nextAt = now + Math.max(result.retry_after_ms ?? 0, backoffMs(Math.max(1, row.attempt), chance));
  if (nextAt >= deadlineAt) return { type: 'end', outcome: 'given_up' };
  return { type: 'again', attempt: row.attempt, nextAt, deadlineAt };
}

const REPLY_KIND = 'reply';

/** Queues a reply's outcome for the edge; call it in the transaction that stores it. */
export function reportReply(
  store: Pick<Store, 'outbox'>,
  nodeId: string,
  row: Pick<DeliveryRow, 'subject_id' | 'platform' | 'conversation_id' | 'attempt'>,
  outcome: ReplyOutcome,
  reason: string | null,
): void {
  store.outbox.append({
    stream: conversationStream({
      platform: row.platform,
      remote_conversation_id: row.conversation_id ?? row.subject_id,
    }),
    kind: REPLY_KIND,
    method: 'POST',
    path: `/v1/messages/${row.subject_id}/reply`,
    body: { controller_id: nodeId, outcome, reason, attempt: Math.max(1, row.attempt) },
    context: {},
  });
}

/** Nothing follows from the edge's answer to a reply's outcome. */
export const replyResponses: Record<typeof REPLY_KIND, ResponseHandler> = {
  [REPLY_KIND]: { schema: z.unknown(), answered: () => undefined },
};
