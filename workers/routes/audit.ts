/** The audit: every write, by whom, when, under which request id. */
import { and, eq } from 'drizzle-orm';
import { z } from 'zod';
import { PageQuerySchema, pageOf } from '../../schema/contracts/common.ts';
import { AuditEntrySchema } from '../../schema/contracts/events.ts';
import { audit as auditRows } from '../../schema/tables/index.ts';
import { pageWindow, toPage } from '../paging.ts';
import type { MountedRoute } from '../route.ts';
import { OPERATORS, read } from '../route.ts';

const WordSchema = z.string().min(1).max(200).optional();

export const audit: readonly MountedRoute[] = [
  read(
    {
      method: 'get',
      path: '/v1/audit',
      summary: 'Who changed what, newest first',
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
      const { where, orderBy, limit } = pageWindow(auditRows.seq, query);
      const filters = (['actor', 'action', 'subject_id', 'request_id'] as const).map((name) => {
        const wanted = query[name];
        return wanted === undefined ? undefined : eq(auditRows[name], wanted);
      });
      const rows = await db
        .select()
        .from(auditRows)
        .where(and(where, ...filters))
        .orderBy(orderBy)
        .limit(limit);
      return toPage(rows, query, (row) => row.seq);
    },
  ),
];
