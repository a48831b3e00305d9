/** `GET /v1/system/health`: what `conductor doctor` asks the edge. */
import { z } from 'zod';
import { TimestampSchema } from './common.ts';
import { FenceMarksSchema } from './system.ts';

/** What has a deadline behind which a job of the ticks ends it. */
export const OVERDUE_KINDS = ['instruction', 'approval', 'reply', 'renewal_job', 'run', 'command'] as const;

export const SystemHealthSchema = z.object({
  version: z.string().describe('Version of the edge.'),
  migrations: z
    .array(z.string())
    .nullable()
    .describe('Names of the migrations that D1 has run; null when it does not say.'),
  objects: z
    .array(z.object({ name: z.string(), problem: z.string().nullable() }))
    .describe('The Durable Objects, and why one does not respond.'),
  fence: z
    .object({ d1: FenceMarksSchema, objects: FenceMarksSchema, is_behind: z.boolean() })
    .nullable()
    .describe(
      "D1's fence and that of the objects; null while one of them cannot be read. `is_behind`: D1 was restored, or lags.",
    ),
  overdue: z
    .array(
      z.object({
        kind: z.enum(OVERDUE_KINDS),
        id: z.string(),
        status: z.string(),
        deadline_at: TimestampSchema.nullable(),
      }),
    )
    .nullable()
    .describe('What should have ended by now: its deadline is long past, or it has none. Null when D1 does not say.'),
});
export type SystemHealth = z.infer<typeof SystemHealthSchema>;
export type Overdue = NonNullable<SystemHealth['overdue']>[number];
