/**
 * What a restored database shows as in flight, though it may have ended since. It is found by partial indexes, a bounded
 * number at a time, and ended without being done again, guarded by being as it was found.
 */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import type { InstructionState } from '../../schema/contracts/instructions.ts';
import { isExecutingStatus, moveInstruction } from '../../schema/domain/instruction-machine.ts';
import { failJob } from '../../schema/domain/job-machine.ts';
import { replyDueAt } from '../../schema/domain/reply.ts';
import { guardThat } from '../db/guards.ts';
import type { JournalDraft } from '../db/journal.ts';
import type { Database } from '../db/open.ts';
import { OPEN_MESSAGE_SQL } from '../db/owes-reply.ts';
import type { Edge, Plan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import { OPEN_SQL } from '../db/status-sql.ts';
import { expireCommands } from '../nodes/commands.ts';
import type { JobAsRead } from '../renewal/job-reads.ts';
import { jobsInFlight } from '../renewal/job-reads.ts';
import { guardJobs, stepStatements } from '../renewal/job-steps.ts';
import type { OpenTask } from '../tasks/quarantine.ts';
import { openTasks, quarantineTasks } from '../tasks/quarantine.ts';

const MAX_MESSAGES = 100;
const MAX_JOBS = 500;
const MAX_COMMANDS = 500;
const MAX_TASKS = 200;
const REASON = 'restored';

interface OpenInstruction {
  instruction_id: string;
  message_id: string;
  controller_id: string;
  status: InstructionState;
}

export interface InFlight {
  instructions: OpenInstruction[];
  renewal_jobs: JobAsRead[];
  tasks: OpenTask[];
  /** Ids. */
  commands: string[];
  /** Whether there may be more than this. */
  more: boolean;
}

/** In flight at `now`: the open instructions of whole messages, jobs that run or are due, tasks, commands without a receipt. */
export async function findInFlight(db: Database, now: number): Promise<InFlight> {
  const messages = await ids(
    db,
    sql`SELECT DISTINCT message_id AS id FROM instructions WHERE status ${OPEN_SQL} LIMIT ${MAX_MESSAGES}`,
  );
  const instructions = await db.all<OpenInstruction>(
    sql`SELECT instruction_id, message_id, controller_id, status FROM instructions
      WHERE message_id IN ${jsonList(messages)} AND status ${OPEN_SQL}`,
  );
  const renewal_jobs = await jobsInFlight(db, now, MAX_JOBS);
  const tasks = await openTasks(db, MAX_TASKS);
  const commands = await ids(
    db,
    // The first condition is that of the index; the second leaves out commands that their nodes have received.
    sql`SELECT command_id AS id FROM commands WHERE status IN ('pending', 'received') AND status = 'pending'
      LIMIT ${MAX_COMMANDS}`,
  );
  const more =
    messages.length >= MAX_MESSAGES ||
    renewal_jobs.length >= MAX_JOBS ||
    tasks.length >= MAX_TASKS ||
    commands.length >= MAX_COMMANDS;
  return { instructions, renewal_jobs, tasks, commands, more };
}

/**
 * The plan that ends all of it: executing instructions are `interrupted` and waiting ones `expired` (a person can submit
 * them again), jobs are `failed` (a person can redrive them), tasks are `failed` or, when they had not begun, `canceled` (a
 * person can retry them), commands are `expired`.
 */
export function quarantine(edge: Edge, found: InFlight): Plan {
  return mergePlans(
    quarantineInstructions(edge, found.instructions),
    quarantineJobs(edge, found.renewal_jobs),
    quarantineTasks(edge, found.tasks, REASON),
    {
      statements: [
        expireCommands(
          edge,
          sql`(SELECT command_id FROM commands WHERE status = 'pending' AND command_id IN ${jsonList(found.commands)})`,
          REASON,
        ),
      ],
    },
  );
}

/** What an open instruction becomes. */
function endOf(status: InstructionState): InstructionState {
  return moveInstruction(status, isExecutingStatus(status) ? 'interrupted' : 'expired');
}

/** Each message also gets the time at which its reply is given up. */
function quarantineInstructions({ db, now }: Edge, found: readonly OpenInstruction[]): Plan {
  const rows = found.map(({ instruction_id, status }) => ({
    instruction_id,
    read: status,
    next: endOf(status),
    gate: isExecutingStatus(status) ? null : REASON,
  }));
  const ends = sql`(SELECT value->>'instruction_id' AS id, value->>'read' AS read, value->>'next' AS next,
    value->>'gate' AS gate FROM json_each(${JSON.stringify(rows)})) AS o`;
  const isAsRead = sql`instructions.instruction_id = o.id AND instructions.status = o.read`;
  return {
    guards: [
      guardThat(db, sql`(SELECT count(*) FROM ${ends} CROSS JOIN instructions WHERE ${isAsRead}) = ${rows.length}`),
    ],
    statements: [
      db.run(sql`UPDATE messages SET ingest_status = 'failed', reply_due_at = ${replyDueAt('failed', now)}
        WHERE ingest_status ${OPEN_MESSAGE_SQL} AND message_id IN
          (SELECT message_id FROM ${ends} CROSS JOIN instructions WHERE ${isAsRead})`),
      db.run(sql`UPDATE instructions SET status = o.next, gate = coalesce(o.gate, instructions.gate),
          claim_expires_at = NULL, approval_expires_at = NULL,
          error_code = ${REASON}, finished_at = ${now}, updated_at = ${now}
        FROM ${ends} WHERE ${isAsRead}`),
    ],
    journal: found.map(lastEntry),
  };
}

/** The last entry of its journal. */
function lastEntry({ instruction_id, message_id, controller_id: chain, status }: OpenInstruction): JournalDraft {
  const kind = isExecutingStatus(status) ? 'ended' : 'gated';
  const detail = { status: endOf(status), reason: REASON };
  return { chain, message_id, instruction_id, kind, controller_id: null, detail };
}

function quarantineJobs(edge: Edge, jobs: readonly JobAsRead[]): Plan {
  const steps = jobs.map((job) => ({ job, next: failJob(job, REASON, edge.now).next }));
  return { guards: guardJobs(edge.db, jobs), statements: stepStatements(edge, steps) };
}

function jsonList(values: readonly string[]): SQL {
  return sql`(SELECT value FROM json_each(${JSON.stringify(values)}))`;
}

async function ids(db: Database, query: SQL): Promise<string[]> {
  return (await db.all<{ id: string }>(query)).map(({ id }) => id);
}
