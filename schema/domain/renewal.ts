/**
 * Renewal: which message becomes a job, what a due job does, and what the outcome of a delivery makes of it. A job is
 * attempted at most `max_attempts` times and always ends; an outcome of another attempt than the one under way changes
 * nothing; what may have been delivered is asked for, never sent again blindly.
 */
import type { AutomationStatus, Link } from '../contracts/conversations.ts';
import type { DeliveryResult, RenewalJob, RenewalPayload, SkipReason } from '../contracts/renewal.ts';
import { RENEWAL_TEMPLATES } from '../contracts/renewal.ts';
import { DELIVERY, RENEWAL, TIMED_JOBS } from '../defaults.ts';
import { isDeliverable } from './links.ts';
import { RENEWAL_BACKOFF, retryDelayMs } from './retry.ts';

const [DEFAULT_TEMPLATE] = RENEWAL_TEMPLATES;

type LinkTarget = Pick<Link, 'target_kind' | 'target_id' | 'target_payload'>;

export interface ProjectionFacts {
  automation_status: AutomationStatus;
  link: LinkTarget | null;
  has_job: boolean;
  /** Whether it is still the conversation's newest message. */
  newest: boolean;
  /** Its instructions are not done, or their reply has gone out or still will. */
  instruction_pending: boolean;
  cooldown_until: number | null;
  now: number;
}

/** Why a settled message of the assistant becomes no job; null when it does. */
export function skipReason(facts: ProjectionFacts): SkipReason | null {
  if (facts.automation_status === 'manual') return 'automation_manual';
  if (facts.automation_status === 'paused') return 'automation_paused';
  if (facts.link === null) return 'missing_active_link';
  if (!isDeliverable(facts.link)) return 'route_unavailable';
  if (facts.has_job) return 'duplicate_job';
  if (!facts.newest) return 'superseded';
  if (facts.instruction_pending) return 'instruction_pending';
  if (facts.cooldown_until !== null && facts.cooldown_until > facts.now) return 'cooldown';
  return null;
}

/** The message sent into the conversation: a summary of where it stands, and its address. */
export function renewalPayload(message: { message_id: string; raw_text: string }, pageUrl: string): RenewalPayload {
  const text = message.raw_text.replace(/\s+/g, ' ').trim();
  const cut = Array.from(text).slice(0, RENEWAL.summary_chars).join('');
  const summary = cut.length < text.length ? `${cut}…` : cut;
  return {
    kind: 'renewal.message',
    version: 1,
    template: DEFAULT_TEMPLATE,
    text: `Please carry on from where you stopped.\n\nYour last message: ${summary}\n\n${pageUrl}`,
    source_message: { id: message.message_id },
  };
}

type PayloadText = { text: string } | { error: 'invalid_payload' | 'missing_payload_text' };

/** The text of a stored payload. */
export function payloadText(job: Pick<RenewalJob, 'payload' | 'payload_kind' | 'payload_text'>): PayloadText {
  if (job.payload_kind === 'text') return nonBlank(job.payload_text ?? job.payload);
  const payload = parseObject(job.payload);
  return payload === null ? { error: 'invalid_payload' } : nonBlank(payload.text);
}

function nonBlank(text: unknown): PayloadText {
  return typeof text === 'string' && text.trim() !== '' ? { text } : { error: 'missing_payload_text' };
}

function parseObject(json: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}

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

export interface DispatchFacts {
  conversation: { automation_status: AutomationStatus } | null;
  /** Whether its message is still the conversation's newest. */
  newest: boolean;
  link: LinkTarget | null;
  payload: PayloadText;
  interval_ms: number;
  now: number;
  random: number;
}

/** What a due job does now: `send` with a text, or one of the steps that end, delay or count. */
export function decideDispatch(
  job: JobState,
  facts: DispatchFacts,
): { send: string; step: JobStep } | { send: null; step: JobStep } {
  const { conversation, link, payload, now } = facts;
  if (conversation === null)
    return { send: null, step: failed(attempted(job, now), 'missing_local_conversation', now) };
  if (conversation.automation_status !== 'auto') {
    const recheckMs = Math.max(TIMED_JOBS.recheck_min_ms, facts.interval_ms);
    const reason = `automation_${conversation.automation_status}`;
    return { send: null, step: deferred(job, reason, now + recheckMs) };
  }
  if (!facts.newest) return { send: null, step: canceled(job, 'superseded', now) };
  if (link === null) return { send: null, step: transient(attempted(job, now), 'missing_active_link', facts) };
  if (!isDeliverable(link)) return { send: null, step: transient(attempted(job, now), 'route_unavailable', facts) };
  if ('error' in payload) return { send: null, step: failed(attempted(job, now), payload.error, now) };
  return { send: payload.text, step: sent(attempted(job, now), now) };
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

export type DeliveryAnswer = DeliveryResult | { outcome: 'unknown' | 'in_flight' };

/** What the node's answer makes of a running job; `null` asks the node again, until it is too late for that. */
export function decideOutcome(
  job: JobState,
  answer: DeliveryAnswer,
  chance: Omit<Chance, 'retry_after_ms'>,
): JobStep | null {
  const { now } = chance;
  switch (answer.outcome) {
    case 'delivered':
      return {
        next: { ...job, status: 'done', deadline_at: null, last_error: null, finished_at: now },
        stage: 'job_completed',
        result: 'attempt_succeeded',
      };
    case 'failed':
      return transient(job, answer.reason ?? 'delivery_failed', { ...chance, retry_after_ms: answer.retry_after_ms });
    case 'deferred': {
      const until = now + Math.max(answer.retry_after_ms ?? TIMED_JOBS.recheck_min_ms, DELIVERY.retry_base_ms);
      const given = { ...job, attempt_count: Math.max(0, job.attempt_count - 1) };
      return deferred(given, answer.reason ?? 'deferred', until);
    }
    case 'unknown':
      // The node never took it on, and the command has expired: it was not and will not be sent.
      return transient(job, 'delivery_lost', chance);
    case 'uncertain':
    case 'in_flight':
      return null;
    default:
      return answer satisfies never;
  }
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
