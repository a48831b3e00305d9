/**
 * The leader lease over HTTP: ask for it, give it back, see who has it and who had it. The object itself tells the
 * nodes and wakes the timed jobs when the holder changes, whichever way it was asked.
 */
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
import { fenceLag } from '../system/mode.ts';

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
    },
    async ({ env, body }) => {
      const outcome = await leaderLease(env).acquire(body);
      if (outcome.status === 'fence_lag') throw fenceLag();
      const { response } = outcome;
      const { term, holder_host } = response;
      const granted = response.is_leader && response.operation === 'acquire';
      const event = { topic: 'leader', type: 'acquired', subject_id: body.controller_id } as const;
      return {
        events: granted ? [{ ...event, data: { term, host: holder_host } }] : [],
        subject_id: body.controller_id,
        audited: response.is_leader,
        response,
      };
    },
  ),
  write(
    {
      method: 'post',
      path: '/v1/leader/release',
      summary: 'Give the lease back; with an old term it does nothing',
      tag,
      roles: NODES,
      body: LeaderReleaseBodySchema,
      data: LeaderReleaseResponseSchema,
    },
    async ({ env, body }) => {
      const response = await leaderLease(env).release(body);
      const event = { topic: 'leader', type: 'released', subject_id: body.controller_id } as const;
      return {
        events: response.released ? [{ ...event, data: { term: body.term } }] : [],
        subject_id: body.controller_id,
        audited: response.released,
        response,
      };
    },
  ),
];
