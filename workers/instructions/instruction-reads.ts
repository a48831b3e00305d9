/** Instructions as the API shows them: lists by key, and one with its journal entries. */
import type { SQL } from 'drizzle-orm';
import { and, eq, getTableColumns, sql } from 'drizzle-orm';
import type { z } from 'zod';
import { PlatformSchema } from '../../schema/contracts/common.ts';
import type { Instruction, InstructionDetailSchema, InstructionState } from '../../schema/contracts/instructions.ts';
import { ApprovalSchema, InstructionSchema } from '../../schema/contracts/instructions.ts';
import { isFinalStatus, isOpenStatus } from '../../schema/domain/instruction-machine.ts';
import type { TrackedInstruction } from '../../schema/domain/message-progress.ts';
import { AppError } from '../../schema/errors.ts';
import type { InstructionRow } from '../../schema/tables/index.ts';
import { instructions } from '../../schema/tables/index.ts';
import { equals } from '../db/filters.ts';
import type { Database } from '../db/open.ts';
import type { Edge } from '../db/plan.ts';
import { marked } from '../db/readable.ts';
import { BEHIND_SQL, OPEN_IN_INDEX_SQL, OPEN_SQL } from '../db/status-sql.ts';
import type { Page, PageRequest } from '../http/paging.ts';
import { listWindow, toBoundedPage } from '../http/paging.ts';
import { blocksOfMessage, storyOf } from './story.ts';

export interface InstructionFilter {
  controller_id: string | null;
  status?: InstructionState | undefined;
  message_id?: string | undefined;
  local_conversation_id?: string | undefined;
}

/** The first open instruction before one that waits. Costs a row of an index for each instruction before it. */
const WAITS_FOR = sql<number | null>`CASE WHEN status ${BEHIND_SQL} THEN
  (SELECT min(e."index") FROM instructions AS e WHERE e.message_id = instructions.message_id
    AND e."index" < instructions."index" AND e.status ${OPEN_SQL}) END`;
/** Where its conversation is. */
const PLATFORM = sql<unknown>`(SELECT m.platform FROM messages AS m WHERE m.message_id = instructions.message_id)`;
/** Who called it through MCP. */
const MCP_SUBJECT = sql<string | null>`(SELECT c.subject FROM mcp_calls AS c
  WHERE c.message_id = instructions.message_id)`;
/** The columns of an instruction, and what it waits for. */
const SHOWN = { ...getTableColumns(instructions), waits_for: WAITS_FOR };

/** Newest first. With the status of what has ended, a page can be short and still have a `next_cursor`. */
export async function listInstructions(
  db: Database,
  filter: InstructionFilter,
  page: PageRequest,
): Promise<Page<Instruction>> {
  const { status, message_id, local_conversation_id } = filter;
  const isOfPlace = message_id !== undefined || local_conversation_id !== undefined;
  const isFound = isOfPlace || status === undefined || isOpenStatus(status);
  const window = await listWindow(db, instructions.instruction_id, page, isFound);
  const rows = await db
    .select(SHOWN)
    .from(instructions)
    .where(
      and(
        equals(instructions.controller_id, filter.controller_id),
        statusIs(status),
        equals(instructions.message_id, message_id),
        isIn(local_conversation_id),
        window.where,
      ),
    )
    .orderBy(window.orderBy)
    .limit(window.limit);
  const { items, next_cursor } = toBoundedPage(rows, page, window, (row) => row.instruction_id);
  return { items: items.map((row) => InstructionSchema.parse(marked(row))), next_cursor };
}

/** What is open is asked for often: it is found in the index of open instructions. */
function statusIs(status: InstructionState | undefined): SQL | undefined {
  if (status === undefined || !isOpenStatus(status)) return equals(instructions.status, status);
  return sql`${instructions.instruction_id} IN
    (SELECT instruction_id FROM instructions WHERE status ${OPEN_IN_INDEX_SQL} AND status = ${status})`;
}

/** Found by the messages of the conversation: it costs some rows for each of them, however much else is stored. */
function isIn(conversationId: string | undefined): SQL | undefined {
  if (conversationId === undefined) return undefined;
  return sql`${instructions.instruction_id} IN (SELECT i.instruction_id FROM messages AS m CROSS JOIN instructions AS i
    WHERE m.local_conversation_id = ${conversationId} AND i.message_id = m.message_id)`;
}

/** Throws `instruction_not_found`. */
export async function instructionDetail(
  { db, now }: Pick<Edge, 'db' | 'now'>,
  instructionId: string,
): Promise<z.input<typeof InstructionDetailSchema>> {
  const shown = { ...SHOWN, platform: PLATFORM, mcp_subject: MCP_SUBJECT };
  const row = await db.select(shown).from(instructions).where(eq(instructions.instruction_id, instructionId)).get();
  if (row === undefined) throw new AppError('instruction_not_found', `there is no instruction ${instructionId}`);
  // The row keeps what was asked; it is shown while a person is asked.
  const isAsked = row.status === 'awaiting_approval' && row.approval !== null;
  return {
    ...InstructionSchema.parse(marked(row)),
    platform: PlatformSchema.safeParse(row.platform).data,
    mcp_subject: row.mcp_subject,
    approval: isAsked ? ApprovalSchema.parse(row.approval) : null,
    asked_folder: row.approval?.cwd ?? null,
    approval_expires_in_ms:
      isAsked && row.approval_expires_at !== null ? Math.max(0, row.approval_expires_at - now) : null,
    events: storyOf(instructionId, await blocksOfMessage(db, row.message_id)),
  };
}

/** An instruction as its row will be once the change to `after` is stored. */
export function viewAfter(
  { now }: Pick<Edge, 'now'>,
  row: InstructionRow,
  after: readonly TrackedInstruction[],
): Instruction {
  const { status, gate, claim_expires_at } = after.find((one) => one.instruction_id === row.instruction_id) ?? row;
  const finished_at = row.finished_at ?? (isFinalStatus(status) ? now : null);
  return InstructionSchema.parse({ ...row, status, gate, claim_expires_at, finished_at, updated_at: now });
}
