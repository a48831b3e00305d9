/** Timed jobs: triggers, decisions, the lock, and the entries of the tick log. */
import { z } from 'zod';
import { TimestampSchema } from './common.ts';

export const TICK_TRIGGERS = ['cron', 'alarm', 'manual'] as const;
export type TickTrigger = (typeof TICK_TRIGGERS)[number];

export const TICK_DECISIONS = [
  'skipped_busy',
  'skipped_no_runners',
  'skipped_system_paused',
  'skipped_not_leader',
  'scheduled',
  'completed_with_failures',
  'failed',
] as const;
export const TickDecisionSchema = z.enum(TICK_DECISIONS);
export type TickDecision = z.infer<typeof TickDecisionSchema>;

export const TICK_STAGES = [
  'tick_started',
  'tick_skipped_busy',
  'tick_skipped_no_runners',
  'tick_completed',
  'tick_failed',
  'runner_started',
  'runner_skipped',
  'runner_completed',
  'runner_failed',
  'scan_window',
  'scan_skipped',
  'scan_completed',
  'message_projected',
  'message_skipped',
  'job_attempt_started',
  'job_completed',
  'job_retry_scheduled',
  'job_deferred',
  'job_failed',
  'job_canceled',
] as const;

export const FRAMEWORK_RUNNER = 'timed-jobs.framework';

/** One line of the log. Details are additional top-level keys. */
export const TickEntrySchema = z.looseObject({
  ts: z.string(),
  batch_id: z.string(),
  runner: z.string(),
  stage: z.enum(TICK_STAGES),
  result: z.string(),
  duration_ms: z.number(),
  error: z.string().nullable(),
  trigger: z.enum(TICK_TRIGGERS),
});
export type TickEntry = z.infer<typeof TickEntrySchema>;

export const TickSchema = z.object({
  tick_seq: z.number().int(),
  batch_id: z.string(),
  trigger: z.enum(TICK_TRIGGERS),
  decision: TickDecisionSchema,
  started_at: TimestampSchema,
  finished_at: TimestampSchema,
  entries: z.array(TickEntrySchema),
});
export type Tick = z.infer<typeof TickSchema>;

/** What TimedJobs returns to a tick that asks for the lock. */
export type TickGrant = { status: 'granted'; batch_id: string; deadline_at: number } | { status: 'busy' | 'duplicate' };

export const TickResponseSchema = z.object({ batch_id: z.string(), decision: TickDecisionSchema });
export type TickResponse = z.infer<typeof TickResponseSchema>;
