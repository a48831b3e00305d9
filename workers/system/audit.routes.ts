/** The audit: every write, with its caller, its time and its request id. */
import { z } from 'zod';
import { PageQuerySchema, pageOf } from '../../schema/contracts/common.ts';
import { AuditEntrySchema } from '../../schema/contracts/events.ts';
import type { MountedRoute } from '../http/route.ts';
import { OPERATORS, read } from '../http/route.ts';
import { auditPage } from './audit-reads.ts';

const WordSchema = z.string().min(1).max(200).optional();

export const audit: readonly MountedRoute[] = [
  read(
    {
      method: 'get',
      path: '/v1/audit',
      summary: 'Who changed what, newest first; with a filter, a short page can still have a next_cursor',
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
    async ({ db, query }) => auditPage(db, query),
  ),
];
