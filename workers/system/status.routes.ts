/** The state of the whole system: the snapshot, and the numbers for Prometheus. */
import { z } from 'zod';
import { SystemHealthSchema } from '../../schema/contracts/health.ts';
import { StatsQuerySchema, StatsSchema } from '../../schema/contracts/stats.ts';
import { StatusSchema } from '../../schema/contracts/status.ts';
import { DueNextSchema } from '../../schema/contracts/waiting.ts';
import type { MountedRoute } from '../http/route.ts';
import { publicRoute, READERS, raw, read } from '../http/route.ts';
import { readDueNext } from './due-next.ts';
import { readHealth } from './health.ts';
import { readFacts } from './metrics.ts';
import { METRICS } from './metrics-table.ts';
import { renderMetrics } from './prometheus-text.ts';
import { readStats } from './stats.ts';
import { readStatus } from './status.ts';

const tag = 'status';

export const status: readonly MountedRoute[] = [
  publicRoute(
    {
      method: 'get',
      path: '/healthz',
      summary: 'Liveness',
      tag,
      data: z.literal('ok'),
      produces: 'text/plain',
    },
    // The platform sets this header itself; the local runtime does not.
    (c) => c.text('ok', 200, { date: new Date(c.var.now).toUTCString() }),
  ),
  read(
    {
      method: 'get',
      path: '/v1/status',
      summary: 'One snapshot: mode, lease, nodes, clients, queues, ticks, recent messages and instructions',
      tag,
      roles: READERS,
      data: StatusSchema,
    },
    (call) => readStatus(call),
  ),
  read(
    {
      method: 'get',
      path: '/v1/status/next',
      summary: 'The renewals and tasks that are due next, in order',
      tag,
      roles: READERS,
      data: DueNextSchema,
    },
    ({ db }) => readDueNext(db),
  ),
  publicRoute(
    {
      method: 'get',
      path: '/v1/status/ui',
      summary: 'Leads to the status page',
      tag,
      data: z.string(),
      status: 303,
    },
    (c) => c.redirect('/', 303),
  ),
  read(
    {
      method: 'get',
      path: '/v1/stats',
      summary: 'Deliveries, lateness of renewals and ticks by the hour, and rows of D1 by the day',
      tag,
      roles: READERS,
      query: StatsQuerySchema,
      data: StatsSchema,
    },
    (call) => readStats(call, call.query),
  ),
  read(
    {
      method: 'get',
      path: '/v1/system/health',
      summary: 'What conductor doctor asks: migrations, objects, fences, and what has no live deadline any more',
      tag,
      roles: READERS,
      data: SystemHealthSchema,
    },
    (call) => readHealth(call),
  ),
  raw(
    {
      method: 'get',
      path: '/v1/metrics',
      summary: 'The system in numbers, as Prometheus text',
      tag,
      roles: READERS,
      data: z.string(),
      produces: 'text/plain; version=0.0.4',
    },
    async (call) =>
      call.c.body(renderMetrics(METRICS, await readFacts(call)), 200, { 'content-type': 'text/plain; version=0.0.4' }),
  ),
];
