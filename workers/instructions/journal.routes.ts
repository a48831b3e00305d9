/** `GET /v1/journal`: the blocks of a node's chain in order, and the heads that are kept apart from it. */
import type { SQL } from 'drizzle-orm';
import { and, asc, eq, gt, sql } from 'drizzle-orm';
import type { ChainHead, JournalBlock } from '../../schema/contracts/journal.ts';
import {
  GENESIS_HASH,
  JournalBlockSchema,
  JournalPageSchema,
  JournalQuerySchema,
} from '../../schema/contracts/journal.ts';
import { journal_blocks } from '../../schema/tables/index.ts';
import type { MountedRoute } from '../http/route.ts';
import { READERS, read } from '../http/route.ts';
import { parseStored, STORED_BLOCK } from './story.ts';

export const journal: readonly MountedRoute[] = [
  read(
    {
      method: 'get',
      path: '/v1/journal',
      summary: 'The journal of one node, oldest block first, with the hashes that bind each block to the one before it',
      tag: 'instructions',
      roles: READERS,
      query: JournalQuerySchema,
      data: JournalPageSchema,
    },
    async ({ db, query: { controller_id: chain, after, limit } }) => {
      const [rows, heads] = await db.batch([
        db
          .select(STORED_BLOCK)
          .from(journal_blocks)
          .where(and(eq(journal_blocks.chain, chain), gt(journal_blocks.seq, after)))
          .orderBy(asc(journal_blocks.seq))
          .limit(limit + 1),
        db.all<ChainHead>(keptHeads(chain, after)),
      ]);
      const items = rows.slice(0, limit).map(toBlock);
      const next_after = rows.length > limit ? (items.at(-1)?.seq ?? null) : null;
      return { items, next_after, heads: heads.filter(({ seq }) => next_after === null || seq <= next_after) };
    },
  ),
];

/** The heads kept of that chain: by the marks of its node's streams, and by the newest write without such a mark. */
function keptHeads(chain: string, after: number): SQL {
  return sql`SELECT seq, hash FROM journal_heads WHERE chain = ${chain} AND seq > ${after}
    UNION SELECT journal_seq, journal_hash FROM outbox_marks WHERE controller_id = ${chain} AND journal_seq > ${after}
    ORDER BY seq`;
}

/** The row unchanged. One that is no block any more gets a hash that fits nothing, so that `journal verify` reports it. */
function toBlock(row: { chain: string; seq: number; written_by: string | null; entries: string }): JournalBlock {
  const written_by = row.written_by === null ? null : parseStored(row.written_by);
  const block = JournalBlockSchema.safeParse({ ...row, written_by, entries: parseStored(row.entries) });
  if (block.success) return block.data;
  const { chain, seq, entries } = row;
  const altered = { instruction_id: '', kind: 'altered', controller_id: null, detail: { stored: entries } };
  const content = { chain, seq, at: 0, message_id: '', written_by: null, entries: [altered] };
  return { ...content, prev_hash: GENESIS_HASH, hash: GENESIS_HASH };
}
