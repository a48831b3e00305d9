/**
 * Runs: one attempt at a step on one node. The node claims a step, keeps the claim by heartbeats, and reports output,
 * checkpoints and the end through its outbox stream `run:<run_id>`.
 */
import { z } from 'zod';
import { RUN } from '../defaults.ts';
import { ControllerIdSchema, DurationMsSchema, idSchema, Sha256Schema, TimestampSchema } from './common.ts';
import { TermSchema } from './leader.ts';
import { ExecutorNameSchema } from './step-inputs.ts';
import { SystemModeSchema } from './system.ts';

export const RunIdSchema = idSchema('run');

export const RUN_STATUSES = [
  'prepared',
  'running',
  'succeeded',
  'failed',
  'timeout',
  'blocked',
  'canceled',
  'lost',
] as const;
export const RunStatusSchema = z.enum(RUN_STATUSES);
export type RunStatus = z.infer<typeof RunStatusSchema>;

export const RUN_STREAMS = ['stdout', 'stderr', 'lifecycle'] as const;
export const RunStreamSchema = z.enum(RUN_STREAMS);
export type RunStream = z.infer<typeof RunStreamSchema>;

export const CHECKPOINT_TYPES = ['summary', 'log_tail', 'git_diff', 'test_output'] as const;
export const CheckpointTypeSchema = z.enum(CHECKPOINT_TYPES);
export type CheckpointType = z.infer<typeof CheckpointTypeSchema>;

const SummarySchema = z.string().max(RUN.max_summary_chars);
const ErrorCodeSchema = z
  .string()
  .regex(/^[a-z][a-z0-9_]*$/, 'lower-case letters, digits, underscore')
  .max(64);
/** A coding agent gets it back as an argument, so it can be no option. */
export const SessionIdSchema = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]*$/, 'letters, digits, and ._:- behind the first character');
const CommitShaSchema = z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/, 'a commit in lower-case hex');
const Base64Schema = z.base64('bytes in base64');

/** Millions of characters: a pattern without groups, which reads them once. */
const ContentSchema = z
  .string()
  .max(RUN.max_checkpoint_base64_chars)
  .regex(/^[A-Za-z0-9+/]*={0,2}$/, 'bytes in base64');

/** What a coding agent used. Codex counts over a whole session, so a node reports the difference. */
export const RunUsageSchema = z.strictObject({
  input_tokens: z.number().int().nonnegative().optional(),
  cached_input_tokens: z.number().int().nonnegative().optional(),
  output_tokens: z.number().int().nonnegative().optional(),
  cost_usd: z.number().nonnegative().optional(),
});
export type RunUsage = z.infer<typeof RunUsageSchema>;

export const RunSchema = z.object({
  run_id: z.string(),
  step_id: z.string(),
  task_id: z.string(),
  attempt: z.number().int().positive(),
  status: RunStatusSchema,
  controller_id: z.string(),
  worker_subject: z
    .string()
    .nullable()
    .describe('The subject of the worker token that alone may report it; null: its node reports.'),
  deadline_at: TimestampSchema.nullable().describe(
    'Until then the node reports it, or it is lost; null when it has ended.',
  ),
  exit_code: z.number().int().nullable(),
  signal: z.string().nullable(),
  summary: z.string().nullable(),
  error_code: z.string().nullable(),
  error_text: z.string().nullable(),
  checkpoint_seq: z.number().int().nonnegative(),
  usage: RunUsageSchema.nullable(),
  session_id: z
    .string()
    .nullable()
    .describe("The coding agent's own session, which a later attempt on the same node resumes."),
  created_at: TimestampSchema,
  started_at: TimestampSchema.nullable(),
  finished_at: TimestampSchema.nullable(),
});
export type Run = z.infer<typeof RunSchema>;

const count = z.number().int().nonnegative();
/** What the edge has of one stream of a run. */
const StreamStateSchema = z.object({
  bytes: count.describe('Received in all.'),
  dropped_bytes: count.describe('Of these, no longer kept: from the middle of the stream.'),
  head_rows: count.describe('Rows of its kept beginning, and of its kept end.'),
  tail_rows: count,
  tail_from: z
    .object({ position: count, start: count })
    .nullable()
    .describe('Where its kept end begins, in its log and in the stream; null while the beginning grows.'),
});
type StreamState = z.infer<typeof StreamStateSchema>;
/** Output (both streams, in the order of their arrival) and lifecycle are two logs of a run. */
export const RUN_LOGS = ['output', 'lifecycle'] as const;
export const RunLogSchema = z.enum(RUN_LOGS);
export type RunLog = z.infer<typeof RunLogSchema>;
/** How far one log is stored. */
const LogEndSchema = z.object({
  position: count.describe('Bytes in all.'),
  last: z
    .object({ position: count, stream: RunStreamSchema, bytes: count })
    .nullable()
    .describe('The newest row, which the next bytes of its stream are added to.'),
});
export const LogStateSchema = z.object({
  logs: z.record(RunLogSchema, LogEndSchema),
  streams: z.record(RunStreamSchema, StreamStateSchema),
});
export type LogState = z.infer<typeof LogStateSchema>;
const NEW_STREAM: StreamState = { bytes: 0, dropped_bytes: 0, head_rows: 0, tail_rows: 0, tail_from: null };
export const NEW_LOG: LogState = {
  logs: { output: { position: 0, last: null }, lifecycle: { position: 0, last: null } },
  streams: { stdout: { ...NEW_STREAM }, stderr: { ...NEW_STREAM }, lifecycle: { ...NEW_STREAM } },
};

export const RunDetailSchema = RunSchema.extend({
  progress: z.string().nullable().describe('What it does now, such as `waiting for the model`.'),
  log: z.record(RunStreamSchema, StreamStateSchema.pick({ bytes: true, dropped_bytes: true })),
  task_status: z.string().nullable().default(null).describe('Null from an edge of an earlier version.'),
});

/** `POST /v1/tasks/claim`. `term`: of the leader, who claims what is addressed to no host. */
export const ClaimBodySchema = z.strictObject({
  controller_id: ControllerIdSchema,
  claim_key: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'letters, digits, dash, underscore; at most 64')
    .describe('Chosen by the node for one claim: a repeat gets the same run.'),
  term: TermSchema.optional(),
  worker_subject: z.string().trim().min(1).max(120).optional(),
  repos: z.array(z.string().min(1).max(64)).max(RUN.max_claim_repos),
  executors: z.array(ExecutorNameSchema).max(RUN.max_claim_executors),
});
export type ClaimBody = z.infer<typeof ClaimBodySchema>;

/** Why a node gets no run. */
export const NO_RUN_REASONS = [
  'nothing_to_claim',
  'system_paused',
  'system_draining',
  'skipped_not_leader',
  'node_draining',
] as const;
export const NoRunSchema = z.object({
  run: z.null(),
  reason: z.enum(NO_RUN_REASONS),
  idle: z
    .boolean()
    .default(false)
    .describe(
      'No task is queued or running: the node may wait for an offer. False from an edge of an earlier version.',
    ),
});
export type NoRun = z.infer<typeof NoRunSchema>;
export type NoRunReason = (typeof NO_RUN_REASONS)[number];

export const WorktreeSchema = z.object({
  repo: z.string().nullable(),
  base_ref: z.string().nullable(),
  base_sha: z
    .string()
    .nullable()
    .describe(
      'Null before the first run: the node resolves `base_ref` and reports the commit with its first heartbeat.',
    ),
  branch_name: z.string().nullable(),
  patch_checkpoint_id: z
    .string()
    .nullable()
    .describe(
      'The newest whole `git_diff` of the task: `<run_id>/<seq>`, read by `GET /v1/runs/:run_id/checkpoints/:seq`.',
    ),
});

/** A claimed step, with all that its node needs to run it. */
export const ClaimedRunSchema = z.object({
  run_id: z.string(),
  task_id: z.string(),
  step_id: z.string(),
  step_index: z.number().int().nonnegative(),
  attempt: z.number().int().positive(),
  status: RunStatusSchema.describe('Of a repeated claim the run may have ended.'),
  kind: z.string(),
  name: z.string(),
  input: z.record(z.string(), z.unknown()),
  worktree: WorktreeSchema,
  timeout_ms: DurationMsSchema,
  deadline_in_ms: DurationMsSchema,
  cancel: z.boolean(),
  mode_version: z.number().int(),
  max_checkpoint_bytes: z
    .number()
    .int()
    .positive()
    .default(RUN.max_checkpoint_bytes)
    .describe('A larger content of a checkpoint stays on its host.'),
  task: z.object({
    title: z.string(),
    goal: z.string(),
    acceptance: z.array(z.string()),
    task_type: z.string(),
    is_persons: z.boolean(),
    constraints: z
      .object({ target_host: z.string().optional(), after: z.array(z.string()).optional() })
      .default({})
      .describe("What a coding agent reads of the task's constraints. Empty from an edge of an earlier version."),
  }),
  previous: z
    .object({
      run_id: z.string(),
      controller_id: z.string(),
      status: RunStatusSchema,
      error_code: z.string().nullable(),
      session_id: z.string().nullable(),
    })
    .nullable()
    .describe('The run of this step before it, on any node.'),
  outputs: z
    .array(
      z.object({
        step_id: z.string(),
        run_id: z.string().nullable(),
        kind: z.string(),
        name: z.string(),
        status: z.string(),
        summary: z.string().nullable(),
      }),
    )
    .describe('What the steps before it left, in their order.'),
});
export type ClaimedRun = z.infer<typeof ClaimedRunSchema>;
export const ClaimResponseSchema = z.union([ClaimedRunSchema, NoRunSchema]);
export type ClaimResponse = z.infer<typeof ClaimResponseSchema>;

/** `POST /v1/steps/:step_id/heartbeat`, every 15 s, not through the outbox. */
export const RunHeartbeatBodySchema = z.strictObject({
  run_id: RunIdSchema,
  checkpoint_seq: z.number().int().nonnegative(),
  started: z.boolean().optional().describe('The child has started.'),
  base_sha: CommitShaSchema.optional().describe('The commit of `base_ref`, from the first run of a task.'),
  session_id: SessionIdSchema.optional(),
  progress: z.string().max(200).optional().describe('What it does now, such as `waiting for the model`.'),
});
export type RunHeartbeatBody = z.infer<typeof RunHeartbeatBodySchema>;
export const RunHeartbeatResponseSchema = z.object({
  status: RunStatusSchema,
  deadline_in_ms: DurationMsSchema,
  cancel: z.boolean().describe('A person canceled the task: the node ends the run.'),
  hand_over: z.boolean().describe('The node gives the run up, so that another host continues it.'),
  mode: SystemModeSchema,
  mode_version: z.number().int(),
});
export type RunHeartbeatResponse = z.infer<typeof RunHeartbeatResponseSchema>;

/**
 * `POST /v1/steps/:step_id/logs`. A chunk continues its stream at `offset`; bytes that the edge has are ignored. A chunk
 * that `skips` leaves out bytes before it, which would be dropped between the kept beginning and the kept end.
 */
export const RunLogsBodySchema = z.strictObject({
  run_id: RunIdSchema,
  chunks: z
    .array(
      z.strictObject({
        stream: RunStreamSchema,
        offset: z.number().int().nonnegative().max(RUN.max_log_offset),
        data: Base64Schema.min(1).max(RUN.max_chunk_base64_chars),
        skips: z.boolean().optional(),
      }),
    )
    .min(1)
    .max(RUN.max_chunks_per_request),
});
export type RunLogsBody = z.infer<typeof RunLogsBodySchema>;
export const RunLogsResponseSchema = z.object({
  run_id: z.string(),
  received: z
    .record(RunStreamSchema, z.number().int().nonnegative())
    .describe('The bytes that the edge has received of each stream.'),
});
export type RunLogsResponse = z.infer<typeof RunLogsResponseSchema>;

/** `POST /v1/steps/:step_id/checkpoint`. Content over the limit stays on its host: `content` is absent, `truncated` set. */
export const CheckpointBodySchema = z
  .strictObject({
    run_id: RunIdSchema,
    seq: z.number().int().positive(),
    type: CheckpointTypeSchema,
    size: z.number().int().nonnegative(),
    sha256: Sha256Schema,
    truncated: z.boolean().describe('Of a `git_diff`: not whole, and never applied.'),
    content: ContentSchema.optional(),
  })
  .refine((body) => body.truncated || body.content !== undefined, {
    path: ['content'],
    message: 'required, unless it is truncated',
  });
export type CheckpointBody = z.infer<typeof CheckpointBodySchema>;
export const CheckpointSchema = z.object({
  run_id: z.string(),
  seq: z.number().int().positive(),
  step_id: z.string(),
  type: CheckpointTypeSchema,
  size: z.number().int().nonnegative(),
  sha256: z.string(),
  truncated: z.boolean(),
  created_at: TimestampSchema,
});
export type Checkpoint = z.infer<typeof CheckpointSchema>;
/** With its content in base64; null when the edge keeps a newer one of that step and type, or never had it. */
export const CheckpointDetailSchema = CheckpointSchema.extend({ content: z.string().nullable() });
export const CheckpointStoredSchema = z.object({ run_id: z.string(), checkpoint_seq: z.number().int() });

const endOfRun = {
  run_id: RunIdSchema,
  exit_code: z.number().int().nullish(),
  signal: z.string().max(20).nullish(),
  summary: SummarySchema.nullish(),
  usage: RunUsageSchema.nullish(),
  session_id: SessionIdSchema.nullish(),
};
/** `POST /v1/steps/:step_id/complete`: it succeeded. */
export const RunCompleteBodySchema = z.strictObject(endOfRun);
/** How a run ends that did not succeed; `lost`: its node gives it up, as `handed_over`, or found its runner gone. */
export const RUN_FAILURES = ['failed', 'timeout', 'blocked', 'canceled', 'lost'] as const;
export const HANDED_OVER = 'handed_over';
export const SYSTEM_PAUSED = 'system_paused';
/** `POST /v1/steps/:step_id/fail`. `canceled` with `system_paused`: a pause came before the start. */
export const RunFailBodySchema = z.strictObject({
  ...endOfRun,
  status: z.enum(RUN_FAILURES),
  error_code: ErrorCodeSchema,
  error_text: z.string().max(RUN.max_summary_chars).nullish(),
  final: z.boolean().optional().describe('Another attempt would fail alike, such as one that the policy denies.'),
});
export type RunCompleteBody = z.infer<typeof RunCompleteBodySchema>;
export type RunFailBody = z.infer<typeof RunFailBodySchema>;
export const RunEndResponseSchema = z.object({
  run_id: z.string(),
  status: RunStatusSchema,
  step_status: z.string(),
  task_status: z.string(),
});
export type RunEndResponse = z.infer<typeof RunEndResponseSchema>;
