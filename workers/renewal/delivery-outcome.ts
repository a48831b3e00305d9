/**
 * What a node's answer makes of a delivery. It counts only for the attempt that is under way: by its plan, while the
 * job runs; but that it was delivered counts whenever it becomes known. Job, counters, breaker and a stopped client are
 * one batch. What may have been delivered is asked for once at once, and after that at its deadline.
 */
import { nodeHub, timedJobs } from '../../durable-objects/stubs.ts';
import type { StopReason } from '../../schema/contracts/clients.ts';
import type { PauseReason } from '../../schema/contracts/conversations.ts';
import { changeConversation } from '../../schema/domain/conversation.ts';
import type { JobState, JobStep } from '../../schema/domain/job-machine.ts';
import { completeJob, mayJobBecome } from '../../schema/domain/job-machine.ts';
import type { DeliveryResponse, Outcome } from '../../schema/domain/renewal.ts';
import { decideOutcome, decideOverdue, jobOnly } from '../../schema/domain/renewal.ts';
import { countRenewal, limitedUntil } from '../../schema/domain/renewal-limits.ts';
import { newId } from '../../schema/ids.ts';
import type { ConversationRow, JobRow } from '../../schema/tables/index.ts';
import type { Database, Statement } from '../db/open.ts';
import type { Plan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import { findTextHash } from '../messages/message-reads.ts';
import { stopClient } from '../nodes/clients.ts';
import { insertCommand, toCommand } from '../nodes/commands.ts';
import type { TickOrigin } from '../timed-jobs/tick-log.ts';
import { tickEntry } from '../timed-jobs/tick-log.ts';
import { insertTick, triggerOf } from '../timed-jobs/ticks.ts';
import { findConversation, storeConversation } from './conversations.ts';
import { findJob, guardJob, storeJob } from './jobs.ts';
import { question } from './reconcile.job.ts';
import { readSettings } from './settings.ts';

interface Answered {
  env: Env;
  db: Database;
  now: number;
  random: number;
  job_id: string;
  plan_id: string;
  response: DeliveryResponse;
}

const NOTHING: Plan = {};

/** The parts of a plan for that answer; none for a stale one. */
export async function settleDelivery(answered: Answered): Promise<Plan> {
  const { db, now, random, response } = answered;
  const job = await findJob(db, answered.job_id);
  if (job === undefined || job.plan_id !== answered.plan_id) return NOTHING;
  if (job.status !== 'running') return late(answered, job);
  const outcome = decideOutcome(job, response, { now, random });
  if (outcome !== null) return settled(answered, job, outcome);
  const overdue = decideOverdue(job, now);
  return overdue.ask ? askAgain(answered, job, overdue.next) : settled(answered, job, jobOnly(overdue.step));
}

/** A job that was given up, or is to be tried again, has been delivered after all: it is not sent once more. */
function late(answered: Answered, job: JobRow): Plan | Promise<Plan> {
  if (!mayJobBecome(job.status, 'done') || answered.response.outcome !== 'delivered') return NOTHING;
  return settled(answered, job, jobOnly(completeJob(job, answered.now)));
}

async function settled(answered: Answered, job: JobRow, outcome: Outcome): Promise<Plan> {
  const { env, db, now, response } = answered;
  const { step, stops } = outcome;
  const { next_attempt_at, attempt_count, status } = step.next;
  const details = {
    job_id: job.job_id,
    local_conversation_id: job.local_conversation_id,
    attempt_count,
    next_attempt_at,
  };
  const entry = { plan_id: job.plan_id, outcome: response.outcome, ...details };
  const origin = { batch_id: job.batch_id ?? newId('tick', now), trigger: await triggerOf(db, job.batch_id ?? '') };
  const conversation = await counted(answered, job, outcome);
  const stopped = stops === null ? NOTHING : await stopOf(answered, job, stops);
  const own: Plan = {
    guards: [guardJob(db, job)],
    statements: [storeJob(db, job.job_id, step.next, now), logged(db, origin, step, entry, now)],
    events: [{ topic: 'renewal', type: step.stage, subject_id: job.job_id, data: { result: step.result, status } }],
  };
  const due: Plan = next_attempt_at === null ? {} : { after: () => timedJobs(env).due(next_attempt_at) };
  return mergePlans(own, conversation, stopped, due);
}

/** The browser that was to deliver it is stopped on that platform. */
async function stopOf({ db, now }: Answered, { target_snapshot }: JobRow, reason: StopReason) {
  if (target_snapshot?.sent === undefined) return NOTHING;
  const { client_id, platform, sent } = target_snapshot;
  return stopClient(db, { client_id, platform, controller_id: sent.controller_id }, reason, now);
}

/** What the outcome means for the conversation: a renewal more, a time to wait for, a pause. */
async function counted({ env, db, now }: Answered, job: JobRow, outcome: Outcome): Promise<Plan> {
  const { step, limited_until, pauses } = outcome;
  const isDone = step.next.status === 'done';
  if (!isDone && limited_until === null && pauses === null) return NOTHING;
  const row = await findConversation(db, job.local_conversation_id);
  if (row === undefined) return NOTHING;
  const limited = limited_until === null ? row : limitedUntil(row, limited_until);
  const next = isDone ? await renewed(db, limited, job, now) : limited;
  return storeConversation(env, db, row, pauses === null ? next : paused(next, pauses, now), now);
}

async function renewed(db: Database, row: ConversationRow, job: JobRow, now: number): Promise<ConversationRow> {
  const { platform, local_conversation_id } = row;
  const [{ effective }, textHash] = await Promise.all([
    readSettings(db, { platform, local_conversation_id }),
    findTextHash(db, job.message_id),
  ]);
  return countRenewal(row, textHash, effective, now);
}

function paused(row: ConversationRow, reason: PauseReason, now: number): ConversationRow {
  return changeConversation(row, { type: 'pause', reason }, now);
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

function askAgain({ env, db, now, response }: Answered, job: JobRow, next: JobState): Plan {
  // A node that says "uncertain" has a question to answer; one that is at it, or could not tell, is given the time.
  const questions = response.outcome === 'uncertain' && job.last_error !== 'uncertain' ? question(job, now) : [];
  return {
    guards: [guardJob(db, job)],
    statements: [
      storeJob(db, job.job_id, { ...next, last_error: response.outcome }, now),
      ...questions.map((one) => insertCommand(db, one, now)),
    ],
    events: [{ topic: 'renewal', type: 'job_uncertain', subject_id: job.job_id, data: { outcome: response.outcome } }],
    after: async () => {
      for (const one of questions) {
        const frame = { type: 'command' as const, command: toCommand(one, now) };
        await nodeHub(env, one.controller_id).push(one.controller_id, frame);
      }
      if (next.deadline_at !== null) await timedJobs(env).due(next.deadline_at);
    },
  };
}
