/** The tick log, and a tick by hand. */
import { z } from 'zod';
import { PageQuerySchema, pageOf } from '../../schema/contracts/common.ts';
import { TickAnswerSchema, TickSchema } from '../../schema/contracts/ticks.ts';
import { runTick } from '../cron/run-tick.ts';
import { listTicks } from '../queries/ticks.ts';
import type { MountedRoute } from '../route.ts';
import { NODES, OPERATORS, READERS, read, write } from '../route.ts';

export const timedJobs: readonly MountedRoute[] = [
  read(
    {
      method: 'get',
      path: '/v1/timed-jobs/ticks',
      summary: 'The tick log: newest first, or in order after a tick',
      tag: 'timed-jobs',
      roles: [...READERS, ...NODES],
      query: PageQuerySchema.extend({ after: z.coerce.number().int().nonnegative().optional() }),
      data: pageOf(TickSchema),
    },
    async ({ db, query }) => listTicks(db, query, query.after),
  ),
  write(
    {
      method: 'post',
      path: '/v1/timed-jobs/tick',
      summary: 'One tick now',
      tag: 'timed-jobs',
      roles: OPERATORS,
      body: z.strictObject({}),
      data: TickAnswerSchema,
    },
    async ({ env, now }) => {
      const answer = await runTick(env, { trigger: 'manual', scheduledTime: null, now });
      return { statements: [], subject_id: answer.batch_id, answer };
    },
  ),
];
