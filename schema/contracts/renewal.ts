/** Renewal jobs, their payload and target, and the outcome of a delivery. */
import { z } from 'zod';
import { DurationMsSchema, PlatformSchema, ReasonSchema, TimestampSchema } from './common.ts';
import { TargetPayloadSchema } from './conversations.ts';

export const JOB_STATUSES = ['pending', 'running', 'done', 'failed', 'canceled'] as const;
export const JobStatusSchema = z.enum(JOB_STATUSES);
export type JobStatus = z.infer<typeof JobStatusSchema>;

export const PAYLOAD_KINDS = ['json', 'text'] as const;
/** `custom`: a template that a person has set. */
const RENEWAL_TEMPLATES = ['summary_with_link', 'custom'] as const;

export const RenewalPayloadSchema = z.object({
  kind: z.literal('renewal.message'),
  version: z.literal(1),
  template: z.enum(RENEWAL_TEMPLATES),
  text: z.string(),
  source_message: z.object({ id: z.string() }),
});
export type RenewalPayload = z.infer<typeof RenewalPayloadSchema>;

export const TargetSnapshotSchema = z.object({
  platform: PlatformSchema,
  link_id: z.string(),
  client_id: z.string(),
  page_url: z.string(),
  page_title: z.string().nullable(),
  route: z.object({ path: z.string(), pattern: z.string().nullable(), params: z.record(z.string(), z.string()) }),
  target: z.object({ id: z.string(), kind: z.string(), payload: TargetPayloadSchema }),
  sent: z
    .object({ controller_id: z.string(), command_id: z.string() })
    .optional()
    .describe('The node and the command of the delivery, to query them when no result comes.'),
});
export type TargetSnapshot = z.infer<typeof TargetSnapshotSchema>;

export const DELIVERY_KINDS = ['reply', 'renewal', 'prompt'] as const;
export type DeliveryKind = (typeof DELIVERY_KINDS)[number];
export const DELIVERY_OUTCOMES = ['delivered', 'failed', 'deferred', 'uncertain'] as const;

/** One attempt at a job. One that found no browser to send to begins and ends at once. */
export const JobAttemptSchema = z.object({
  attempt: z
    .number()
    .int()
    .describe('Its number; one that was put off is not counted, and the next one has its number again.'),
  started_at: TimestampSchema,
  ended_at: TimestampSchema.nullable().describe('Null while it is under way.'),
  client_id: z.string().nullable().describe('The browser that it was sent to; null when there was none.'),
  outcome: z.enum(DELIVERY_OUTCOMES).nullable(),
  error: z.string().nullable().describe('Why it was not delivered.'),
});
export type JobAttempt = z.infer<typeof JobAttemptSchema>;
/** The newest attempts that a job keeps. */
export const ATTEMPTS_KEPT = 20;

export const RenewalJobSchema = z.object({
  job_id: z.string(),
  local_conversation_id: z.string(),
  message_id: z.string(),
  status: JobStatusSchema,
  payload: z.string(),
  payload_kind: z.enum(PAYLOAD_KINDS),
  payload_text: z.string().nullable(),
  target_snapshot: TargetSnapshotSchema.nullable(),
  plan_id: z.string().nullable(),
  batch_id: z.string().nullable(),
  attempt_count: z.number().int(),
  max_attempts: z.number().int(),
  next_attempt_at: TimestampSchema.nullable(),
  deadline_at: TimestampSchema.nullable(),
  last_attempt_at: TimestampSchema.nullable(),
  last_error: z.string().nullable(),
  log_path: z.string().nullable(),
  attempts: z.array(JobAttemptSchema).default([]).describe('The newest attempts, the first one first.'),
  started_at: TimestampSchema.nullable(),
  finished_at: TimestampSchema.nullable(),
  created_at: TimestampSchema,
  updated_at: TimestampSchema,
});
export type RenewalJob = z.infer<typeof RenewalJobSchema>;

/** Why the projector created no job for a message. The first two are final; the others are checked again. */
export const FINAL_SKIP_REASONS = ['superseded', 'duplicate_job'] as const;
export const SKIP_REASONS = [
  ...FINAL_SKIP_REASONS,
  'automation_manual',
  'automation_paused',
  'missing_active_link',
  'route_unavailable',
  'instruction_pending',
  'task_pending',
  'ask_pending',
  'cooldown',
  'limit_reached',
  'system_draining',
] as const;
export const SkipReasonSchema = z.enum(SKIP_REASONS);
export type SkipReason = z.infer<typeof SkipReasonSchema>;

export const DELIVERY_METHODS = ['replay', 'dom'] as const;
export const DeliveryResultSchema = z.strictObject({
  outcome: z.enum(DELIVERY_OUTCOMES),
  reason: ReasonSchema.nullable(),
  method: z.enum(DELIVERY_METHODS).nullable(),
  http_status: z.number().int().min(100).max(599).nullish(),
  retry_after_ms: DurationMsSchema.nullish(),
});
export type DeliveryResult = z.infer<typeof DeliveryResultSchema>;
