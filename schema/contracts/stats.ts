/** What happened in each hour, and what each day cost: the numbers behind the pictures of the status page. */
import { z } from 'zod';
import { TimestampSchema } from './common.ts';
import { REPLY_OUTCOMES } from './instructions.ts';
import { DELIVERY_OUTCOMES } from './renewal.ts';

export const STATS_HOURS_MAX = 168;
export const STATS_DAYS_MAX = 31;

/** What is put into a chat: a renewal, the reply to a message's instructions, the report of a task's end. */
export const DELIVERY_KINDS = ['renewal', 'reply', 'task_report'] as const;
export type DeliveryKind = (typeof DELIVERY_KINDS)[number];
/** `given_up`: a reply that nothing could deliver in time. */
export const COUNTED_OUTCOMES = [...new Set([...DELIVERY_OUTCOMES, ...REPLY_OUTCOMES])] as const;
export type CountedOutcome = (typeof COUNTED_OUTCOMES)[number];

const CountSchema = z.number().int().nonnegative();
/** How many took at most `le_ms`; null for those that took longer than the last bound. Each is counted once. */
export const HistogramSchema = z.object({
  count: CountSchema,
  sum_ms: CountSchema,
  buckets: z.array(z.object({ le_ms: z.number().int().nullable(), count: CountSchema })),
});
export type Histogram = z.infer<typeof HistogramSchema>;

const HourSchema = z.object({
  hour: TimestampSchema.describe('When it began, as Unix milliseconds.'),
  deliveries: z.array(
    z.object({ kind: z.enum(DELIVERY_KINDS), outcome: z.enum(COUNTED_OUTCOMES), count: CountSchema }),
  ),
  lateness: HistogramSchema.describe('From when a renewal was due to the tick that sent it.'),
  ticks: HistogramSchema,
});
export type StatsHour = z.infer<typeof HourSchema>;

const DaySchema = z.object({
  day: TimestampSchema.describe(
    'When it began in UTC, as Unix milliseconds: the allowance of the free plan is for a day in UTC.',
  ),
  rows_read: CountSchema,
  rows_written: CountSchema,
});
export type StatsDay = z.infer<typeof DaySchema>;

export const StatsSchema = z.object({
  since: TimestampSchema.nullable().describe('The first hour that was counted; null before any.'),
  hours: z.array(HourSchema).describe('Oldest first; the last one is under way. None from before `since`.'),
  days: z.array(DaySchema),
  free_plan: z
    .object({ rows_read: CountSchema, rows_written: CountSchema })
    .describe('Rows of D1 that the free plan has for a day.'),
});
export type Stats = z.infer<typeof StatsSchema>;

export const StatsQuerySchema = z.object({
  hours: z.coerce.number().int().min(1).max(STATS_HOURS_MAX).default(48),
  days: z.coerce.number().int().min(1).max(STATS_DAYS_MAX).default(14),
});
