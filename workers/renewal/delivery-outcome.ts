/**
 * What a node's response to a delivery changes. It counts only for the attempt under way: by its plan, while the job
 * runs; but a delivery that did happen counts whenever that becomes known. Job, counters, breaker and a stopped browser
 * are one batch. A delivery that may have happened is queried at once, and again only at its deadline.
 */
import { eq } from 'drizzle-orm';
import type { StopReason } from '../../schema/contracts/clients.ts';
import type { PauseReason } from '../../schema/contracts/conversations.ts';
import type { EventDraft } from '../../schema/contracts/events.ts';
import { changeConversation } from '../../schema/domain/conversation.ts';
import type { JobState, JobStep } from '../../schema/domain/job-machine.ts';
import { completeJob, mayJobBecome } from '../../schema/domain/job-machine.ts';
import type { DeliveryResponse, Outcome } from '../../schema/domain/renewal.ts';
import { decideOutcome, decideOverdue, jobOnly } from '../../schema/domain/renewal.ts';
import { countRenewal, limitedUntil } from '../../schema/domain/renewal-limits.ts';
import { newId } from '../../schema/ids.ts';
import type { ConversationRow, JobRow } from '../../schema/tables/index.ts';
import { conversation_links } from '../../schema/tables/index.ts';
import type { Database } from '../db/open.ts';
import type { Edge, Plan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import { stopBrowser } from '../nodes/browsers.ts';
import { tickEntry } from '../timed-jobs/tick-log.ts';
import { triggerOf } from '../timed-jobs/tick-reads.ts';
import { insertTick } from '../timed-jobs/ticks.ts';
import { findConversation } from './conversation-reads.ts';
import { storeConversation } from './conversations.ts';
import { deliveryQuery } from './delivery-query.ts';
import { findJob, findTextHash } from './job-reads.ts';
import { stepEvent, storeStep } from './job-steps.ts';
import { readSettings } from './settings.ts';

/** The plan for that response; an empty one for a stale response. `random` is a number in [0, 1). */
export async function applyDeliveryResponse(
  edge: Edge,
  { job_id, plan_id }: { job_id: string; plan_id: string },
  response: DeliveryResponse,
  random: number,
): Promise<Plan> {
  const { now } = edge;
  const job = await findJob(edge.db, job_id);
  if (job === undefined || job.plan_id !== plan_id) return {};
  if (job.status !== 'running') return applyLate(edge, job, response);
  const outcome = decideOutcome(job, response, { now, random });
  if (outcome !== null) return applyOutcome(edge, job, response, outcome);
  const overdue = decideOverdue(job, now);
  return overdue.ask
    ? queryAgain(edge, job, response, overdue.next)
    : applyOutcome(edge, job, response, jobOnly(overdue.step));
}

/** A job that has failed, or waits for another attempt, has been delivered after all: it is not sent again. */
async function applyLate(edge: Edge, job: JobRow, response: DeliveryResponse): Promise<Plan> {
  if (!mayJobBecome(job.status, 'done') || response.outcome !== 'delivered') return {};
  return applyOutcome(edge, job, response, jobOnly(completeJob(job, edge.now)));
}

async function applyOutcome(edge: Edge, job: JobRow, response: DeliveryResponse, outcome: Outcome): Promise<Plan> {
  const { step, stops, blames_link } = outcome;
  return mergePlans(
    storeStep(edge, { job, next: step.next, event: endEvent(job, step, response) }),
    await logAttempt(edge, job, response, step),
    await countOutcome(edge, job, outcome),
    stops === null ? {} : await stopBrowserOf(edge, job, stops),
    blames_link ? failLink(edge, job) : {},
  );
}

function endEvent({ job_id }: JobRow, step: JobStep, { outcome }: DeliveryResponse): EventDraft {
  const event = stepEvent(job_id, step);
  return { ...event, data: { ...event.data, outcome } };
}

/** Holds the failed attempt against the link by which it was sent, until its browser reports the tab again. */
function failLink({ db, now }: Edge, { target_snapshot }: JobRow): Plan {
  if (target_snapshot === null) return {};
  const { link_id } = target_snapshot;
  return {
    statements: [db.update(conversation_links).set({ failed_at: now }).where(eq(conversation_links.link_id, link_id))],
  };
}

/** Stops the browser that was asked to deliver, on the conversation's platform. */
async function stopBrowserOf(edge: Edge, { target_snapshot }: JobRow, reason: StopReason): Promise<Plan> {
  if (target_snapshot?.sent === undefined) return {};
  const { client_id, platform, sent } = target_snapshot;
  return stopBrowser(edge, { client_id, platform, controller_id: sent.controller_id }, reason);
}

/** What the outcome means for the conversation: one more renewal, a time to wait for, a pause. */
async function countOutcome(edge: Edge, job: JobRow, outcome: Outcome): Promise<Plan> {
  const { step, limited_until, pauses } = outcome;
  const isDone = step.next.status === 'done';
  if (!isDone && limited_until === null && pauses === null) return {};
  const read = await findConversation(edge.db, job.local_conversation_id);
  if (read === undefined) return {};
  const limited = limited_until === null ? read : limitedUntil(read, limited_until);
  const counted = isDone ? await countDelivered(edge.db, limited, job, edge.now) : limited;
  return storeConversation(edge, read, pauses === null ? counted : pause(counted, pauses, edge.now));
}

async function countDelivered(db: Database, row: ConversationRow, job: JobRow, now: number): Promise<ConversationRow> {
  const { platform, local_conversation_id } = row;
  const [{ effective }, textHash] = await Promise.all([
    readSettings(db, { platform, local_conversation_id }),
    findTextHash(db, job.message_id),
  ]);
  return countRenewal(row, textHash, effective, now);
}

function pause(row: ConversationRow, reason: PauseReason, now: number): ConversationRow {
  return changeConversation(row, { type: 'pause', reason }, now);
}

/** The last log entry of an attempt comes after its tick: a row of its own, with the tick's batch id in the entry. */
async function logAttempt({ db, now }: Edge, job: JobRow, response: DeliveryResponse, step: JobStep): Promise<Plan> {
  const { job_id, local_conversation_id, plan_id, batch_id } = job;
  const { attempt_count, next_attempt_at } = step.next;
  const sent = { outcome: response.outcome, ...methodAndStatus(response) };
  const details = { plan_id, ...sent, job_id, local_conversation_id, attempt_count, next_attempt_at };
  const trigger = await triggerOf(db, batch_id ?? '');
  const origin = { batch_id: batch_id ?? newId('tick', now), trigger };
  const entry = tickEntry(origin, 'renewal.dispatcher', step.stage, step.result, details, now);
  const row = { batch_id: newId('tick', now), trigger, started_at: now, finished_at: now, entries: [entry] };
  return { statements: [insertTick(db, { ...row, decision: 'scheduled' })] };
}

/** How the message was sent, and the status with which the platform responded, as far as the browser saw them. */
function methodAndStatus(response: DeliveryResponse): { method: string | null; http_status: number | null } {
  if (!('method' in response)) return { method: null, http_status: null };
  return { method: response.method, http_status: response.http_status ?? null };
}

function queryAgain(edge: Edge, job: JobRow, { outcome }: DeliveryResponse, next: JobState): Plan {
  // The first `uncertain` is queried at once. A node that delivers, or could not find out, is queried at the deadline.
  const isFirst = outcome === 'uncertain' && job.last_error !== 'uncertain';
  const command = isFirst ? deliveryQuery(job, edge.now) : undefined;
  return storeStep(edge, {
    job,
    next: { ...next, last_error: outcome },
    event: { topic: 'renewal', type: 'job_uncertain', subject_id: job.job_id, data: { outcome } },
    ...(command && { command }),
  });
}
