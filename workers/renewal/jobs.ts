/**
 * Renewal jobs: what is due, and how steps are stored. Reads go by the partial indexes, so they cost what is due and
 * not what exists. Steps of many jobs are one statement, and each is conditional on its job being as it was read.
 */
import type { SQL } from 'drizzle-orm';
import { and, desc, eq, sql } from 'drizzle-orm';
import type { TargetSnapshot } from '../../schema/contracts/renewal.ts';
import { DELIVERY, RENEWAL } from '../../schema/defaults.ts';
import type { JobState } from '../../schema/domain/job-machine.ts';
import type { JobRow } from '../../schema/tables/index.ts';
import { renewal_jobs } from '../../schema/tables/index.ts';
import { insertEventsFrom } from '../db/events.ts';
import { guardThat } from '../db/guards.ts';
import type { Database, Statement } from '../db/open.ts';
import type { PageRequest } from '../http/paging.ts';
import { pageWindow, toPage } from '../http/paging.ts';
import type { CommandDraft } from '../nodes/commands.ts';

export async function findJob(db: Database, jobId: string): Promise<JobRow | undefined> {
  return db.select().from(renewal_jobs).where(eq(renewal_jobs.job_id, jobId)).get();
}

/** The text of that conversation's newest renewal. */
export async function lastRenewalText(db: Database, localConversationId: string): Promise<string | null> {
  const row = await db
    .select({ payload_text: renewal_jobs.payload_text })
    .from(renewal_jobs)
    .where(eq(renewal_jobs.local_conversation_id, localConversationId))
    .orderBy(desc(renewal_jobs.job_id))
    .limit(1)
    .get();
  return row?.payload_text ?? null;
}

export async function listJobs(db: Database, filter: SQL | undefined, page: PageRequest) {
  const window = pageWindow(renewal_jobs.job_id, page);
  const rows = await db
    .select()
    .from(renewal_jobs)
    .where(and(filter, window.where))
    .orderBy(window.orderBy)
    .limit(window.limit);
  return toPage(rows, page, (row) => row.job_id);
}

/** The job must still have the status and the attempts it was read with. */
export function guardJob(db: Database, { job_id, status, attempt_count, plan_id }: JobRow): Statement {
  return guardThat(
    db,
    sql`EXISTS (SELECT 1 FROM renewal_jobs WHERE job_id = ${job_id} AND status = ${status}
      AND attempt_count = ${attempt_count} AND plan_id IS ${plan_id})`,
  );
}

export function storeJob(db: Database, jobId: string, next: JobState, now: number): Statement {
  const { status, attempt_count, max_attempts, next_attempt_at, deadline_at } = next;
  const { last_attempt_at, last_error, started_at, finished_at } = next;
  return db
    .update(renewal_jobs)
    .set({
      status,
      attempt_count,
      max_attempts,
      next_attempt_at,
      deadline_at,
      last_attempt_at,
      last_error,
      started_at,
      finished_at,
      updated_at: now,
    })
    .where(eq(renewal_jobs.job_id, jobId));
}

/** The step of one job among many. */
export interface StepRow {
  job_id: string;
  /** As it was read: another tick may have been there meanwhile. */
  was: { status: JobRow['status']; attempt_count: number; plan_id: string | null };
  next: JobState;
  /** Of an attempt that is sent; as before for any other step. */
  plan_id: string | null;
  batch_id: string | null;
  target_snapshot: TargetSnapshot | null;
  /** The command that asks for it; the claim then also needs the conversation to be `auto` at this moment. */
  command_id: string | null;
}

/** Stores the steps; the rows that come back are the jobs whose step was taken. */
export function storeSteps(db: Database, steps: readonly StepRow[], now: number) {
  return db.all<{ job_id: string }>(sql`UPDATE renewal_jobs SET
      status = o.v->>'$.next.status', attempt_count = o.v->>'$.next.attempt_count',
      next_attempt_at = o.v->>'$.next.next_attempt_at', deadline_at = o.v->>'$.next.deadline_at',
      last_attempt_at = o.v->>'$.next.last_attempt_at', last_error = o.v->>'$.next.last_error',
      started_at = o.v->>'$.next.started_at', finished_at = o.v->>'$.next.finished_at',
      plan_id = o.v->>'$.plan_id', batch_id = o.v->>'$.batch_id',
      target_snapshot = o.v->>'$.target_snapshot', updated_at = ${now}
    FROM (SELECT value AS v FROM json_each(${JSON.stringify(steps)})) AS o
    WHERE renewal_jobs.job_id = o.v->>'$.job_id' AND renewal_jobs.status = o.v->>'$.was.status'
      AND renewal_jobs.attempt_count = o.v->>'$.was.attempt_count'
      AND renewal_jobs.plan_id IS o.v->>'$.was.plan_id'
      AND (o.v->>'$.command_id' IS NULL OR o.v->>'$.was.status' = 'running' OR EXISTS (
        SELECT 1 FROM local_conversations AS c
        WHERE c.local_conversation_id = renewal_jobs.local_conversation_id
          AND c.automation_status = 'auto' AND c.last_message_id = renewal_jobs.message_id))
    RETURNING renewal_jobs.job_id AS job_id`);
}

/** The commands of the steps that were taken just before, in the same batch. */
export function insertStepCommands(db: Database, rows: readonly CommandDraft[], now: number): Statement {
  return db.run(sql`INSERT INTO commands (command_id, controller_id, kind, body, status, created_at, expires_at)
    SELECT value->>'command_id', value->>'controller_id', value->>'kind', value->>'body', 'pending', ${now},
      value->>'expires_at'
    FROM json_each(${JSON.stringify(rows)}) WHERE EXISTS (
      SELECT 1 FROM renewal_jobs AS j WHERE j.job_id = value->>'$.body.job_id' AND j.status = 'running'
        AND j.plan_id = value->>'$.body.plan_id' AND j.updated_at = ${now})`);
}

/** An event for each step that was taken just before, in the same batch. */
export function insertStepEvents(
  db: Database,
  rows: readonly { job_id: string; status: string; type: string; data: Record<string, unknown> }[],
  now: number,
): Statement {
  return insertEventsFrom(
    db,
    sql`json_object('topic', 'renewal', 'type', value->>'type', 'subject_id', value->>'job_id', 'data', value->'data')`,
    sql`json_each(${JSON.stringify(rows)}) WHERE EXISTS (
      SELECT 1 FROM renewal_jobs AS j WHERE j.job_id = value->>'job_id' AND j.status = value->>'status'
        AND j.updated_at = ${now})`,
    now,
  );
}

/** Running jobs whose answer is overdue, the longest first. */
export async function overdueJobs(db: Database, now: number, limit: number): Promise<JobRow[]> {
  return db
    .select()
    .from(renewal_jobs)
    .where(and(sql`${renewal_jobs.status} = 'running'`, sql`${renewal_jobs.deadline_at} <= ${now}`))
    .orderBy(renewal_jobs.deadline_at)
    .limit(limit);
}

/** Jobs that waited for that node to come back are due. Read by their time: those of the next few minutes. */
export function dueWithNode(db: Database, nodeId: string, now: number) {
  return db.run(sql`UPDATE renewal_jobs SET next_attempt_at = ${now}, updated_at = ${now}
    WHERE status = 'pending' AND last_error = 'node_unreachable'
      AND next_attempt_at > ${now} AND next_attempt_at <= ${now + DELIVERY.stopped_recheck_ms}
      AND EXISTS (SELECT 1 FROM conversation_links AS l WHERE l.is_active = 1 AND l.controller_id = ${nodeId}
        AND l.local_conversation_id = renewal_jobs.local_conversation_id)`);
}

/**
 * Jobs that failed for want of a browser begin anew, once, when a link that one can deliver by is observed (JSON rows),
 * unless a newer message has come.
 */
export function redriveWhenLinked(db: Database, observedJson: string, now: number): Statement {
  return db.run(sql`UPDATE renewal_jobs SET status = 'pending', max_attempts = attempt_count + ${RENEWAL.max_attempts},
      next_attempt_at = ${now}, deadline_at = NULL, last_error = NULL, started_at = NULL, finished_at = NULL,
      updated_at = ${now}
    WHERE job_id IN (SELECT j.job_id FROM json_each(${observedJson}) AS seen
      CROSS JOIN local_conversations AS c CROSS JOIN renewal_jobs AS j
      WHERE c.platform = seen.value->>'platform' AND c.remote_conversation_id = seen.value->>'remote_conversation_id'
        AND seen.value->>'$.target_payload.tab_id' > 0 AND j.message_id = c.last_message_id AND j.status = 'failed'
        AND j.last_error IN ('no_active_client', 'missing_active_link', 'route_unavailable')
        AND j.max_attempts <= ${RENEWAL.max_attempts})`);
}
