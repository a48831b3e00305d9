/**
 * The files of a run, as other programs read them: one folder for each run, `<task_id>/<run_id>/` below the folder of runs.
 * `meta.json` is written once, `state.json` is replaced as a whole, `events.jsonl` and `worker.log` only grow.
 */
import { z } from 'zod';
import { DurationMsSchema, TimestampSchema } from './common.ts';
import { RunStatusSchema } from './runs.ts';

/** The events of a run's life, in `events.jsonl` and `worker.log`. The last five end it. */
export const RUN_EVENT_TYPES = [
  'run_prepared',
  'checkpoint_slot_reserved',
  'work_started_over',
  'worker_started',
  'checkpoint_saved',
  'worker_execution_deferred',
  'worker_exited',
  'step_completed',
  'step_failed',
  'step_timeout',
  'step_blocked',
  'step_canceled',
] as const;
export type RunEventType = (typeof RUN_EVENT_TYPES)[number];

const identity = { run_id: z.string(), task_id: z.string(), step_id: z.string(), attempt: z.number().int().min(1) };

export const RunMetaSchema = z.object({
  ...identity,
  controller_id: z.string(),
  host: z.string(),
  executor: z.object({ kind: z.string(), agent: z.string().nullable(), dialect: z.string().nullable() }),
  request: z.object({ input: z.unknown(), timeout_ms: DurationMsSchema, worktree: z.unknown() }),
  versions: z.object({ conductor: z.string(), node: z.string() }),
  created_at: TimestampSchema,
});
export type RunMeta = z.infer<typeof RunMetaSchema>;

export const RunStateFileSchema = z.object({
  ...identity,
  status: RunStatusSchema,
  /** The process of the step; null before it has started. */
  pid: z.number().int().positive().nullable(),
  started_at: TimestampSchema.nullable(),
  updated_at: TimestampSchema,
  finished_at: TimestampSchema.nullable(),
  exit_code: z.number().int().nullable(),
  signal: z.string().nullable(),
  /** How it ended; while it runs, what it does now as far as that is known. */
  summary: z.string().nullable(),
  error_code: z.string().nullable(),
  error_text: z.string().nullable(),
  /** Number of the newest checkpoint. */
  checkpoint_seq: z.number().int().nonnegative(),
});
export type RunStateFile = z.infer<typeof RunStateFileSchema>;

export const RunEventSchema = z.object({
  at: TimestampSchema,
  type: z.enum(RUN_EVENT_TYPES),
  level: z.enum(['info', 'warn', 'error']),
  message: z.string(),
  data: z.record(z.string(), z.unknown()),
});
export type RunEvent = z.infer<typeof RunEventSchema>;

/** Content of `checkpoints/NNNN-summary.json`. */
export const SummaryCheckpointSchema = z.object({
  ...identity,
  seq: z.number().int().min(1),
  status: RunStatusSchema,
  created_at: TimestampSchema,
  summary: z.string().nullable(),
});
export type SummaryCheckpoint = z.infer<typeof SummaryCheckpointSchema>;
