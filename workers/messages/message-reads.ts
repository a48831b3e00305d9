/** Messages as the API shows them: lists by key, and one with its instructions. */
import type { SQL } from 'drizzle-orm';
import { and, asc, eq, sql } from 'drizzle-orm';
import type { z } from 'zod';
import type { IngestStatus, MessageDetailSchema, MessageSummary } from '../../schema/contracts/instructions.ts';
import { InstructionSchema, MessageSchema, MessageSummarySchema } from '../../schema/contracts/instructions.ts';
import { isOpenStatus } from '../../schema/domain/instruction-machine.ts';
import { AppError } from '../../schema/errors.ts';
import type { InstructionRow, MessageRow } from '../../schema/tables/index.ts';
import { instructions, messages } from '../../schema/tables/index.ts';
import { contractColumns } from '../db/columns.ts';
import { equals } from '../db/filters.ts';
import type { Database } from '../db/open.ts';
import { marked } from '../db/readable.ts';
import type { Page, PageRequest } from '../http/paging.ts';
import { pageWindow, toPage } from '../http/paging.ts';

export interface MessageFilter {
  controller_id: string | null;
  local_conversation_id?: string | undefined;
  ingest_status?: IngestStatus | undefined;
}

/** Newest first, without their texts. */
export async function listMessages(
  db: Database,
  filter: MessageFilter,
  page: PageRequest,
): Promise<Page<MessageSummary>> {
  const window = pageWindow(messages.ingest_seq, page);
  const rows = await db
    .select(contractColumns(messages, MessageSummarySchema))
    .from(messages)
    .where(
      and(
        equals(messages.controller_id, filter.controller_id),
        isIn(filter.local_conversation_id),
        equals(messages.ingest_status, filter.ingest_status),
        window.where,
      ),
    )
    .orderBy(window.orderBy)
    .limit(window.limit);
  return toPage(rows, page, (row) => row.ingest_seq);
}

/** Found by the first column of another index: it costs a row of that index for each message of the conversation. */
function isIn(conversationId: string | undefined): SQL | undefined {
  if (conversationId === undefined) return undefined;
  return sql`${messages.ingest_seq} IN (SELECT ingest_seq FROM messages WHERE local_conversation_id = ${conversationId})`;
}

/** Throws `message_not_found`. */
export async function findMessage(db: Database, messageId: string): Promise<MessageRow> {
  const row = await db.select().from(messages).where(eq(messages.message_id, messageId)).get();
  if (row === undefined) throw new AppError('message_not_found', `there is no message ${messageId}`);
  return row;
}

/** The message without its text. Throws `message_not_found`. */
export async function findSummary(db: Database, messageId: string): Promise<MessageSummary> {
  const summary = contractColumns(messages, MessageSummarySchema);
  const row = await db.select(summary).from(messages).where(eq(messages.message_id, messageId)).get();
  if (row === undefined) throw new AppError('message_not_found', `there is no message ${messageId}`);
  return row;
}

export async function messageDetail(db: Database, messageId: string): Promise<z.input<typeof MessageDetailSchema>> {
  const row = await findMessage(db, messageId);
  const its = await db
    .select()
    .from(instructions)
    .where(eq(instructions.message_id, messageId))
    .orderBy(asc(instructions.index));
  return {
    ...MessageSchema.parse(marked(row)),
    instructions: its.map((one) => InstructionSchema.parse({ ...marked(one), waits_for: waitsFor(its, one) })),
  };
}

/** The position of the first open instruction before one that waits. */
function waitsFor(all: readonly InstructionRow[], { status, index }: InstructionRow): number | null {
  if (status !== 'waiting') return null;
  return all.find((one) => one.index < index && isOpenStatus(one.status))?.index ?? null;
}
