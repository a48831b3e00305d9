/**
 * What a restored database shows as in flight, though it may have ended since. It is found by partial indexes, a bounded
 * number at a time, and ended without being done again, guarded by being as it was found.
 */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import { INSTRUCTION } from '../../schema/defaults.ts';
import { failJob } from '../../schema/domain/job-machine.ts';
import { guardThat } from '../db/guards.ts';
import type { JournalDraft } from '../db/journal.ts';
import type { Database, Statement } from '../db/open.ts';
import type { Edge, Plan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import type { JournalDraft } from '../instructions/journal.ts';
import { expireCommands } from '../nodes/commands.ts';
import type { JobAsRead } from '../renewal/job-reads.ts';
import { jobsInFlight } from '../renewal/job-reads.ts';
import { guardJobs, stepStatements } from '../renewal/job-steps.ts';

const MAX_MESSAGES = 100;
const MAX_JOBS = 500;
const MAX_COMMANDS = 500;
const REASON = 'restored';
/** What an open instruction becomes. */
const ENDS_AS = { executing: 'interrupted', waiting: 'expired' } as const satisfies Record<string, InstructionState>;

interface OpenInstruction {
  instruction_id: string;
  controller_id: string;
  executing: number;
}

export interface InFlight {
  instructions: OpenInstruction[];
  renewal_jobs: JobAsRead[];
  /** Ids. */
  commands: string[];
  /** Whether there may be more than this. */
  more: boolean;
}

/** In flight at `now`: the open instructions of whole messages, jobs that run or are due, commands without a receipt. */
export async function findInFlight(db: Database, now: number): Promise<InFlight> {
  // A message is found by an instruction that executes or has a deadline; its others wait for that one.
  const messages = await ids(
    db,
    sql`SELECT DISTINCT message_id AS id FROM (
      SELECT message_id FROM instructions WHERE ${EXECUTING}
      UNION ALL SELECT message_id FROM instructions WHERE approval_expires_at IS NOT NULL
    ) LIMIT ${MAX_MESSAGES}`,
  );
  const instructions = await db.all<OpenInstruction>(
    sql`SELECT instruction_id, controller_id, ${EXECUTING} AS executing FROM instructions
      WHERE message_id IN ${jsonList(messages)} AND ${OPEN}`,
  );
  const renewal_jobs = await jobsInFlight(db, now, MAX_JOBS);
  const commands = await ids(
    db,
    // The first condition is that of the index; the second leaves out commands that their nodes have received.
    sql`SELECT command_id AS id FROM commands WHERE status IN ('pending', 'received') AND status = 'pending'
      LIMIT ${MAX_COMMANDS}`,
  );
  const more = messages.length >= MAX_MESSAGES || renewal_jobs.length >= MAX_JOBS || commands.length >= MAX_COMMANDS;
  return { instructions, renewal_jobs, commands, more };
}

/**
 * The plan that ends all of it: executing instructions are `interrupted` and waiting ones `expired` (a person can submit
 * them again), jobs are `failed` (a person can redrive them), commands are `expired`.
 */
export function quarantine(edge: Edge, found: InFlight): Plan {
  return mergePlans(quarantineInstructions(edge, found.instructions), quarantineJobs(edge, found.renewal_jobs), {
    statements: [
      expireCommands(
        edge,
        sql`(SELECT command_id FROM commands WHERE status = 'pending' AND command_id IN ${jsonList(found.commands)})`,
        REASON,
      ),
    ],
  });
}

/** The last instruction of each message gets the time at which its reply is given up. */
function quarantineInstructions({ db, now }: Edge, found: readonly OpenInstruction[]): Plan {
  const instructions = jsonList(found.map((one) => one.instruction_id));
  return {
    guards: [guardUnchanged(db, found, 1), guardUnchanged(db, found, 0)],
    statements: [
      db.run(sql`UPDATE messages SET ingest_status = 'failed'
        WHERE ingest_status IN ('accepted', 'awaiting_approval') AND message_id IN
          (SELECT message_id FROM instructions WHERE instruction_id IN ${instructions} AND ${OPEN})`),
      db.run(sql`UPDATE instructions SET
          claim_expires_at = CASE WHEN "index" = (SELECT max(last."index") FROM instructions AS last
            WHERE last.message_id = instructions.message_id) THEN ${now + INSTRUCTION.reply_give_up_ms} END,
          status = CASE WHEN ${EXECUTING} THEN 'interrupted' ELSE 'expired' END,
          gate = CASE WHEN ${EXECUTING} THEN gate ELSE ${REASON} END,
          error_code = ${REASON}, finished_at = ${now}, updated_at = ${now}
        WHERE instruction_id IN ${instructions} AND ${OPEN}`),
    ],
    journal: found.map(lastEntry),
  };
}

function quarantineJobs(edge: Edge, jobs: readonly JobAsRead[]): Plan {
  const steps = jobs.map((job) => ({ job, next: failJob(job, REASON, edge.now).next }));
  return { guards: guardJobs(edge.db, jobs), statements: stepStatements(edge, steps) };
}

/** The found instructions that execute (or wait) must still do so: their last journal entries say how each one ends. */
function guardUnchanged(db: Database, found: readonly OpenInstruction[], executing: 0 | 1): Statement {
  const listed = found.filter((one) => one.executing === executing).map((one) => one.instruction_id);
  return guardThat(
    db,
    sql`(SELECT count(*) FROM instructions WHERE instruction_id IN ${jsonList(listed)}
      AND ${executing === 1 ? EXECUTING : WAITING}) = ${listed.length}`,
  );
}

function lastEntry({ instruction_id, controller_id: chain, executing }: OpenInstruction): JournalDraft {
  const [kind, status] = executing === 1 ? (['ended', 'interrupted'] as const) : (['gated', 'expired'] as const);
  return { chain, instruction_id, kind, controller_id: null, detail: { status, reason: REASON } };
}

const OPEN = sql`status IN ('claimed', 'running', 'waiting', 'awaiting_approval')`;
const EXECUTING = sql`status IN ('claimed', 'running')`;
const WAITING = sql`status IN ('waiting', 'awaiting_approval')`;

function jsonList(values: readonly string[]): SQL {
  return sql`(SELECT value FROM json_each(${JSON.stringify(values)}))`;
}

async function ids(db: Database, query: SQL): Promise<string[]> {
  return (await db.all<{ id: string }>(query)).map(({ id }) => id);
}
