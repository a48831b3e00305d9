/** The system mode: what runs, what waits. Kept by AutomationState, copied into D1's fence row. */
import { z } from 'zod';
import { ReasonSchema, TimestampSchema } from './common.ts';

export const SYSTEM_MODES = ['running', 'paused', 'draining'] as const;
export const SystemModeSchema = z.enum(SYSTEM_MODES);
export type SystemMode = z.infer<typeof SystemModeSchema>;

/** What AutomationState keeps. `epoch` outlives a restore of D1. */
export const SystemRecordSchema = z.object({
  mode: SystemModeSchema,
  version: z.number().int().nonnegative(),
  since: TimestampSchema,
  requested_by: z.string().nullable(),
  reason: z.string().nullable(),
  epoch: z.number().int().nonnegative(),
});
export type SystemRecord = z.infer<typeof SystemRecordSchema>;

export const SystemStateSchema = SystemRecordSchema.omit({ epoch: true }).extend({
  holder_id: z.string().nullable(),
  lease_expires_at: TimestampSchema.nullable(),
  term: z.number().int().nonnegative(),
  drained: z.boolean(),
});
export type SystemState = z.infer<typeof SystemStateSchema>;

export const SystemChangeBodySchema = z.strictObject({
  reason: ReasonSchema.optional(),
  requested_by: z.string().trim().min(1).max(120).optional(),
});
export const SystemPauseBodySchema = SystemChangeBodySchema.extend({
  interrupt: z.boolean().optional(),
});
export type SystemPauseBody = z.infer<typeof SystemPauseBodySchema>;

export const SystemChangeAnswerSchema = z.object({
  accepted: z.literal(true),
  status: z.literal('applied'),
  summary: z.string(),
  mode: SystemModeSchema,
  version: z.number().int(),
});
export type SystemChangeAnswer = z.infer<typeof SystemChangeAnswerSchema>;
