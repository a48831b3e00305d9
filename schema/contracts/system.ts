/** The system mode, which decides what runs. AutomationState keeps it and copies it into D1's fence row. */
import { z } from 'zod';
import { ReasonSchema, TimestampSchema } from './common.ts';

export const SYSTEM_MODES = ['running', 'paused', 'draining'] as const;
export const SystemModeSchema = z.enum(SYSTEM_MODES);
export type SystemMode = z.infer<typeof SystemModeSchema>;

/** What AutomationState keeps. `epoch` survives a restore of D1. */
export const SystemRecordSchema = z.object({
  mode: SystemModeSchema,
  version: z.number().int().nonnegative(),
  hold: z.boolean().default(false).describe('Only a person ends this pause. Records stored without it held nothing.'),
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
  requested_by: z
    .string()
    .trim()
    .min(1)
    .max(120)
    .optional()
    .describe('A note. Who asks is the principal of the request.'),
});
export type SystemChangeBody = z.infer<typeof SystemChangeBodySchema>;
export const SystemPauseBodySchema = SystemChangeBodySchema.extend({
  interrupt: z.boolean().optional(),
  hold: z.boolean().optional().describe('No chat ends this pause, only a person.'),
});
export type SystemPauseBody = z.infer<typeof SystemPauseBodySchema>;

export const SystemChangeResponseSchema = z.object({
  accepted: z.literal(true),
  status: z.literal('applied'),
  summary: z.string(),
  mode: SystemModeSchema,
  version: z.number().int(),
});
export type SystemChangeResponse = z.infer<typeof SystemChangeResponseSchema>;

/** The numbers of the fence, as D1 has them or as the objects have them. */
export const FenceMarksSchema = z.object({
  term: z.number().int().nonnegative(),
  mode_version: z.number().int().nonnegative(),
  epoch: z
    .number()
    .int()
    .nonnegative()
    .describe(
      "Counts the restores of D1. While D1's is behind the object's, what was in flight has to be quarantined.",
    ),
});
export type FenceMarks = z.infer<typeof FenceMarksSchema>;

/** `force`: treat D1 as restored. The numbers do not show a restore when none of them had changed since. */
export const RestoreCheckBodySchema = z.strictObject({ force: z.boolean().optional() });

export const RestoreCheckResponseSchema = z.object({
  restored: z
    .boolean()
    .describe('Whether D1 was behind the objects, or a quarantine of an earlier check was not finished.'),
  d1: FenceMarksSchema.describe('Before the check.'),
  objects: FenceMarksSchema.describe('After it.'),
  quarantined: z.object({
    instructions: z.number().int().nonnegative(),
    renewal_jobs: z.number().int().nonnegative(),
    tasks: z.number().int().nonnegative().default(0),
    commands: z.number().int().nonnegative(),
  }),
  more: z.boolean().describe('One call quarantines a bounded number: call again for the rest.'),
  summary: z.string(),
});
export type RestoreCheckResponse = z.infer<typeof RestoreCheckResponseSchema>;
