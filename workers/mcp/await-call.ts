/**
 * Waits for the end of a call that a node runs, and reads how it is. A request waits for a bounded time, by reading with
 * growing pauses; after that the caller reads on with the tool `status`. A call that its node has not even judged by then
 * is given up, so that nothing happens after the caller was answered. A client that disconnects or cancels the request ends
 * neither: it may send the call again, and gets the same one.
 */
import { and, eq, isNull, sql } from 'drizzle-orm';
import type { CommandState } from '../../schema/contracts/commands.ts';
import { MCP } from '../../schema/defaults.ts';
import { isOpenStatus } from '../../schema/domain/instruction-machine.ts';
import { nextPause } from '../../schema/domain/mcp-call.ts';
import { artifacts, commands, instructions, mcp_calls } from '../../schema/tables/index.ts';
import { guardThat } from '../db/guards.ts';
import type { Database } from '../db/open.ts';
import { expireCommands } from '../nodes/commands.ts';
import type { ToolAnswer } from './answer.ts';
import type { Caller } from './caller.ts';
import type { StoredCall } from './calls.ts';
import type { CalledInstruction } from './instruction-answer.ts';
import { instructionAnswer, unjudgedAnswer } from './instruction-answer.ts';

interface Seen {
  called: CalledInstruction | null;
  refused: string | null;
  /** No node had judged it in time. */
  given_up: boolean;
}

/** The answer to the call: its end, or how it is after the wait. */
export async function awaitCall(caller: Caller, call: StoredCall, repeated: boolean): Promise<ToolAnswer> {
  const { instruction_id, controller_id } = call;
  if (instruction_id === null || controller_id === null) throw new Error(`${call.message_id} has no instruction`);
  const until = caller.clock() + MCP.wait_ms;
  const progress = progressReporter(caller, instruction_id);
  const more = repeated ? { repeated } : {};
  let pauseMs: number | null = null;
  for (;;) {
    const { called, refused, given_up } = await read(caller.db, call.message_id);
    const isOver = caller.clock() >= until;
    if (called !== null && (isOver || !isOpenStatus(called.status))) return instructionAnswer(called, more);
    if (called === null && (refused !== null || given_up || (isOver && (await giveUp(caller, call))))) {
      return unjudgedAnswer(controller_id, instruction_id, refused);
    }
    await progress(called?.status ?? 'sent');
    pauseMs = nextPause(pauseMs, until - caller.clock());
    await sleep(pauseMs);
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** How an instruction is now; null when there is none of that id. */
export async function readInstruction(db: Database, instructionId: string): Promise<CalledInstruction | null> {
  const row = await db.select(CALLED).from(instructions).where(eq(instructions.instruction_id, instructionId)).get();
  return row === undefined ? null : withOutput(db, row);
}

const CALLED = {
  instruction_id: instructions.instruction_id,
  target: instructions.target,
  tool: instructions.tool,
  controller_id: instructions.controller_id,
  status: instructions.status,
  policy: instructions.policy,
  gate: instructions.gate,
  exit_code: instructions.exit_code,
  error_code: instructions.error_code,
  duration_ms: instructions.duration_ms,
  truncated: instructions.truncated,
  artifact_id: instructions.artifact_id,
  output_summary: instructions.output_summary,
};

/** D1 keys a row by column name, and an instruction has a status too. */
const COMMAND_STATUS = sql<CommandState | null>`${commands.status}`.as('command_status');

async function read(db: Database, messageId: string): Promise<Seen> {
  const row = await db
    .select({ ...CALLED, command_status: COMMAND_STATUS, command_code: commands.code, ended_at: mcp_calls.ended_at })
    .from(mcp_calls)
    .leftJoin(instructions, eq(instructions.instruction_id, mcp_calls.instruction_id))
    .leftJoin(commands, eq(commands.command_id, mcp_calls.command_id))
    .where(eq(mcp_calls.message_id, messageId))
    .get();
  if (row === undefined) return { called: null, refused: 'unknown', given_up: true };
  const { command_status, command_code, ended_at, ...called } = row;
  const refused = command_status === 'refused' ? (command_code ?? 'refused') : null;
  return { called: isFound(called) ? await withOutput(db, called) : null, refused, given_up: ended_at !== null };
}

type Columns = Omit<CalledInstruction, 'output'> & { artifact_id: string | null; output_summary: string | null };

function isFound(row: { [K in keyof Columns]: Columns[K] | null }): row is Columns {
  return row.instruction_id !== null;
}

async function withOutput(db: Database, { artifact_id, output_summary, ...row }: Columns): Promise<CalledInstruction> {
  if (artifact_id === null) return { ...row, output: output_summary };
  const stored = await db
    .select({ content: artifacts.content })
    .from(artifacts)
    .where(eq(artifacts.artifact_id, artifact_id))
    .get();
  return { ...row, output: stored?.content ?? output_summary };
}

/** Ends a call that no node has judged. False when one has meanwhile. */
async function giveUp(caller: Caller, { message_id, command_id }: StoredCall): Promise<boolean> {
  const { db } = caller;
  const isUnjudged = sql`NOT EXISTS (SELECT 1 FROM instructions WHERE message_id = ${message_id})`;
  return await caller.commit(async () => {
    const { called } = await read(db, message_id);
    if (called !== null) return { audited: false, response: false };
    return {
      guards: [guardThat(db, isUnjudged)],
      statements: [
        db
          .update(mcp_calls)
          .set({ ended_at: caller.clock() })
          .where(and(eq(mcp_calls.message_id, message_id), isNull(mcp_calls.ended_at))),
        expireCommands(caller, sql`(${command_id})`, 'given_up'),
      ],
      audited: false,
      response: true,
    };
  });
}

/** Reports at once, when the status has changed, and every few seconds. */
function progressReporter(caller: Caller, instructionId: string): (status: string) => Promise<void> {
  let last = '';
  let due = 0;
  return async (status) => {
    if (status === last && caller.clock() < due) return;
    last = status;
    due = caller.clock() + MCP.progress_interval_ms;
    await caller.progress(`${instructionId} is ${status}`);
  };
}
