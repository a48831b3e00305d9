/**
 * What `conductor doctor` asks: which migrations D1 has run, whether the objects respond, whether D1 is behind them, and
 * what has no live deadline any more. It reads a bounded number of rows over the partial indexes, and changes nothing. A
 * part that fails is null, and the others still come: this is asked for when something is wrong.
 */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import { allHubs, automationState, leaderLease, timedJobs } from '../../durable-objects/stubs.ts';
import type { Overdue, SystemHealth } from '../../schema/contracts/health.ts';
import { VERSION } from '../../schema/version.ts';
import type { Database } from '../db/open.ts';
import type { Edge } from '../db/plan.ts';
import { APPROVAL_DUE_SQL, EXECUTING_SQL } from '../db/status-sql.ts';
import { LIVE_RUN_SQL } from '../db/task-sql.ts';

/** A tick ends what is due within a minute; what is later than this was missed by several. */
const GRACE_MS = 300_000;
const MAX_MIGRATIONS = 1_000;
const MAX_OF_A_KIND = 10;

export async function readHealth(edge: Edge): Promise<SystemHealth> {
  const { env, db, now } = edge;
  const [migrations, objects, fence, overdue] = await Promise.all([
    orNull(readMigrations(db)),
    askObjects(env),
    orNull(compareFences(env)),
    orNull(readOverdue(db, now - GRACE_MS)),
  ]);
  return { version: VERSION, migrations, objects, fence, overdue };
}

async function orNull<T>(part: Promise<T | null>): Promise<T | null> {
  return part.catch(() => null);
}

async function readMigrations(db: Database): Promise<string[]> {
  const rows = await db.all<{ name: string }>(sql`SELECT name FROM d1_migrations ORDER BY id LIMIT ${MAX_MIGRATIONS}`);
  return rows.map(({ name }) => name);
}

/** An object that was written by another version refuses to start, and says so in the error. */
async function askObjects(env: Edge['env']): Promise<SystemHealth['objects']> {
  const asked: [name: string, Promise<unknown>][] = [
    ['LeaderLease', leaderLease(env).read()],
    ['AutomationState', automationState(env).read()],
    ['TimedJobs', timedJobs(env).read()],
    ...allHubs(env).map((hub): [string, Promise<unknown>] => ['NodeHub', hub.presence([])]),
  ];
  return Promise.all(
    asked.map(async ([name, response]) => {
      const problem = await response.then(
        () => null,
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );
      return { name, problem };
    }),
  );
}

async function compareFences(env: Edge['env']): Promise<SystemHealth['fence']> {
  // Read before D1: a version that D1 confirms meanwhile must not look like a restore.
  const { version: mode_version, epoch } = await automationState(env).read();
  const lease = await leaderLease(env).compareFence();
  if (lease.status !== 'compared') return null;
  const { d1, term } = lease;
  const is_behind = lease.behind || d1.mode_version < mode_version || d1.epoch < epoch;
  return { d1, objects: { term, mode_version, epoch }, is_behind };
}

/** Two statements: D1 takes five parts of a UNION at most. */
async function readOverdue(db: Database, before: number): Promise<Overdue[]> {
  const late = (
    kind: Overdue['kind'],
    table: string,
    columns: { id: string; status: string; deadline: string },
    is: SQL,
  ) => {
    const [id, status, deadline] = [columns.id, columns.status, columns.deadline].map((name) => sql.raw(name));
    return sql`SELECT * FROM (SELECT ${kind} AS kind, ${id} AS id, ${status} AS status, ${deadline} AS deadline_at
      FROM ${sql.raw(table)} WHERE ${is} AND (${deadline} IS NULL OR ${deadline} <= ${before}) LIMIT ${MAX_OF_A_KIND})`;
  };
  const instruction = { id: 'instruction_id', status: 'status', deadline: 'claim_expires_at' };
  const approval = { ...instruction, deadline: 'approval_expires_at' };
  const reply = { id: 'message_id', status: 'ingest_status', deadline: 'reply_due_at' };
  const job = { id: 'job_id', status: 'status', deadline: 'deadline_at' };
  const command = { id: 'command_id', status: 'status', deadline: 'expires_at' };
  const parts = [
    [
      late('instruction', 'instructions', instruction, sql`status ${EXECUTING_SQL}`),
      late('approval', 'instructions', approval, sql`status ${APPROVAL_DUE_SQL}`),
      late('reply', 'messages', reply, sql`reply_due_at IS NOT NULL`),
    ],
    [
      late('renewal_job', 'renewal_jobs', job, sql`status = 'running'`),
      late('run', 'runs', { ...job, id: 'run_id' }, sql`status ${LIVE_RUN_SQL}`),
      late('command', 'commands', command, sql`status IN ('pending', 'received')`),
    ],
  ];
  const found = await Promise.all(parts.map((part) => db.all<Overdue>(sql.join(part, sql` UNION ALL `))));
  return found.flat();
}
