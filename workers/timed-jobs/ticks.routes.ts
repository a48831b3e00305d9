/** The tick log, and running a tick on request. */
import { and } from 'drizzle-orm';
import { z } from 'zod';
import { PageQuerySchema, pageOf } from '../../schema/contracts/common.ts';
import { TICK_TRIGGERS, TickDecisionSchema, TickResponseSchema, TickSchema } from '../../schema/contracts/ticks.ts';
import { ticks } from '../../schema/tables/index.ts';
import { equals } from '../db/filters.ts';
import type { MountedRoute } from '../http/route.ts';
import { NODES, OPERATORS, READERS, read, write } from '../http/route.ts';
import { runTick } from './run-tick.ts';
import { listTicks } from './tick-reads.ts';

export const timedJobs: readonly MountedRoute[] = [
  read(
    {
      method: 'get',
      path: '/v1/timed-jobs/ticks',
      summary: 'The tick log: newest first, or in order after a tick',
      tag: 'timed-jobs',
      roles: [...READERS, ...NODES],
      query: PageQuerySchema.extend({
        after: z.coerce.number().int().nonnegative().optional(),
        decision: TickDecisionSchema.optional(),
        trigger: z.enum(TICK_TRIGGERS).optional(),
        batch_id: z.string().max(64).optional(),
      }),
      data: pageOf(TickSchema),
    },
    async ({ db, query }) => {
      const { decision, trigger, batch_id, after } = query;
      const filter = and(
        equals(ticks.decision, decision),
        equals(ticks.trigger, trigger),
        equals(ticks.batch_id, batch_id),
      );
      return listTicks(db, filter, query, after);
    },
  ),
  write(
    {
      method: 'post',
      path: '/v1/timed-jobs/tick',
      summary: 'Run one tick now',
      tag: 'timed-jobs',
      roles: OPERATORS,
      body: z.strictObject({}),
      data: TickResponseSchema,
    },
    async ({ c, env, now }) => {
      const request = { trigger: 'manual', scheduledTime: null, now } as const;
      const response = await runTick(env, request, { waitUntil: (work) => c.executionCtx.waitUntil(work) });
      return { subject_id: response.batch_id, response };
    },
  ),
];
