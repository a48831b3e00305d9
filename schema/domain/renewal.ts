/**
 * Renewal decisions: what a due job does, and what the outcome of its delivery means. The caller passes only outcomes of
 * the attempt under way. A delivery that may have happened is queried, never sent again unchecked.
 */
import type { StopReason } from '../contracts/clients.ts';
import type { AutomationStatus, PauseReason } from '../contracts/conversations.ts';
import type { DeliveryResult } from '../contracts/renewal.ts';
import { DELIVERY, RENEWAL, TIMED_JOBS } from '../defaults.ts';
import { asStopReason, stopReasonOf } from './client-stops.ts';
import type { Chance, JobState, JobStep } from './job-machine.ts';
import {
  cancelJob,
  completeJob,
  countAttempt,
  DEADLINE_MS,
  deferJob,
  extendDeadline,
  failJob,
  retryJob,
  sendJob,
} from './job-machine.ts';
import type { LinkTarget } from './links.ts';
import { isDeliverable } from './links.ts';
import type { Hold } from './renewal-limits.ts';
import type { PayloadText } from './renewal-payload.ts';

/** Why a link cannot be used now: its browser is stopped, or its node is not in contact. */
export type LinkUnusable = StopReason | 'node_unreachable';

export interface DispatchFacts {
  conversation: { automation_status: AutomationStatus } | null;
  /** Whether its message is still the conversation's newest. */
  newest: boolean;
  /** A person's question in the conversation waits for its answer. */
  ask_pending: boolean;
  /** The breaker that the conversation has tripped: it is paused instead of renewed. */
  breaker: PauseReason | null;
  hold: Hold | null;
  link: LinkTarget | null;
  unusable: LinkUnusable | null;
  payload: PayloadText;
  interval_ms: number;
  now: number;
  random: number;
}

/** What a due job does now. */
export interface Dispatched {
  /** The text to send; null when nothing is sent. */
  send: string | null;
  step: JobStep;
  /** Pause the conversation for this reason, in the same write. */
  pauses: PauseReason | null;
}

export function decideDispatch(job: JobState, facts: DispatchFacts): Dispatched {
  const { conversation, breaker, hold, now } = facts;
  const recheckAt = now + Math.max(TIMED_JOBS.recheck_min_ms, facts.interval_ms);
  if (conversation === null) return unsent(failJob(countAttempt(job, now), 'missing_local_conversation', now));
  if (conversation.automation_status !== 'auto')
    return unsent(deferJob(job, `automation_${conversation.automation_status}`, recheckAt));
  if (!facts.newest) return unsent(cancelJob(job, 'superseded', now));
  if (facts.ask_pending) return unsent(deferJob(job, 'ask_pending', recheckAt));
  if (breaker !== null) return { ...unsent(deferJob(job, breaker, recheckAt)), pauses: breaker };
  if (hold !== null) return unsent(deferJob(job, hold.reason, hold.until ?? now + RENEWAL.held_recheck_ms));
  return decideTarget(job, facts);
}

function decideTarget(job: JobState, facts: DispatchFacts): Dispatched {
  const { link, unusable, payload, now } = facts;
  if (link === null) return unsent(retryJob(countAttempt(job, now), 'missing_active_link', facts));
  if (!isDeliverable(link)) return unsent(retryJob(countAttempt(job, now), 'route_unavailable', facts));
  if (unusable !== null) return unsent(deferJob(job, unusable, now + DELIVERY.stopped_recheck_ms));
  if ('error' in payload) return unsent(failJob(countAttempt(job, now), payload.error, now));
  return { send: payload.text, step: sendJob(countAttempt(job, now), now), pauses: null };
}

function unsent(step: JobStep): Dispatched {
  return { send: null, step, pauses: null };
}

export type DeliveryResponse = DeliveryResult | { outcome: 'unknown' | 'in_flight' };

export interface Outcome {
  step: JobStep;
  /** The browser may not be used on that platform until a person resumes it. */
  stops: StopReason | null;
  pauses: PauseReason | null;
  /** The browser could not deliver by that link: the next attempt uses another one, if there is one. */
  blames_link: boolean;
  /** Unix milliseconds: before that the platform accepts no messages of this conversation. */
  limited_until: number | null;
}

/** What the node's response makes of a running job; null when the node has to be queried again. */
export function decideOutcome(
  job: JobState,
  response: DeliveryResponse,
  chance: Omit<Chance, 'retry_after_ms'>,
): Outcome | null {
  const { now } = chance;
  switch (response.outcome) {
    case 'delivered':
      return jobOnly(completeJob(job, now));
    case 'failed':
      return decideFailure(job, response, chance);
    case 'deferred': {
      const until = now + Math.max(response.retry_after_ms ?? TIMED_JOBS.recheck_min_ms, DELIVERY.retry_base_ms);
      const uncounted = { ...job, attempt_count: Math.max(0, job.attempt_count - 1) };
      const step = deferJob(uncounted, response.reason ?? 'deferred', until);
      const limited_until = response.reason === 'rate_limited' ? until : null;
      return { ...jobOnly(step), limited_until, stops: asStopReason(response.reason) };
    }
    case 'unknown':
      // The node never accepted the command, and it has expired: the text was not sent and will not be.
      return jobOnly(retryJob(job, 'delivery_lost', chance));
    case 'uncertain':
    case 'in_flight':
      return null;
    default:
      return response satisfies never;
  }
}

/** A step of the job alone: browser and conversation stay as they are. */
export function jobOnly(step: JobStep): Outcome {
  return { step, stops: null, pauses: null, blames_link: false, limited_until: null };
}

/** The browser has tried both methods. Its last error shows whether the platform, the account or the moment is at fault. */
function decideFailure(job: JobState, response: DeliveryResult, chance: Chance): Outcome {
  const { now } = chance;
  const { http_status, retry_after_ms } = response;
  const stops = stopReasonOf(response);
  if (stops !== null) {
    // The attempt counts but costs none: the next one can succeed only after a person has acted.
    const step = deferJob(withAttemptLeft(job), stops, now + DELIVERY.stopped_recheck_ms);
    return { ...jobOnly(step), stops, pauses: stops === 'security_challenge' ? stops : null };
  }
  const limited = http_status === 429 || response.reason === 'rate_limited';
  const reason = response.reason ?? (limited ? 'rate_limited' : 'delivery_failed');
  const step = retryJob(job, reason, { ...chance, retry_after_ms });
  if (!limited) return { ...jobOnly(step), blames_link: true };
  return {
    ...jobOnly(step),
    pauses: step.next.status === 'failed' ? 'rate_limited' : null,
    limited_until: retry_after_ms == null ? null : now + retry_after_ms,
  };
}

function withAttemptLeft(job: JobState): JobState {
  return { ...job, max_attempts: Math.max(job.max_attempts, job.attempt_count + 1) };
}

/** A running job whose response is overdue: query the node again until a new deadline, or give up. */
export function decideOverdue(
  job: JobState,
  now: number,
): { ask: true; next: JobState } | { ask: false; step: JobStep } {
  const since = job.last_attempt_at ?? now;
  if (now - since >= RENEWAL.unknown_after_ms) return { ask: false, step: failJob(job, 'delivery_unknown', now) };
  return { ask: true, next: extendDeadline(job, Math.min(now + DEADLINE_MS, since + RENEWAL.unknown_after_ms)) };
}
