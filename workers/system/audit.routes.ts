/** The audit: every write, by whom, when, under which request id. */
import { and, gt, max, min } from 'drizzle-orm';
import { z } from 'zod';
import { PageQuerySchema, pageOf } from '../../schema/contracts/common.ts';
import { AuditEntrySchema } from '../../schema/contracts/events.ts';
import { audit as auditRows } from '../../schema/tables/index.ts';
import { equals } from '../db/filters.ts';
import type { Database } from '../db/open.ts';
import type { PageWindow } from '../http/paging.ts';
import { encodeCursor, pageWindow, toPage } from '../http/paging.ts';
import type { MountedRoute } from '../http/route.ts';
import { OPERATORS, read } from '../http/route.ts';

/**
 * How many rows a page looks at. The filters have no index, which would cost one row more with each write: instead a
 * page that found too little so far says where to go on.
 */
const SCAN_MAX = 2_000;
const WordSchema = z.string().min(1).max(200).optional();

export const audit: readonly MountedRoute[] = [
  read(
    {
      method: 'get',
      path: '/v1/audit',
      summary: 'Who changed what, newest first; with a filter a page may be short, and next_cursor goes on',
      tag: 'audit',
      roles: OPERATORS,
      query: PageQuerySchema.extend({
        actor: WordSchema,
        action: WordSchema,
        subject_id: WordSchema,
        request_id: WordSchema,
      }),
      data: pageOf(AuditEntrySchema),
    },
    async ({ db, query }) => {
      const window = pageWindow(auditRows.seq, query);
      const { newest, oldest } = await reach(db, window);
      const floor = newest - SCAN_MAX;
      const { actor, action, subject_id, request_id } = query;
      const rows = await db
        .select()
        .from(auditRows)
        .where(
          and(
            window.where,
            gt(auditRows.seq, floor),
            equals(auditRows.actor, actor),
            equals(auditRows.action, action),
            equals(auditRows.subject_id, subject_id),
            equals(auditRows.request_id, request_id),
          ),
        )
        .orderBy(window.orderBy)
        .limit(window.limit);
      const page = toPage(rows, query, (row) => row.seq);
      const ended = page.next_cursor !== null || floor < oldest;
      return ended ? page : { ...page, next_cursor: encodeCursor(floor + 1) };
    },
  ),
];

/** The newest row that the page may show, and the oldest there is; 0 where there is none. */
async function reach(db: Database, { where }: PageWindow): Promise<{ newest: number; oldest: number }> {
  const [top, bottom] = await Promise.all([
    db
      .select({ seq: max(auditRows.seq) })
      .from(auditRows)
      .where(where)
      .get(),
    db
      .select({ seq: min(auditRows.seq) })
      .from(auditRows)
      .get(),
  ]);
  return { newest: top?.seq ?? 0, oldest: bottom?.seq ?? 0 };
}
