/**
 * What a node's answer makes of a delivery. It counts only for the attempt that is under way: by its plan, while the
 * job runs. What may have been delivered is asked for once at once, and after that at its deadline.
 */
import { nodeHub, timedJobs } from '../durable-objects/stubs.ts';
import type { DeliveryAnswer, JobState, JobStep } from '../schema/domain/renewal.ts';
import { decideOutcome, decideOverdue } from '../schema/domain/renewal.ts';
import { newId } from '../schema/ids.ts';
import type { EventDraft } from './commit.ts';
import { question } from './cron/deliveries-reconcile.ts';
import type { TickOrigin } from './cron/tick-log.ts';
import { tickEntry } from './cron/tick-log.ts';
import type { Database, Statement } from './db.ts';
import { insertCommand, toCommand } from './queries/commands.ts';
import type { JobRow } from './queries/renewal-jobs.ts';
import { findJob, guardJob, storeJob } from './queries/renewal-jobs.ts';
import { insertTick, triggerOf } from './queries/ticks.ts';

interface Answered {
  env: Env;
  db: Database;
  now: number;
  random: number;
  job_id: string;
  plan_id: string;
  answer: DeliveryAnswer;
}

interface OutcomeParts {
  guards: Statement[];
  statements: Statement[];
  events: EventDraft[];
  after: () => Promise<unknown>;
}

const NOTHING: OutcomeParts = { guards: [], statements: [], events: [], after: async () => undefined };

/** The parts of a plan for that answer; none for a stale one. */
export async function settleDelivery(answered: Answered): Promise<OutcomeParts> {
  const { env, db, now, random, answer } = answered;
  const job = await findJob(db, answered.job_id);
  if (job === undefined || job.status !== 'running' || job.plan_id !== answered.plan_id) return NOTHING;
  const step = decideOutcome(job, answer, { now, random });
  if (step === null) return askAgain(answered, job);
  const { next_attempt_at, attempt_count, status } = step.next;
  const details = {
    job_id: job.job_id,
    local_conversation_id: job.local_conversation_id,
    attempt_count,
    next_attempt_at,
  };
  const entry = { plan_id: job.plan_id, outcome: answer.outcome, ...details };
  const origin = { batch_id: job.batch_id ?? newId('tick', now), trigger: await triggerOf(db, job.batch_id ?? '') };
  return {
    guards: [guardJob(db, job)],
    statements: [storeJob(db, job.job_id, step.next, now), logged(db, origin, step, entry, now)],
    events: [{ topic: 'renewal', type: step.stage, subject_id: job.job_id, data: { result: step.result, status } }],
    after: async () => {
      if (next_attempt_at !== null) await timedJobs(env).due(next_attempt_at);
    },
  };
}

/** The last entry of an attempt comes after its tick: in a row of its own, under the tick's batch id. */
function logged(
  db: Database,
  origin: TickOrigin,
  step: JobStep,
  details: Record<string, unknown>,
  now: number,
): Statement {
  const entry = tickEntry(origin, 'renewal.dispatcher', step.stage, step.result, details, now);
  const { trigger } = origin;
  return insertTick(db, {
    batch_id: newId('tick', now),
    trigger,
    decision: 'scheduled',
    started_at: now,
    finished_at: now,
    entries: [entry],
  });
}

function askAgain({ env, db, now, answer }: Answered, job: JobRow): OutcomeParts {
  const overdue = decideOverdue(job, now);
  const next: JobState = overdue.ask ? overdue.next : overdue.step.next;
  // A node that says "uncertain" has a question to answer; one that is at it, or could not tell, is given the time.
  const ask = overdue.ask && answer.outcome === 'uncertain' && job.last_error !== 'uncertain';
  const questions = ask ? question(job, now) : [];
  const last_error = overdue.ask ? answer.outcome : next.last_error;
  return {
    guards: [guardJob(db, job)],
    statements: [
      storeJob(db, job.job_id, { ...next, last_error }, now),
      ...questions.map((one) => insertCommand(db, one, now)),
    ],
    events: [{ topic: 'renewal', type: 'job_uncertain', subject_id: job.job_id, data: { outcome: answer.outcome } }],
    after: async () => {
      for (const one of questions) {
        const frame = { type: 'command' as const, command: toCommand(one, now) };
        await nodeHub(env, one.controller_id).push(one.controller_id, frame);
      }
      if (next.deadline_at !== null) await timedJobs(env).due(next.deadline_at);
    },
  };
}
