/** Pages of the audit. */
import { and, asc, gt, max, min, sql } from 'drizzle-orm';
import type { z } from 'zod';
import type { AuditEntry, PeopleWritesPage, PeopleWritesQuerySchema } from '../../schema/contracts/audit.ts';
import { AuditEntrySchema, PEOPLE_CHAIN } from '../../schema/contracts/audit.ts';
import type { ChainHead } from '../../schema/contracts/journal.ts';
import { GENESIS_HASH } from '../../schema/contracts/journal.ts';
import { audit } from '../../schema/tables/index.ts';
import { contractColumns } from '../db/columns.ts';
import { equals } from '../db/filters.ts';
import type { Database } from '../db/open.ts';
import type { Page, PageRequest, PageWindow } from '../http/paging.ts';
import { encodeCursor, pageWindow, toPage } from '../http/paging.ts';

/**
 * The rows that one page reads at most. No filter has an index, which would cost a row with every write; a page that has
 * read so many and found too few ends early with a cursor.
 */
const SCAN_MAX = 2_000;

export type AuditFilter = Partial<Record<'actor' | 'action' | 'subject_id' | 'request_id', string | undefined>>;

/** Newest first. With a filter, a page can be short and still have a `next_cursor`. */
export async function auditPage(db: Database, query: PageRequest & AuditFilter): Promise<Page<AuditEntry>> {
  const window = pageWindow(audit.seq, query);
  const { newest, oldest } = await readBounds(db, window);
  const floor = newest - SCAN_MAX;
  const { actor, action, subject_id, request_id } = query;
  const rows = await db
    .select(contractColumns(audit, AuditEntrySchema))
    .from(audit)
    .where(
      and(
        window.where,
        gt(audit.seq, floor),
        equals(audit.actor, actor),
        equals(audit.action, action),
        equals(audit.subject_id, subject_id),
        equals(audit.request_id, request_id),
      ),
    )
    .orderBy(window.orderBy)
    .limit(window.limit);
  const page = toPage(rows, query, (row) => row.seq);
  const isCut = page.next_cursor === null && floor >= oldest;
  return isCut ? { ...page, next_cursor: encodeCursor(floor + 1) } : page;
}

/** The newest row that the page may show, and the oldest of all; 0 where there is none. */
async function readBounds(db: Database, { where }: PageWindow): Promise<{ newest: number; oldest: number }> {
  const [top, bottom] = await Promise.all([
    db
      .select({ seq: max(audit.seq) })
      .from(audit)
      .where(where)
      .get(),
    db
      .select({ seq: min(audit.seq) })
      .from(audit)
      .get(),
  ]);
  return { newest: top?.seq ?? 0, oldest: bottom?.seq ?? 0 };
}

/** The chain of people's writes after that place, and the head that is kept apart from it. */
export async function peopleWrites(
  db: Database,
  { after, limit }: z.output<typeof PeopleWritesQuerySchema>,
): Promise<PeopleWritesPage> {
  const { at, actor, role, action, subject_id, request_id, prev_hash, hash } = audit;
  const [rows, heads] = await db.batch([
    db
      .select({ seq: audit.chain_seq, at, actor, role, action, subject_id, request_id, prev_hash, hash })
      .from(audit)
      .where(sql`${audit.chain_seq} IS NOT NULL AND ${audit.chain_seq} > ${after}`)
      .orderBy(asc(audit.chain_seq))
      .limit(limit + 1),
    db.all<ChainHead>(
      sql`SELECT seq, hash FROM journal_heads WHERE chain = ${PEOPLE_CHAIN} AND seq > ${after} ORDER BY seq`,
    ),
  ]);
  // A row that has lost its hash is shown with one that fits nothing.
  const items = rows.slice(0, limit).map((row) => ({
    ...row,
    seq: row.seq ?? 0,
    prev_hash: row.prev_hash ?? GENESIS_HASH,
    hash: row.hash ?? GENESIS_HASH,
  }));
  const next_after = rows.length > limit ? (items.at(-1)?.seq ?? null) : null;
  return { items, next_after, heads: heads.filter(({ seq }) => next_after === null || seq <= next_after) };
}
