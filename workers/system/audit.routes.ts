/** The audit: every write, with its caller, its time and its request id. */
import { z } from 'zod';
import { AuditEntrySchema, PeopleWritesPageSchema, PeopleWritesQuerySchema } from '../../schema/contracts/audit.ts';
import { PageQuerySchema, pageOf } from '../../schema/contracts/common.ts';
import type { MountedRoute } from '../http/route.ts';
import { OPERATORS, read } from '../http/route.ts';
import { auditPage, peopleWrites } from './audit-reads.ts';

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
  read(
    {
      method: 'get',
      path: '/v1/audit/people',
      summary: 'The chain of what people did, oldest first, with the hashes that bind each write to the one before it',
      tag: 'audit',
      roles: OPERATORS,
      query: PeopleWritesQuerySchema,
      data: PeopleWritesPageSchema,
    },
    async ({ db, query }) => peopleWrites(db, query),
  ),
];
