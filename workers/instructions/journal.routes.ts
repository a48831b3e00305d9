/** The journal: what happened to every instruction, hash-chained per node, in the order of its chain. */
import { and, asc, eq, gt, sql } from 'drizzle-orm';
import type { JournalEntry } from '../../schema/contracts/journal.ts';
import {
  GENESIS_HASH,
  JournalEntrySchema,
  JournalPageSchema,
  JournalQuerySchema,
} from '../../schema/contracts/journal.ts';
import { instruction_events, journal_heads } from '../../schema/tables/index.ts';
import type { MountedRoute } from '../http/route.ts';
import { READERS, read } from '../http/route.ts';

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
          .select(STORED)
          .from(instruction_events)
          .where(and(eq(instruction_events.chain, chain), gt(instruction_events.chain_seq, after)))
          .orderBy(asc(instruction_events.chain_seq))
          .limit(limit + 1),
        db
          .select({ seq: journal_heads.seq, hash: journal_heads.hash })
          .from(journal_heads)
          .where(eq(journal_heads.chain, chain)),
      ]);
      const items = rows.slice(0, limit).map((row) => shown(chain, row));
      return {
        items,
        next_after: rows.length > limit ? (items.at(-1)?.seq ?? null) : null,
        head: heads[0] ?? null,
      };
    },
  ),
];

/** The columns as they are stored; `detail` is not read as JSON, since a row that was altered may hold none. */
const STORED = {
  chain: instruction_events.chain,
  seq: instruction_events.chain_seq,
  at: instruction_events.at,
  instruction_id: instruction_events.instruction_id,
  kind: instruction_events.kind,
  controller_id: instruction_events.controller_id,
  detail: sql<string>`CAST(${instruction_events.detail} AS TEXT)`,
  prev_hash: instruction_events.prev_hash,
  hash: instruction_events.hash,
};

/** As it stands. What is no entry any more is shown as one whose hashes fit nothing: whoever verifies finds it. */
function shown(chain: string, row: { seq: number | null; detail: string }): JournalEntry {
  const entry = JournalEntrySchema.safeParse({ ...row, detail: jsonOr(row.detail) });
  if (entry.success) return entry.data;
  const altered = { at: 0, instruction_id: '', kind: 'altered', controller_id: null, detail: { stored: row.detail } };
  return { chain, seq: row.seq ?? 1, ...altered, prev_hash: GENESIS_HASH, hash: GENESIS_HASH };
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
