/**
 * The status of a renewal job: which may follow which (drawn in docs/state-machines.md), and the steps that move it.
 * Every change of a job's status is made here. A job ends after at most `max_attempts` attempts.
 */
import type { EventDraft } from '../contracts/events.ts';
import type { JobStatus, RenewalJob } from '../contracts/renewal.ts';
import { RENEWAL } from '../defaults.ts';
import type { LinkTarget } from './links.ts';
import { isDeliverable } from './links.ts';
import { RENEWAL_BACKOFF, retryDelayMs } from './retry.ts';
import { stateMachine } from './state-machine.ts';

export const JOB_TRANSITIONS = {
  pending: ['pending', 'running', 'failed', 'canceled', 'done'],
  running: ['running', 'pending', 'done', 'failed'],
  failed: ['pending', 'done'],
  done: [],
  canceled: [],
} as const satisfies Record<JobStatus, readonly JobStatus[]>;

const machine = stateMachine<JobStatus>('renewal job', JOB_TRANSITIONS);
export const mayJobBecome = machine.mayMove;

/** The columns of a job that decisions change. */
export const JOB_STATE = [
  'status',
  'attempt_count',
  'max_attempts',
  'next_attempt_at',
  'deadline_at',
  'last_attempt_at',
  'last_error',
  'started_at',
  'finished_at',
] as const satisfies readonly (keyof RenewalJob)[];
export type JobState = Pick<RenewalJob, (typeof JOB_STATE)[number]>;

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

/** Time and chance of a decision. */
export interface Chance {
  now: number;
  random: number;
  /** The pause that the platform asked for. */
  retry_after_ms?: number | null | undefined;
}

function moved(job: JobState, status: JobStatus, changes: Partial<Omit<JobState, 'status'>>): JobState {
  return { ...job, ...changes, status: machine.move(job.status, status) };
}

/** How long the edge waits for the outcome of a delivery, or for the result of a query about it. */
export const DEADLINE_MS = RENEWAL.delivery_timeout_ms + RENEWAL.deadline_slack_ms;

/** The job with one attempt more. */
export function countAttempt(job: JobState, now: number): JobState {
  return { ...job, attempt_count: job.attempt_count + 1, last_attempt_at: now, started_at: job.started_at ?? now };
}

/** The delivery is under way. */
export function sendJob(job: JobState, now: number): JobStep {
  const next = moved(job, 'running', { next_attempt_at: null, deadline_at: now + DEADLINE_MS });
  return { next, stage: 'job_attempt_started', result: 'attempt_started' };
}

/** The node is asked about the delivery once more, until `deadlineAt`. */
export function extendDeadline(job: JobState, deadlineAt: number): JobState {
  return moved(job, 'running', { deadline_at: deadlineAt });
}

/** The job waits until `until` (Unix milliseconds); no attempt is counted. */
export function deferJob(job: JobState, reason: string, until: number): JobStep {
  const next = moved(job, 'pending', { next_attempt_at: until, deadline_at: null, last_error: reason });
  return { next, stage: 'job_deferred', result: reason };
}

/** Another attempt after the backoff, or the end when none is left. */
export function retryJob(job: JobState, reason: string, { now, random, retry_after_ms }: Chance): JobStep {
  if (job.attempt_count >= job.max_attempts) return failJob(job, reason, now);
  const delayMs = Math.max(retryDelayMs(job.attempt_count, RENEWAL_BACKOFF, random), retry_after_ms ?? 0);
  const next = moved(job, 'pending', { next_attempt_at: now + delayMs, deadline_at: null, last_error: reason });
  return { next, stage: 'job_retry_scheduled', result: reason };
}

const ENDED = { next_attempt_at: null, deadline_at: null } as const;

export function failJob(job: JobState, reason: string, now: number): JobStep {
  const next = moved(job, 'failed', { ...ENDED, last_error: reason, finished_at: now });
  return { next, stage: 'job_failed', result: reason };
}

export function cancelJob(job: JobState, reason: string, now: number): JobStep {
  const next = moved(job, 'canceled', { ...ENDED, last_error: reason, finished_at: now });
  return { next, stage: 'job_canceled', result: reason };
}

/** The renewal was delivered, also when the job had been given up before that was known. */
export function completeJob(job: JobState, now: number): JobStep {
  const next = moved(job, 'done', { ...ENDED, last_error: null, finished_at: now });
  return { next, stage: 'job_completed', result: 'attempt_succeeded' };
}

/** A failed job with its next attempts, and the event that says so. */
export interface Redriven {
  next: JobState;
  event: EventDraft;
}

/**
 * A failed job gets all its attempts again. The count of attempts continues, so that no plan id is used twice; a raised
 * maximum marks a redriven job.
 */
export function redriveJob(job: JobState & Pick<RenewalJob, 'job_id'>, now: number): Redriven {
  const next = moved(job, 'pending', {
    max_attempts: job.attempt_count + RENEWAL.max_attempts,
    next_attempt_at: now,
    deadline_at: null,
    last_error: null,
    started_at: null,
    finished_at: null,
  });
  return { next, event: { topic: 'renewal', type: 'job_redriven', subject_id: job.job_id } };
}

/** Why a job failed that a browser could have delivered. */
const NO_BROWSER: readonly string[] = ['no_active_client', 'missing_active_link', 'route_unavailable'];

/**
 * A browser shows `link` of the job's conversation. A job that failed for want of a deliverable link is redriven, once,
 * while its message is still the conversation's newest. Null for every other job.
 */
export function redriveLinkedJob(
  job: JobState & Pick<RenewalJob, 'job_id'>,
  { link, newest }: { link: LinkTarget; newest: boolean },
  now: number,
): Redriven | null {
  const failedWithoutBrowser = job.status === 'failed' && NO_BROWSER.includes(job.last_error ?? '');
  const wasRedriven = job.max_attempts > RENEWAL.max_attempts;
  return failedWithoutBrowser && newest && !wasRedriven && isDeliverable(link) ? redriveJob(job, now) : null;
}
