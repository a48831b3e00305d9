/** The story of an instruction: its entries in the journal blocks of its message. */
import { asc, eq, sql } from 'drizzle-orm';
import type { InstructionEvent } from '../../schema/contracts/instructions.ts';
import { JournalContentSchema } from '../../schema/contracts/journal.ts';
import { journal_blocks } from '../../schema/tables/index.ts';
import type { Database } from '../db/open.ts';

/** A block's columns. JSON is read as text, because a row that was altered may hold none. */
export const STORED_BLOCK = {
  chain: journal_blocks.chain,
  seq: journal_blocks.seq,
  at: journal_blocks.at,
  message_id: journal_blocks.message_id,
  written_by: sql<string | null>`CAST(${journal_blocks.written_by} AS TEXT)`,
  entries: sql<string>`CAST(${journal_blocks.entries} AS TEXT)`,
  prev_hash: journal_blocks.prev_hash,
  hash: journal_blocks.hash,
  forgotten_at: journal_blocks.forgotten_at,
};

/** The value of a stored JSON text, or the text itself when it is no JSON any more. */
export function parseStored(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The query of a message's blocks, oldest first. They are in two chains when another node has claimed the message. */
export function blocksOfMessage(db: Database, messageId: string) {
  return db
    .select(STORED_BLOCK)
    .from(journal_blocks)
    .where(eq(journal_blocks.message_id, messageId))
    .orderBy(asc(journal_blocks.at), asc(journal_blocks.seq));
}

const StorySchema = JournalContentSchema.pick({ at: true, entries: true });

/** The events of one instruction in its message's blocks. A block that was altered is one event of the kind `altered`. */
export function storyOf(instructionId: string, blocks: readonly { at: number; entries: string }[]): InstructionEvent[] {
  const events = blocks.flatMap(({ at, entries }) => {
    const block = StorySchema.safeParse({ at, entries: parseStored(entries) });
    if (!block.success) return [{ at: 0, kind: 'altered', controller_id: null, detail: { stored: entries } }];
    return block.data.entries
      .filter((entry) => entry.instruction_id === instructionId)
      .map(({ kind, controller_id, detail }) => ({ at: block.data.at, kind, controller_id, detail }));
  });
  return events.map((event, n) => ({ seq: n + 1, ...event }));
}
