/**
 * The one place that stores what decisions made of renewal jobs. The steps of many jobs are one statement, and each is
 * stored only while its job is still as it was read; the event and the command of a step are stored only with it.
 */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import { timedJobs } from '../../durable-objects/stubs.ts';
import type { EventDraft } from '../../schema/contracts/events.ts';
import { ATTEMPTS_KEPT } from '../../schema/contracts/renewal.ts';
import { attemptChange } from '../../schema/domain/job-attempts.ts';
import type { JobState, JobStep } from '../../schema/domain/job-machine.ts';
import { JOB_STATE } from '../../schema/domain/job-machine.ts';
import type { JobRow } from '../../schema/tables/index.ts';
import { insertEventsWhere } from '../db/events.ts';
import { guardThat } from '../db/guards.ts';
import type { Database, Statement } from '../db/open.ts';
import type { Edge, Plan } from '../db/plan.ts';
import { storedJson } from '../db/stored-json.ts';
import type { CommandDraft } from '../nodes/commands.ts';
import { insertCommands } from '../nodes/commands.ts';
import { pushCommands } from '../nodes/push.ts';

/** The columns by which a job is known to be as it was read. */
const AS_READ = ['status', 'attempt_count', 'plan_id'] as const;

/** One step to store. */
export interface StoredStep {
  /** The job as it was read. */
  job: Pick<JobRow, 'job_id' | (typeof AS_READ)[number]>;
  next: JobState;
  /** The attempt that is sent. */
  attempt?: Pick<JobRow, 'plan_id' | 'batch_id' | 'target_snapshot'>;
  /** The job's message must still be the newest of its conversation, and that, for `auto`, be set to it and have no open ask. */
  requires?: 'newest' | 'newest_of_auto';
  event?: EventDraft;
  command?: CommandDraft<'delivery' | 'delivery.query'>;
}

/** The event of a step that the timeline of its job shows. */
export function stepEvent(jobId: string, { next, stage, result }: JobStep): EventDraft {
  const { status, attempt_count } = next;
  return { topic: 'renewal', type: stage, subject_id: jobId, data: { result, status, attempt_count } };
}

/** The plan of one step, whose job must be as it was read. Its command is sent, and its next time armed. */
export function storeStep(edge: Edge, { event, ...step }: StoredStep): Plan {
  const dueAt = step.next.next_attempt_at ?? step.next.deadline_at;
  return {
    guards: guardJobs(edge.db, [step.job]),
    statements: stepStatements(edge, [step]),
    events: event === undefined ? [] : [event],
    after: async () => {
      if (step.command !== undefined) await pushCommands(edge, [step.command]);
      if (dueAt !== null) await timedJobs(edge.env).due(dueAt);
    },
  };
}

/** Stores steps and what belongs to them in one batch of their own. Returns the jobs whose step was stored. */
export async function takeSteps(
  edge: Edge,
  steps: readonly StoredStep[],
  also: readonly Statement[] = [],
): Promise<Set<string>> {
  const [taken] = await edge.db.batch([updateJobs(edge, steps), ...insertParts(edge, steps), ...also]);
  return new Set(taken.map((row) => row.job_id));
}

/** The statements that store steps. */
export function stepStatements(edge: Edge, steps: readonly StoredStep[]): Statement[] {
  return steps.length === 0 ? [] : [updateJobs(edge, steps), ...insertParts(edge, steps)];
}

const setState = sql.raw(JOB_STATE.map((name) => `${name} = o.v->>'$.next.${name}'`).join(', '));
/** Of `renewal_jobs` and `o.v`, a JSON object with the job's id and, in `read`, the job as it was read. */
const isAsRead = sql.raw(
  [
    "renewal_jobs.job_id = o.v->>'$.job_id'",
    ...AS_READ.map((name) => `renewal_jobs.${name} IS o.v->>'$.read.${name}'`),
  ].join(' AND '),
);

/** Each of the jobs must still be as it was read. */
export function guardJobs(db: Database, jobs: readonly StoredStep['job'][]): Statement[] {
  if (jobs.length === 0) return [];
  const rows = jobs.map((job) => ({ job_id: job.job_id, read: pick(job, AS_READ) }));
  return [
    guardThat(
      db,
      sql`(SELECT count(*) FROM (SELECT value AS v FROM json_each(${JSON.stringify(rows)})) AS o
        CROSS JOIN renewal_jobs WHERE ${isAsRead}) = ${rows.length}`,
    ),
  ];
}

const attempts = storedJson(sql`attempts`, '[]');
/** The list of attempts after the step: with one more, of which the oldest leaves; with its newest ended; or as it is. */
const attemptsAfter = sql`CASE
  WHEN o.v->'$.change.begins' IS NOT NULL THEN json_insert(CASE WHEN json_array_length(${attempts}) < ${sql.raw(String(ATTEMPTS_KEPT))}
    THEN ${attempts} ELSE json_remove(${attempts}, '$[0]') END, '$[#]', json(o.v->'$.change.begins'))
  WHEN o.v->'$.change.ends' IS NOT NULL AND json_array_length(${attempts}) > 0
    THEN json_set(${attempts}, '$[#-1].ended_at', o.v->'$.change.ends'->>'ended_at',
      '$[#-1].outcome', o.v->'$.change.ends'->>'outcome', '$[#-1].error', o.v->'$.change.ends'->>'error')
  ELSE attempts END`;

function updateJobs({ db, now }: Edge, steps: readonly StoredStep[]) {
  const rows = steps.map(({ job, next, attempt, requires }) => ({
    job_id: job.job_id,
    read: pick(job, AS_READ),
    next: pick(next, JOB_STATE),
    attempt,
    change: attemptChange(job, next, attempt?.target_snapshot?.client_id ?? null, now),
    requires,
  }));
  return db.all<{ job_id: string }>(sql`UPDATE renewal_jobs SET ${setState},
      plan_id = coalesce(o.v->>'$.attempt.plan_id', plan_id), batch_id = coalesce(o.v->>'$.attempt.batch_id', batch_id),
      target_snapshot = coalesce(o.v->>'$.attempt.target_snapshot', target_snapshot), attempts = ${attemptsAfter},
      updated_at = ${now}
    FROM (SELECT value AS v FROM json_each(${JSON.stringify(rows)})) AS o
    WHERE ${isAsRead}
      AND (o.v->>'$.requires' IS NULL OR EXISTS (SELECT 1 FROM local_conversations AS c
        WHERE c.local_conversation_id = renewal_jobs.local_conversation_id
          AND c.last_message_id = renewal_jobs.message_id
          AND (o.v->>'$.requires' = 'newest' OR (c.automation_status = 'auto' AND c.open_ask IS NULL))))
    RETURNING renewal_jobs.job_id AS job_id`);
}

/** Commands and events, each only when the step before it in the batch was stored. */
function insertParts(edge: Edge, steps: readonly StoredStep[]): Statement[] {
  const { db, now } = edge;
  const commands = steps.flatMap(({ command }) => command ?? []);
  const events = steps.flatMap(({ event }) => event ?? []);
  const isStored = (condition: SQL) =>
    sql`EXISTS (SELECT 1 FROM renewal_jobs AS j WHERE j.updated_at = ${now} AND ${condition})`;
  const ofCommand = sql`j.job_id = value->>'$.body.job_id' AND j.status = 'running'
    AND j.plan_id = value->>'$.body.plan_id'`;
  const ofEvent = sql`j.job_id = value->>'subject_id' AND j.status = coalesce(value->>'$.data.status', j.status)`;
  return [
    ...insertCommands(edge, commands, sql`AND ${isStored(ofCommand)}`),
    ...insertEventsWhere(db, events, isStored(ofEvent), now),
  ];
}

function pick<T, K extends keyof T>(object: T, names: readonly K[]): Pick<T, K> {
  return Object.fromEntries(names.map((name) => [name, object[name]])) as Pick<T, K>;
}
