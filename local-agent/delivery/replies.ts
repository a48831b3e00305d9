/**
 * Replies to instructions: when one is tried again, and how its end is reported. A reply that certainly was not taken is
 * tried again until ten minutes have passed; one that may have been sent never leaves under another plan. When no result
 * of it has come, its browser is given the same plan again, which it never sends twice: it gives the result that it has
 * stored, or begins a plan that never reached it. When the browser does not know what became of it, the conversation is
 * searched, which may prove that it was sent, and never that it was not.
 */
import { z } from 'zod';
import type { REPLY_OUTCOMES } from '../../schema/contracts/instructions.ts';
import { DELIVERY, INSTRUCTION } from '../../schema/defaults.ts';
import { isSignedOutStatus } from '../../schema/domain/client-stops.ts';
import { retryDelayMs } from '../../schema/domain/retry.ts';
import type { ResponseHandler } from '../edge/response-handlers.ts';
import type { Store } from '../store/store.ts';
import { conversationStream } from '../store/streams.ts';
import type { DeliveryRow } from './deliveries.ts';
import type { AttemptEnd } from './outcome.ts';
import { DELIVERY_BACKOFF } from './policy.ts';

/** The extension's reason while it cannot read the plans that it has sent. */
const PLANS_NOT_READ = 'storage_not_available';

type ReplyOutcome = (typeof REPLY_OUTCOMES)[number];
export type AfterAttempt =
  | { type: 'again'; attempt: number; next_at: number; deadline_at: number }
  | { type: 'search' }
  | { type: 'end'; outcome: ReplyOutcome };

/** Whether the plan of the last attempt may have been sent. It stays so until its browser, or a search, has said. */
export function mayBeSent({ kind, result }: Pick<DeliveryRow, 'kind' | 'result'>): boolean {
  return kind === 'reply' && result?.outcome === 'uncertain';
}

/** A browser that cannot read its plans does not know whether it has sent this one: what was uncertain before stays so. */
export function knownOfReply(row: Pick<DeliveryRow, 'kind' | 'result'>, end: AttemptEnd): AttemptEnd {
  const { result: before } = row;
  if (before === null || !mayBeSent(row) || end.result.reason !== PLANS_NOT_READ) return end;
  return { ...end, result: { ...before, retry_after_ms: end.result.retry_after_ms ?? null }, saidBy: 'none' };
}

/** What follows an attempt of a reply: pure. `chance` in [0, 1). */
export function afterReplyAttempt(
  row: Pick<DeliveryRow, 'attempt' | 'created_at'>,
  { result, refused, saidBy }: AttemptEnd,
  now: number,
  chance: number,
): AfterAttempt {
  const { outcome } = result;
  if (outcome === 'delivered' || (outcome === 'uncertain' && saidBy === 'search')) return { type: 'end', outcome };
  const deadline_at = row.created_at + INSTRUCTION.reply_give_up_ms;
  if (outcome === 'uncertain') {
    if (saidBy === 'browser' || now >= deadline_at) return { type: 'search' };
    // The same attempt, and so the same plan.
    const next_at = now + (result.retry_after_ms ?? 0);
    return { type: 'again', attempt: Math.max(0, row.attempt - 1), next_at, deadline_at };
  }
  if (outcome === 'deferred') {
    const next_at = now + (result.retry_after_ms ?? DELIVERY.retry_base_ms);
    if (next_at >= deadline_at) return { type: 'end', outcome: 'given_up' };
    // Nothing was sent, so the attempt does not count.
    return { type: 'again', attempt: Math.max(0, row.attempt - 1), next_at, deadline_at };
  }
  const isLast = isSignedOutStatus(result.http_status) || row.attempt >= DELIVERY.reply_max_attempts;
  if (!refused && isLast) return { type: 'end', outcome: 'failed' };
  const backoffMs = retryDelayMs(Math.max(1, row.attempt), DELIVERY_BACKOFF, chance);
  const next_at = now + Math.max(result.retry_after_ms ?? 0, backoffMs);
  if (next_at >= deadline_at) return { type: 'end', outcome: 'given_up' };
  return { type: 'again', attempt: row.attempt, next_at, deadline_at };
}

const REPLY_KIND = 'reply';

/** Queues a reply's outcome for the edge, inside the transaction that stores it. */
export function reportReply(
  store: Pick<Store, 'outbox'>,
  nodeId: string,
  row: Pick<DeliveryRow, 'subject_id' | 'platform' | 'conversation_id' | 'attempt'>,
  outcome: ReplyOutcome,
  reason: string | null,
): void {
  const { subject_id: messageId, platform, conversation_id, attempt } = row;
  store.outbox.append({
    stream: conversationStream({ platform, remote_conversation_id: conversation_id ?? messageId }),
    kind: REPLY_KIND,
    method: 'POST',
    path: `/v1/messages/${messageId}/reply`,
    body: { controller_id: nodeId, outcome, reason, attempt: Math.max(1, attempt) },
    context: {},
  });
}

/** The edge's response to a reply's outcome leads to nothing. */
export const replyResponses: Record<typeof REPLY_KIND, ResponseHandler> = {
  [REPLY_KIND]: { schema: z.unknown(), onResponse: () => undefined },
};
