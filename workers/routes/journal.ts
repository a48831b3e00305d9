/** The journal: what happened to every instruction, hash-chained per node, in the order of its chain. */
import { and, asc, eq, gt } from 'drizzle-orm';
import type { JournalEntry } from '../../schema/contracts/journal.ts';
import { JournalPageSchema, JournalQuerySchema } from '../../schema/contracts/journal.ts';
import { instruction_events, journal_heads } from '../../schema/tables/index.ts';
import type { MountedRoute } from '../route.ts';
import { READERS, read } from '../route.ts';

export const journal: readonly MountedRoute[] = [
  read(
    {
      method: 'get',
      path: '/v1/journal',
      summary: 'The journal of one node, oldest first, with the hashes that bind each entry to the one before it',
      tag: 'instructions',
      roles: READERS,
      query: JournalQuerySchema,
      data: JournalPageSchema,
    },
    async ({ db, query: { controller_id: chain, after, limit } }) => {
      const [rows, heads] = await db.batch([
        db
          .select()
          .from(instruction_events)
          .where(and(eq(instruction_events.chain, chain), gt(instruction_events.chain_seq, after)))
          .orderBy(asc(instruction_events.chain_seq))
          .limit(limit + 1),
        db
          .select({ seq: journal_heads.seq, hash: journal_heads.hash })
          .from(journal_heads)
          .where(eq(journal_heads.chain, chain)),
      ]);
      const items = rows.slice(0, limit).map(shown);
      return {
        items,
        next_after: rows.length > limit ? (items.at(-1)?.seq ?? null) : null,
        head: heads[0] ?? null,
      };
    },
  ),
];

/** As it stands, whatever it holds: whoever verifies finds what was altered. */
function shown(row: typeof instruction_events.$inferSelect): JournalEntry {
  const { chain, chain_seq, at, instruction_id, kind, controller_id, detail, prev_hash, hash } = row;
  const place = { chain: chain ?? '', seq: chain_seq ?? 0, prev_hash: prev_hash ?? '', hash: hash ?? '' };
  return { ...place, at, instruction_id, kind, controller_id, detail };
}
