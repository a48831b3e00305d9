/** What a step of a renewal job writes into its list of attempts, from the job as it was read and as it is next. Pure. */
import type { JobAttempt } from '../contracts/renewal.ts';
import type { JobState } from './job-machine.ts';

export interface AttemptChange {
  /** An attempt to add. */
  begins?: JobAttempt;
  /** What the newest attempt becomes. */
  ends?: Pick<JobAttempt, 'ended_at' | 'outcome' | 'error'>;
}

type Before = Pick<JobState, 'status' | 'attempt_count'>;

/** `clientId`: the browser that the step sends to. Null when the step neither begins nor ends an attempt. */
export function attemptChange(
  before: Before,
  next: JobState,
  clientId: string | null,
  now: number,
): AttemptChange | null {
  const { status, attempt_count: attempt, last_error } = next;
  const begun = { attempt, started_at: now, client_id: clientId };
  if (clientId !== null) return { begins: { ...begun, ended_at: null, outcome: null, error: null } };
  // A delivery that was given up, or waits to be tried again, has happened after all.
  if (status === 'done') return { ends: { ended_at: now, outcome: 'delivered', error: null } };
  if (before.status === 'running' && status !== 'running') {
    return { ends: { ended_at: now, outcome: outcomeOf(before, next), error: last_error } };
  }
  if (attempt <= before.attempt_count) return null;
  return { begins: { ...begun, ended_at: now, outcome: 'failed', error: last_error } };
}

function outcomeOf(before: Before, next: JobState): JobAttempt['outcome'] {
  if (next.attempt_count < before.attempt_count) return 'deferred';
  return next.last_error === 'delivery_unknown' ? 'uncertain' : 'failed';
}
