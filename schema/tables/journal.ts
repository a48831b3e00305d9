/** The journal of instruction events, and where its chains end. */
import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { JournalAuthor, JournalEntry } from '../contracts/journal.ts';
import { json } from './json-column.ts';

/** One block a commit and message. Stored WITHOUT ROWID, so that its key costs no row of an index. */
export const journal_blocks = sqliteTable(
  'journal_blocks',
  {
    /** The node whose chain it is in. Two commits that continue a chain from the same place collide on the key. */
    chain: text().notNull(),
    seq: integer().notNull(),
    at: integer().notNull(),
    message_id: text().notNull(),
    written_by: json<JournalAuthor>(() => ({ actor: '', role: '', action: '', request_id: '' })),
    entries: json<JournalEntry[]>(() => []).notNull(),
    prev_hash: text().notNull(),
    hash: text().notNull(),
    /** When the printed output in its entries was removed: its hash is that of the block before. */
    forgotten_at: integer(),
  },
  (t) => [primaryKey({ columns: [t.chain, t.seq] }), index('journal_blocks_by_message').on(t.message_id)],
);

/**
 * The head that the newest write of a person or a timed job left to each chain. A write of an outbox keeps its head in
 * the mark of its stream, which is written anyway.
 */
export const journal_heads = sqliteTable('journal_heads', {
  chain: text().primaryKey(),
  seq: integer().notNull(),
  hash: text().notNull(),
});
