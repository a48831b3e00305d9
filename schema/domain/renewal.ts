/**
 * Renewal: what a due job does, and what the outcome of a delivery makes of it. A job is
 * attempted at most `max_attempts` times and always ends; an outcome of another attempt than the one under way changes
 * nothing; what may have been delivered is asked for, never sent again blindly.
 */
import type { StopReason } from '../contracts/clients.ts';
import type { AutomationStatus, Link, PauseReason } from '../contracts/conversations.ts';
import type { DeliveryResult, RenewalJob } from '../contracts/renewal.ts';
import { DELIVERY, RENEWAL, TIMED_JOBS } from '../defaults.ts';
import { asStopReason, stopReasonOf } from './client-stops.ts';
import { isDeliverable } from './links.ts';
import type { Hold } from './renewal-limits.ts';
import type { PayloadText } from './renewal-payload.ts';
import { RENEWAL_BACKOFF, retryDelayMs } from './retry.ts';

export type LinkTarget = Pick<Link, 'target_kind' | 'target_id' | 'target_payload'>;

/** The parts of a job that decisions change. */
export type JobState = Pick<
  RenewalJob,
  | 'status'
  | 'attempt_count'
  | 'max_attempts'
  | 'next_attempt_at'
  | 'deadline_at'
  | 'last_attempt_at'
  | 'last_error'
  | 'started_at'
  | 'finished_at'
>;

export type JobStage =
  | 'job_attempt_started'
  | 'job_completed'
  | 'job_retry_scheduled'
  | 'job_deferred'
  | 'job_failed'
  | 'job_canceled';

export interface JobStep {
  next: JobState;
  stage: JobStage;
  result: string;
}

/** Why nothing can be sent by a link now: its client is stopped, or nobody hears of its node. */
export type LinkUnusable = StopReason | 'node_unreachable';

export interface DispatchFacts {
  conversation: { automation_status: AutomationStatus } | null;
  /** Whether its message is still the conversation's newest. */
  newest: boolean;
  /** Why the conversation goes in circles and has to be paused. */
  breaker: PauseReason | null;
  hold: Hold | null;
  link: LinkTarget | null;
  unusable: LinkUnusable | null;
  payload: PayloadText;
  interval_ms: number;
  now: number;
  random: number;
}

/** What a due job does now: it is sent (`send` is the text), or it ends, waits, or counts an attempt. */
export interface Dispatched {
  send: string | null;
  step: JobStep;
  /** The conversation is paused with that reason, in the same write. */
  pauses: PauseReason | null;
}

export function decideDispatch(job: JobState, facts: DispatchFacts): Dispatched {
  const { conversation, breaker, hold, now } = facts;
  const recheckAt = now + Math.max(TIMED_JOBS.recheck_min_ms, facts.interval_ms);
  if (conversation === null) return unsent(failed(attempted(job, now), 'missing_local_conversation', now));
  if (conversation.automation_status !== 'auto')
    return unsent(deferred(job, `automation_${conversation.automation_status}`, recheckAt));
  if (!facts.newest) return unsent(canceled(job, 'superseded', now));
  if (breaker !== null) return { ...unsent(deferred(job, breaker, recheckAt)), pauses: breaker };
  if (hold !== null) return unsent(deferred(job, hold.reason, hold.until ?? now + RENEWAL.held_recheck_ms));
  return decideTarget(job, facts);
}

function decideTarget(job: JobState, facts: DispatchFacts): Dispatched {
  const { link, unusable, payload, now } = facts;
  if (link === null) return unsent(transient(attempted(job, now), 'missing_active_link', facts));
  if (!isDeliverable(link)) return unsent(transient(attempted(job, now), 'route_unavailable', facts));
  if (unusable !== null) return unsent(deferred(job, unusable, now + DELIVERY.stopped_recheck_ms));
  if ('error' in payload) return unsent(failed(attempted(job, now), payload.error, now));
  return { send: payload.text, step: sent(attempted(job, now), now), pauses: null };
}

function unsent(step: JobStep): Dispatched {
  return { send: null, step, pauses: null };
}

function attempted(job: JobState, now: number): JobState {
  return { ...job, attempt_count: job.attempt_count + 1, last_attempt_at: now, started_at: job.started_at ?? now };
}

function sent(job: JobState, now: number): JobStep {
  const next = { ...job, status: 'running' as const, next_attempt_at: null, deadline_at: now + DEADLINE_MS };
  return { next, stage: 'job_attempt_started', result: 'attempt_started' };
}

/** How long the edge waits for the outcome of a delivery, or for the answer to a question about it. */
export const DEADLINE_MS = RENEWAL.delivery_timeout_ms + RENEWAL.deadline_slack_ms;

function failed(job: JobState, reason: string, now: number): JobStep {
  return ended(job, 'failed', 'job_failed', reason, now);
}

export function canceled(job: JobState, reason: string, now: number): JobStep {
  return ended(job, 'canceled', 'job_canceled', reason, now);
}

function ended(job: JobState, status: 'failed' | 'canceled', stage: JobStage, reason: string, now: number): JobStep {
  const next = { ...job, status, next_attempt_at: null, deadline_at: null, last_error: reason, finished_at: now };
  return { next, stage, result: reason };
}

function deferred(job: JobState, reason: string, until: number): JobStep {
  const next = { ...job, status: 'pending' as const, next_attempt_at: until, deadline_at: null, last_error: reason };
  return { next, stage: 'job_deferred', result: reason };
}

interface Chance {
  now: number;
  random: number;
  /** What the platform asked to be left alone for. */
  retry_after_ms?: number | null | undefined;
}

/** The attempt is over and counts: another one after the backoff, or the end. */
function transient(job: JobState, reason: string, { now, random, retry_after_ms }: Chance): JobStep {
  if (job.attempt_count >= job.max_attempts) return failed(job, reason, now);
  const delayMs = Math.max(retryDelayMs(job.attempt_count, RENEWAL_BACKOFF, random), retry_after_ms ?? 0);
  const next = { ...job, status: 'pending' as const, next_attempt_at: now + delayMs, deadline_at: null };
  return { next: { ...next, last_error: reason }, stage: 'job_retry_scheduled', result: reason };
}

export type DeliveryResponse = DeliveryResult | { outcome: 'unknown' | 'in_flight' };

export interface Outcome {
  step: JobStep;
  /** The browser may not be used on that platform until a person resumes it. */
  stops: StopReason | null;
  pauses: PauseReason | null;
  /** Unix milliseconds: from then on the platform takes messages of this conversation again. */
  limited_until: number | null;
}

/** What the node's answer makes of a running job; `null` asks the node again, until it is too late for that. */
export function decideOutcome(
  job: JobState,
  answer: DeliveryResponse,
  chance: Omit<Chance, 'retry_after_ms'>,
): Outcome | null {
  const { now } = chance;
  switch (answer.outcome) {
    case 'delivered':
      return plain(delivered(job, now));
    case 'failed':
      return decideFailure(job, answer, chance);
    case 'deferred': {
      const until = now + Math.max(answer.retry_after_ms ?? TIMED_JOBS.recheck_min_ms, DELIVERY.retry_base_ms);
      const given = { ...job, attempt_count: Math.max(0, job.attempt_count - 1) };
      const step = deferred(given, answer.reason ?? 'deferred', until);
      return { ...plain(step), stops: asStopReason(answer.reason) };
    }
    case 'unknown':
      // The node never took it on, and the command has expired: it was not and will not be sent.
      return plain(transient(job, 'delivery_lost', chance));
    case 'uncertain':
    case 'in_flight':
      return null;
    default:
      return answer satisfies never;
  }
}

/** It was delivered, whatever was believed of it before. */
export function delivered(job: JobState, now: number): JobStep {
  const next = { ...job, status: 'done' as const, next_attempt_at: null, deadline_at: null, last_error: null };
  return { next: { ...next, finished_at: now }, stage: 'job_completed', result: 'attempt_succeeded' };
}

function plain(step: JobStep): Outcome {
  return { step, stops: null, pauses: null, limited_until: null };
}

/** The browser has tried both ways: its last word tells whether the platform, the account or the moment was at fault. */
function decideFailure(job: JobState, answer: DeliveryResult, chance: Chance): Outcome {
  const { now } = chance;
  const { http_status, retry_after_ms } = answer;
  const stops = stopReasonOf(answer);
  if (stops !== null) {
    const step = waiting(job, stops, now + DELIVERY.stopped_recheck_ms);
    return { ...plain(step), stops, pauses: stops === 'security_challenge' ? stops : null };
  }
  const limited = http_status === 429 || answer.reason === 'rate_limited';
  const reason = answer.reason ?? (limited ? 'rate_limited' : 'delivery_failed');
  const step = transient(job, reason, { ...chance, retry_after_ms });
  if (!limited) return plain(step);
  return {
    ...plain(step),
    pauses: step.next.status === 'failed' ? 'rate_limited' : null,
    limited_until: retry_after_ms == null ? null : now + retry_after_ms,
  };
}

/** The attempt counts, and none is lost by it: a person has to act before another can succeed. */
function waiting(job: JobState, reason: string, until: number): JobStep {
  return deferred({ ...job, max_attempts: Math.max(job.max_attempts, job.attempt_count + 1) }, reason, until);
}

/** A running job whose answer is due: asked about again, under a new deadline, or given up. */
export function decideOverdue(
  job: JobState,
  now: number,
): { ask: true; next: JobState } | { ask: false; step: JobStep } {
  const since = job.last_attempt_at ?? now;
  if (now - since >= RENEWAL.unknown_after_ms) return { ask: false, step: failed(job, 'delivery_unknown', now) };
  const deadline_at = Math.min(now + DEADLINE_MS, since + RENEWAL.unknown_after_ms);
  return { ask: true, next: { ...job, deadline_at } };
}

/**
 * A failed job begins anew with all its attempts. Their count goes on, so that no plan id is used twice; a raised
 * maximum is how a redriven job is known.
 */
export function redriven(job: JobState, now: number): JobState {
  return {
    ...job,
    status: 'pending',
    max_attempts: job.attempt_count + RENEWAL.max_attempts,
    next_attempt_at: now,
    deadline_at: null,
    last_error: null,
    started_at: null,
    finished_at: null,
  };
}
