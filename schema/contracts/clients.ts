/** What one browser (a "client" on the wire) has: platforms, logins, request templates, tabs. */
import { z } from 'zod';
import {
  AccountFingerprintSchema,
  ClientIdSchema,
  ControllerIdSchema,
  PlatformSchema,
  TimestampSchema,
  UnreadableSchema,
} from './common.ts';
import { LinkObservationSchema } from './conversations.ts';

export const LOGIN_STATES = ['fresh', 'stale', 'lost'] as const;
/** Logins that one browser reports at most: one for each container and platform. */
export const MAX_LOGINS = 16;
export const LoginStateSchema = z.enum(LOGIN_STATES);

/** Why a browser delivers nothing to a platform until a person resumes it. */
export const STOP_REASONS = ['signed_out', 'security_challenge', 'account_changed'] as const;
export type StopReason = (typeof STOP_REASONS)[number];

const ScalarSchema = z.union([z.string().max(500), z.number(), z.boolean(), z.null()]);
const MAX_FIELDS = 32;
/** The pace of a browser on one platform as its node reports it: counts, times, states, and why it is stopped. */
export const SlotReportSchema = z
  .record(z.string().max(64), z.union([ScalarSchema, z.record(z.string().max(64), ScalarSchema)]))
  .refine((report) => Object.keys(report).length <= MAX_FIELDS, `at most ${MAX_FIELDS} fields`);
export type SlotReport = z.infer<typeof SlotReportSchema>;

/** What a request template says about itself. */
export const HookMetadataSchema = z
  .record(z.string().max(64), z.string().max(2_048))
  .refine((metadata) => Object.keys(metadata).length <= MAX_FIELDS, `at most ${MAX_FIELDS} fields`);

export const PlatformStateSchema = z.strictObject({
  platform: PlatformSchema,
  login: LoginStateSchema,
  fingerprint: AccountFingerprintSchema.nullable().describe(
    'A hash of the signed-in account; null where none or, by containers, more than one is known.',
  ),
  accounts: z
    .array(z.strictObject({ login: LoginStateSchema, fingerprint: AccountFingerprintSchema.nullable() }))
    .max(MAX_LOGINS)
    .optional()
    .describe('The login of each container of the browser; absent where it has one login.'),
  hooks: z
    .array(
      z.strictObject({
        endpoint: z.string().max(256),
        captured_at: TimestampSchema,
        metadata: HookMetadataSchema,
      }),
    )
    .max(64),
  slots: SlotReportSchema.optional(),
  stopped_reason: z.string().max(64).nullable(),
});
export type PlatformState = z.infer<typeof PlatformStateSchema>;

export const ClientTabSchema = LinkObservationSchema.extend({ platform: PlatformSchema });
export type ClientTab = z.infer<typeof ClientTabSchema>;

export const ClientPutBodySchema = z.strictObject({
  connected: z.boolean(),
  platforms: z.array(PlatformStateSchema).max(16),
  tabs: z.array(ClientTabSchema).max(500),
});
export type ClientPutBody = z.infer<typeof ClientPutBodySchema>;

export const ClientSchema = z.object({
  client_id: ClientIdSchema,
  controller_id: z.string(),
  connected: z.boolean(),
  platforms: z.array(PlatformStateSchema),
  first_seen_at: TimestampSchema.nullish().describe(
    'When a node first reported it; null for one that is known from before this was kept.',
  ),
  updated_at: TimestampSchema,
  unreadable: UnreadableSchema,
});
export type Client = z.infer<typeof ClientSchema>;

/** The node that has the browser from now on. */
export const ClientMoveBodySchema = z.strictObject({ controller_id: ControllerIdSchema });

export const ClientResumeBodySchema = z.strictObject({ platform: PlatformSchema.optional() });
/** The platforms that were stopped, and the command that resumes them on the browser's node. */
export const ClientResumeResponseSchema = z.object({
  client_id: ClientIdSchema,
  resumed: z.array(PlatformSchema),
  command_id: z.string(),
});
