/**
 * What a restored database believes is in flight, though it may have ended since: found by partial indexes, a bounded
 * number at a time, and ended without being done again. Each statement names what was found and looks once more
 * whether it still stands so.
 */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import type { InstructionState } from '../../schema/contracts/instructions.ts';
import { replyDueAt } from '../../schema/domain/reply.ts';
import { guardThat } from '../db/guards.ts';
import type { JournalDraft } from '../db/journal.ts';
import type { Database, Statement } from '../db/open.ts';
import { OPEN_MESSAGE_SQL } from '../db/owes-reply.ts';
import { EXECUTING_SQL, OPEN_SQL, WAITING_SQL } from '../db/status-sql.ts';

const MAX_MESSAGES = 100;
const MAX_JOBS = 500;
const MAX_COMMANDS = 500;
const REASON = 'restored';
/** What an open instruction becomes. */
const ENDS_AS = { executing: 'interrupted', waiting: 'expired' } as const satisfies Record<string, InstructionState>;

interface OpenInstruction {
  instruction_id: string;
  message_id: string;
  controller_id: string;
  executing: number;
}

export interface InFlight {
  instructions: OpenInstruction[];
  renewal_jobs: string[];
  commands: string[];
  /** Whether there may be more than this. */
  more: boolean;
}

/** What is in flight at `now`: whole messages of instructions, jobs that are sent or were due, commands not received. */
export async function findInFlight(db: Database, now: number): Promise<InFlight> {
  const messages = await ids(
    db,
    sql`SELECT DISTINCT message_id AS id FROM instructions WHERE ${OPEN} LIMIT ${MAX_MESSAGES}`,
  );
  const instructions = await db.all<OpenInstruction>(
    sql`SELECT instruction_id, message_id, controller_id, ${EXECUTING} AS executing FROM instructions
      WHERE message_id IN (SELECT value FROM json_each(${JSON.stringify(messages)})) AND ${OPEN}`,
  );
  const jobs = await ids(
    db,
    sql`SELECT job_id AS id FROM renewal_jobs WHERE status = 'running'
      UNION ALL SELECT job_id FROM renewal_jobs WHERE status = 'pending' AND next_attempt_at <= ${now} LIMIT ${MAX_JOBS}`,
  );
  const commands = await ids(
    db,
    sql`SELECT command_id AS id FROM commands WHERE status IN ('pending', 'received') AND status = 'pending'
      LIMIT ${MAX_COMMANDS}`,
  );
  const more = messages.length >= MAX_MESSAGES || jobs.length >= MAX_JOBS || commands.length >= MAX_COMMANDS;
  return { instructions, renewal_jobs: jobs, commands, more };
}

/**
 * Ends all of it: what was claimed or ran is `interrupted`, what waited is `expired` (a person may submit it again), a
 * job is `failed` (a person may redrive it), a command is `expired`. Each message gets the time at which its
 * reply is given up.
 */
export function quarantine(db: Database, found: InFlight, now: number): Statement[] {
  const listed = (of: readonly string[]): SQL => sql`(SELECT value FROM json_each(${JSON.stringify(of)}))`;
  const instructions = listed(found.instructions.map((one) => one.instruction_id));
  return [
    db.run(sql`UPDATE messages SET ingest_status = 'failed', reply_due_at = ${replyDueAt('failed', now)}
      WHERE ingest_status ${OPEN_MESSAGE_SQL} AND message_id IN
        (SELECT message_id FROM instructions WHERE instruction_id IN ${instructions} AND ${OPEN})`),
    db.run(sql`UPDATE instructions SET
        claim_expires_at = NULL, approval_expires_at = NULL,
        status = CASE WHEN ${EXECUTING} THEN ${ENDS_AS.executing} ELSE ${ENDS_AS.waiting} END,
        gate = CASE WHEN ${EXECUTING} THEN gate ELSE ${REASON} END,
        error_code = ${REASON}, finished_at = ${now}, updated_at = ${now}
      WHERE instruction_id IN ${instructions} AND ${OPEN}`),
    db.run(sql`UPDATE renewal_jobs SET status = 'failed', last_error = ${REASON}, next_attempt_at = NULL,
        deadline_at = NULL, finished_at = ${now}, updated_at = ${now}
      WHERE job_id IN ${listed(found.renewal_jobs)} AND status IN ('pending', 'running')`),
    db.run(sql`UPDATE commands SET status = 'expired', code = ${REASON}, finished_at = ${now}
      WHERE command_id IN ${listed(found.commands)} AND status = 'pending'`),
  ];
}

/** The instructions must still be open as they were found: their journal tells how each of them ends. */
export function guardInFlight(db: Database, { instructions }: InFlight): Statement[] {
  const alike = (executing: number) => {
    const found = instructions.filter((one) => one.executing === executing).map((one) => one.instruction_id);
    return guardThat(
      db,
      sql`(SELECT count(*) FROM instructions WHERE instruction_id IN (SELECT value FROM json_each(${JSON.stringify(found)}))
        AND ${executing === 1 ? EXECUTING : WAITING}) = ${found.length}`,
    );
  };
  return [alike(1), alike(0)];
}

/** The last line of each story. */
export function quarantineStory({ instructions }: InFlight): JournalDraft[] {
  return instructions.map(({ instruction_id, message_id, controller_id: chain, executing }) => {
    const [kind, status] =
      executing === 1 ? (['ended', ENDS_AS.executing] as const) : (['gated', ENDS_AS.waiting] as const);
    return { chain, message_id, instruction_id, kind, controller_id: null, detail: { status, reason: REASON } };
  });
}

const OPEN = sql`status ${OPEN_SQL}`;
const EXECUTING = sql`status ${EXECUTING_SQL}`;
const WAITING = sql`status ${WAITING_SQL}`;

async function ids(db: Database, query: SQL): Promise<string[]> {
  return (await db.all<{ id: string }>(query)).map(({ id }) => id);
}
