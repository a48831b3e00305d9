/**
 * A question of a person in a conversation: which state may follow which (drawn in docs/state-machines.md), what becomes
 * of it when it is sent, when its delivery ends, when time passes, and which message of the assistant is its answer. Nothing
 * that may have left is ever sent again: where that is not known, the state says so.
 */
import type { ANSWER_EVIDENCE, AskState } from '../contracts/asks.ts';
import type { DeliveryResult } from '../contracts/renewal.ts';
import { ASK } from '../defaults.ts';
import { stateMachine } from './state-machine.ts';

export const ASK_TRANSITIONS = {
  queued: ['queued', 'sent', 'ambiguous', 'answered', 'failed'],
  sent: ['sent', 'queued', 'ambiguous', 'answered', 'failed'],
  ambiguous: ['answered'],
  answered: [],
  failed: [],
} as const satisfies Record<AskState, readonly AskState[]>;

const moveAsk = stateMachine<AskState>('ask', ASK_TRANSITIONS).move;

/** What decisions change of an ask. Times in Unix milliseconds. */
export interface AskProgress {
  state: AskState;
  /** What it waits for, or why it ended so. */
  reason: string | null;
  /** Of its plan; a new one only after the one before has certainly sent nothing. */
  attempt_count: number;
  /** The node that has the plan of this attempt; null: any may be chosen. */
  controller_id: string | null;
  due_at: number | null;
  deadline_at: number | null;
  created_at: number;
  sent_at: number | null;
  delivered_at: number | null;
  finished_at: number | null;
  answer_message_id: string | null;
  answer_evidence: (typeof ANSWER_EVIDENCE)[number] | null;
}

/** It has the conversation: nothing else is sent into it by the system. */
export function isOpenAsk({ state }: Pick<AskProgress, 'state'>): boolean {
  return state === 'queued' || state === 'sent';
}

export function newAsk(now: number): AskProgress {
  return {
    state: 'queued',
    reason: null,
    attempt_count: 0,
    controller_id: null,
    due_at: now,
    deadline_at: now + ASK.send_within_ms,
    created_at: now,
    sent_at: null,
    delivered_at: null,
    finished_at: null,
    answer_message_id: null,
    answer_evidence: null,
  };
}

const PLAN_PREFIX = 'ask:';

/** The plan of an attempt, by which browsers and nodes send a message once. */
export function askPlanId(operationId: string, attempt: number): string {
  return `${PLAN_PREFIX}${operationId}.${attempt}`;
}

/** The operation of such a plan; null for a plan of anything else. */
export function operationOf(planId: string): string | null {
  const found = /^ask:(.+)\.\d+$/.exec(planId);
  return found?.[1] ?? null;
}

/**
 * It waits for what `reason` names, and ends when that takes too long: as `failed` when nothing of it can have left, and as
 * `ambiguous` when a node may have its plan without having said so.
 */
export function deferAsk<A extends AskProgress>(ask: A, reason: string, now: number, retryAfterMs = 0): A {
  const deadline_at = ask.created_at + ASK.send_within_ms;
  if (now >= deadline_at) return endAsk(ask, ask.controller_id === null ? 'failed' : 'ambiguous', reason, now);
  const due_at = Math.min(deadline_at, now + Math.max(ASK.recheck_ms, retryAfterMs));
  return { ...ask, state: moveAsk(ask.state, 'queued'), reason, due_at, deadline_at, sent_at: null };
}

/** It is handed to that node. */
export function sendAsk<A extends AskProgress>(ask: A, controller_id: string, now: number): A {
  const isSamePlan = ask.controller_id === controller_id;
  return {
    ...ask,
    state: moveAsk(ask.state, 'sent'),
    reason: 'being_delivered',
    attempt_count: ask.attempt_count + (isSamePlan ? 0 : 1),
    controller_id,
    sent_at: now,
    due_at: now + ASK.outcome_within_ms,
    deadline_at: now + ASK.outcome_within_ms,
  };
}

type DeliveryEnd = Pick<DeliveryResult, 'outcome' | 'reason' | 'retry_after_ms'>;

/**
 * What the node reports of the delivery; the same object when that changes nothing. It may come for one that is `queued`
 * again, because its node was thought not to have it.
 */
export function endAskDelivery<A extends AskProgress>(ask: A, end: DeliveryEnd, now: number): A {
  const { outcome, retry_after_ms } = end;
  const reason = end.reason ?? outcome;
  if (ask.delivered_at !== null) return ask;
  if (!isOpenAsk(ask)) {
    return ask.state === 'ambiguous' && outcome === 'delivered' ? { ...ask, delivered_at: now } : ask;
  }
  switch (outcome) {
    case 'delivered': {
      const until = now + ASK.answer_within_ms;
      const waits = { reason: 'waiting_for_answer', due_at: until, deadline_at: until };
      return { ...ask, ...waits, state: moveAsk(ask.state, 'sent'), sent_at: ask.sent_at ?? now, delivered_at: now };
    }
    case 'uncertain':
      return endAsk(ask, 'ambiguous', reason, now);
    case 'deferred':
      return deferAsk({ ...ask, controller_id: null }, reason, now, retry_after_ms ?? 0);
    case 'failed':
      // The browser has gone: another one may be there, or come back.
      if (reason === 'no_active_client') return deferAsk({ ...ask, controller_id: null }, reason, now);
      return endAsk(ask, 'failed', reason, now);
    default:
      return outcome satisfies never;
  }
}

/** No outcome, or no answer, came in time. A command that its node never received may go to the same node again. */
export function overdueAsk<A extends AskProgress>(ask: A, isReceived: boolean, now: number): A {
  if (ask.delivered_at !== null) return endAsk(ask, 'ambiguous', 'no_answer', now);
  return isReceived ? endAsk(ask, 'ambiguous', 'no_outcome', now) : deferAsk(ask, 'not_received', now);
}

/** A message that has come in the conversation. */
export interface SeenInConversation {
  message_id: string;
  role: 'assistant' | 'other';
  is_new: boolean;
  /** The plan whose message it answers; null: that of a message which no plan sent. Undefined: the browser does not say. */
  answers_plan_id: string | null | undefined;
  /** The two readings of the page disagree on its text. */
  differs: boolean;
  /** By the clock of the edge. */
  observed_at: number;
  /** The system has sent something else into the conversation since the question left. */
  other_sent: boolean;
}

/** What that message makes of an ask; the same object when it is not about it. */
export function matchAnswer<A extends AskProgress>(
  ask: A,
  operationId: string,
  seen: SeenInConversation,
  now: number,
): A {
  const { answers_plan_id: planId } = seen;
  if (typeof planId === 'string' && operationOf(planId) === operationId) return namedAnswer(ask, seen, now);
  const isLater = ask.delivered_at !== null && seen.is_new && seen.observed_at >= ask.delivered_at;
  // An answer to another delivery says nothing: the one to this message may still come.
  if (ask.state !== 'sent' || !isLater || typeof planId === 'string') return ask;
  if (seen.role !== 'assistant' || planId === null || seen.other_sent) {
    return endAsk(ask, 'ambiguous', 'another_message_came_between', now);
  }
  return seen.differs ? endAsk(ask, 'ambiguous', 'capture_mismatch', now) : answerWith(ask, seen, 'next', now);
}

function namedAnswer<A extends AskProgress>(ask: A, seen: SeenInConversation, now: number): A {
  if (!isOpenAsk(ask) && ask.state !== 'ambiguous') return ask;
  if (!seen.differs) return answerWith(ask, seen, 'named', now);
  return isOpenAsk(ask) ? endAsk(ask, 'ambiguous', 'capture_mismatch', now) : ask;
}

function answerWith<A extends AskProgress>(
  ask: A,
  { message_id }: SeenInConversation,
  answer_evidence: NonNullable<AskProgress['answer_evidence']>,
  now: number,
): A {
  const answered = endAsk(ask, 'answered', null, now);
  return { ...answered, delivered_at: ask.delivered_at ?? now, answer_message_id: message_id, answer_evidence };
}

/** It is over for the conversation: `ambiguous` can only become `answered`. */
export function endAsk<A extends AskProgress>(
  ask: A,
  state: Extract<AskState, 'ambiguous' | 'answered' | 'failed'>,
  reason: string | null,
  now: number,
): A {
  return { ...ask, state: moveAsk(ask.state, state), reason, due_at: null, deadline_at: null, finished_at: now };
}
