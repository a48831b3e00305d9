/** Messages and instructions as the API shows them: lists by key, and one with all that belongs to it. */
import type { SQL } from 'drizzle-orm';
import { and, asc, eq } from 'drizzle-orm';
import type { z } from 'zod';
import type { InstructionDetailSchema, MessageDetailSchema } from '../../schema/contracts/instructions.ts';
import { ApprovalSchema, InstructionSchema, MessageSchema } from '../../schema/contracts/instructions.ts';
import { AppError } from '../../schema/errors.ts';
import { instructions, messages } from '../../schema/tables/index.ts';
import type { Database } from '../db/open.ts';
import type { Page, PageRequest } from '../http/paging.ts';
import { pageWindow, toPage } from '../http/paging.ts';
import { blocksOfMessage, storyOf } from '../instructions/story.ts';

export type MessageRow = typeof messages.$inferSelect;

/** A message in a list: without its text, which may be long. */
export const MessageSummarySchema = MessageSchema.omit({ raw_text: true, block_errors: true, capture: true });

export async function listMessages(db: Database, filter: SQL | undefined, page: PageRequest) {
  const window = pageWindow(messages.ingest_seq, page);
  const rows = await db
    .select()
    .from(messages)
    .where(and(filter, window.where))
    .orderBy(window.orderBy)
    .limit(window.limit);
  const { items, next_cursor } = toPage(rows, page, (row) => row.ingest_seq);
  return { items: items.map((row) => MessageSummarySchema.parse(row)), next_cursor };
}

/** Throws `message_not_found`. */
export async function findMessage(db: Database, messageId: string): Promise<MessageRow> {
  const row = await db.select().from(messages).where(eq(messages.message_id, messageId)).get();
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
  return { ...MessageSchema.parse(row), instructions: its.map((one) => InstructionSchema.parse(one)) };
}

export async function listInstructions(
  db: Database,
  filter: SQL | undefined,
  page: PageRequest,
): Promise<Page<z.output<typeof InstructionSchema>>> {
  const window = pageWindow(instructions.instruction_id, page);
  const rows = await db
    .select()
    .from(instructions)
    .where(and(filter, window.where))
    .orderBy(window.orderBy)
    .limit(window.limit);
  const { items, next_cursor } = toPage(rows, page, (row) => row.instruction_id);
  return { items: items.map((row) => InstructionSchema.parse(row)), next_cursor };
}

/** Throws `instruction_not_found`. */
export async function instructionDetail(
  db: Database,
  instructionId: string,
): Promise<z.input<typeof InstructionDetailSchema>> {
  const row = await db.select().from(instructions).where(eq(instructions.instruction_id, instructionId)).get();
  if (row === undefined) throw new AppError('instruction_not_found', `there is no instruction ${instructionId}`);
  // What was asked stays with the row; it is shown while somebody is asked.
  const approval =
    row.status === 'awaiting_approval' && row.approval !== null ? ApprovalSchema.parse(row.approval) : null;
  return {
    ...InstructionSchema.parse(row),
    approval,
    events: storyOf(instructionId, await blocksOfMessage(db, row.message_id)),
  };
}

/** The hash of that message's text, by which repeats are known. */
export async function findTextHash(db: Database, messageId: string): Promise<string | null> {
  const row = await db
    .select({ text_hash: messages.text_hash })
    .from(messages)
    .where(eq(messages.message_id, messageId))
    .get();
  return row?.text_hash ?? null;
}
