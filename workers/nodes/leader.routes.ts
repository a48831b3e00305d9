/** The leader lease over HTTP: acquire it, release it, see its holder and the terms before. */
import { leaderLease } from '../../durable-objects/stubs.ts';
import { PageQuerySchema, pageOf } from '../../schema/contracts/common.ts';
import {
  LeaderAcquireBodySchema,
  LeaderAcquireResponseSchema,
  LeaderReleaseBodySchema,
  LeaderReleaseResponseSchema,
  LeaderTermSchema,
  LeaseViewSchema,
} from '../../schema/contracts/leader.ts';
import { leader_terms } from '../../schema/tables/index.ts';
import { pageWindow, toPage } from '../http/paging.ts';
import type { MountedRoute } from '../http/route.ts';
import { NODES, READERS, read, write } from '../http/route.ts';
import { requireAdmitted } from './boots.ts';
import { acquireLease, releaseLease } from './lease.ts';

const tag = 'leader';

export const leader: readonly MountedRoute[] = [
  read(
    {
      method: 'get',
      path: '/v1/leader',
      summary: 'Who leads, with what term, and for how long',
      tag,
      roles: [...READERS, ...NODES],
      data: LeaseViewSchema,
    },
    ({ env }) => leaderLease(env).read(),
  ),
  read(
    {
      method: 'get',
      path: '/v1/leader/terms',
      summary: 'Who led before, newest term first',
      tag,
      roles: READERS,
      query: PageQuerySchema,
      data: pageOf(LeaderTermSchema),
    },
    async ({ db, query }) => {
      const { where, orderBy, limit } = pageWindow(leader_terms.term, query);
      const rows = await db.select().from(leader_terms).where(where).orderBy(orderBy).limit(limit);
      return toPage(rows, query, (row) => row.term);
    },
  ),
  write(
    {
      method: 'post',
      path: '/v1/leader/acquire',
      summary: 'Acquire or renew the lease; a refusal names the holder',
      tag,
      roles: NODES,
      body: LeaderAcquireBodySchema,
      data: LeaderAcquireResponseSchema,
      errors: ['duplicate_node'],
    },
    async (call) => {
      await requireAdmitted(call, call.body.controller_id);
      return acquireLease(call, call.body);
    },
  ),
  write(
    {
      method: 'post',
      path: '/v1/leader/release',
      summary: 'Release the lease; with an old term nothing changes',
      tag,
      roles: NODES,
      body: LeaderReleaseBodySchema,
      data: LeaderReleaseResponseSchema,
    },
    async (call) => releaseLease(call, call.body),
  ),
];
