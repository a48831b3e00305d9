/**
 * How an instruction ends, whoever ends it: its holder, a person, or the reaper. One batch moves the instruction, what
 * follows for the rest of its message, the message itself when nothing of it is open any more, and the conversation's
 * breaker; guarded by the mode version and by how the whole message stood.
 */
import { and, eq, inArray, ne, sql } from 'drizzle-orm';
import type { InstructionState } from '../../schema/contracts/instructions.ts';
import { countExecution } from '../../schema/domain/conversation.ts';
import { OPEN_MESSAGE_STATUSES } from '../../schema/domain/message-machine.ts';
import type { TrackedInstruction, TransitionResult } from '../../schema/domain/message-progress.ts';
import { applyTransition } from '../../schema/domain/message-progress.ts';
import { AppError } from '../../schema/errors.ts';
import { fence, instructions, local_conversations, messages } from '../../schema/tables/index.ts';
import { guardModeVersion, guardThat } from '../db/guards.ts';
import type { Database, Statement } from '../db/open.ts';
import type { Plan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import { pushChanged } from '../nodes/push.ts';
import type { ConversationRow } from '../renewal/conversations.ts';
import { guardStatus, storeConversation } from '../renewal/conversations.ts';
import type { InstructionRow } from './statuses.ts';
import { guardStatuses, siblingsOf, storeStatuses, toTracked } from './statuses.ts';

/** A message's instructions as they stand, and what they may do now depends on. */
export interface LoadedMessage {
  /** In message order. */
  rows: InstructionRow[];
  statuses: TrackedInstruction[];
  conversation: ConversationRow;
  fence: typeof fence.$inferSelect;
  /** Another message of that conversation is executing. */
  busy: boolean;
}
export interface LoadedInstruction extends LoadedMessage {
  row: InstructionRow;
}

/** The instruction with its message, conversation and the fence. Throws `instruction_not_found`. */
export async function readInstruction(db: Database, instructionId: string): Promise<LoadedInstruction> {
  const rows = await siblingsOf(db, instructionId);
  const row = rows.find((one) => one.instruction_id === instructionId);
  if (row === undefined) throw new AppError('instruction_not_found', `there is no instruction ${instructionId}`);
  return { row, ...(await readMessage(db, row, rows)) };
}

/** What surrounds the instructions `rows` of one message. */
export async function readMessage(
  db: Database,
  { message_id, local_conversation_id }: Pick<InstructionRow, 'message_id' | 'local_conversation_id'>,
  rows: InstructionRow[],
): Promise<LoadedMessage> {
  const [fences, conversations, executing] = await db.batch([
    db.select().from(fence).where(eq(fence.id, 1)),
    db.select().from(local_conversations).where(eq(local_conversations.local_conversation_id, local_conversation_id)),
    db
      .select({ message_id: instructions.message_id })
      .from(instructions)
      .where(
        and(
          eq(instructions.local_conversation_id, local_conversation_id),
          sql`${instructions.status} IN ('claimed', 'running')`,
          ne(instructions.message_id, message_id),
        ),
      )
      .limit(1),
  ]);
  const [standingFence] = fences;
  const [conversation] = conversations;
  if (standingFence === undefined || conversation === undefined) {
    throw new Error(`message ${message_id} has lost its conversation`);
  }
  return { rows, statuses: rows.map(toTracked), conversation, fence: standingFence, busy: executing.length > 0 };
}

export interface Ending {
  to: InstructionState;
  /** Who ended it; null for the system. */
  controller_id: string | null;
  detail: Record<string, unknown>;
  /** The conversation after what the instruction itself did to it; as read when it did nothing. */
  conversation?: ConversationRow;
}

/** The plan that ends an instruction, and what that makes of its message. */
export interface EndingPlan {
  plan: Plan;
  ending: TransitionResult;
}

/** The move must be one that the transition table allows. */
export function endInstruction(
  env: Env,
  db: Database,
  loaded: LoadedInstruction,
  ending: Ending,
  now: number,
): EndingPlan {
  const { row, statuses } = loaded;
  const settled = applyTransition(statuses, row.instruction_id, ending.to, {
    mode: loaded.fence.mode,
    waiting_gate: loaded.conversation.automation_status === 'paused' ? 'automation_paused' : busyGate(loaded),
    now,
  });
  const before = ending.conversation ?? loaded.conversation;
  const after = settled.counts_as === null ? before : countExecution(before, settled.counts_as, now);
  const conversation = storeConversation(env, db, loaded.conversation, after, now);
  const { controller_id, detail } = ending;
  const stored = storeStatuses(db, statuses, settled.statuses, {
    chain: row.controller_id,
    message_id: row.message_id,
    controller_id,
    detail,
    now,
  });
  const released = settled.statuses.some((one, n) => one.status === 'claimed' && statuses[n]?.status === 'waiting');
  const guarded: Plan = {
    guards: [
      guardModeVersion(db, loaded.fence.mode_version),
      guardStatuses(db, row.message_id, statuses),
      ...(released ? [guardFree(db, row), guardStatus(db, loaded.conversation)] : []),
    ],
    events: [{ topic: 'instructions', type: 'ended', subject_id: row.instruction_id, data: { status: ending.to } }],
  };
  const message = settled.message === null ? {} : endMessage(db, row.message_id, settled.message);
  return { ending: settled, plan: mergePlans(guarded, stored, message, conversation) };
}

/** The plan of whoever ends an instruction from outside: its holder is told to look again. */
export function endFromOutside(
  env: Env,
  db: Database,
  loaded: LoadedInstruction,
  ending: Ending,
  now: number,
): EndingPlan {
  const ended = endInstruction(env, db, loaded, ending, now);
  const notice = { after: () => pushChanged(env, loaded.row.controller_id, 'instructions', idsOf(loaded)) };
  return { ...ended, plan: mergePlans(ended.plan, notice) };
}

export function idsOf({ rows }: LoadedMessage): string[] {
  return rows.map((row) => row.instruction_id);
}

function busyGate(loaded: LoadedInstruction): string | null {
  return loaded.busy ? 'automation_busy' : null;
}

/** No other message of that conversation may be executing. */
export function guardFree(db: Database, row: Pick<InstructionRow, 'message_id' | 'local_conversation_id'>): Statement {
  return guardThat(
    db,
    sql`NOT EXISTS (SELECT 1 FROM instructions WHERE local_conversation_id = ${row.local_conversation_id}
      AND status IN ('claimed', 'running') AND message_id <> ${row.message_id})`,
  );
}

function endMessage(db: Database, messageId: string, status: 'executed' | 'failed'): Plan {
  const isOpen = inArray(messages.ingest_status, OPEN_MESSAGE_STATUSES);
  return {
    statements: [
      db
        .update(messages)
        .set({ ingest_status: status })
        .where(and(eq(messages.message_id, messageId), isOpen)),
    ],
    events: [{ topic: 'messages', type: status, subject_id: messageId }],
  };
}
