/** What one browser (a "client" on the wire) has: platforms, logins, request templates, tabs. */
import { z } from 'zod';
import { ClientIdSchema, ControllerIdSchema, PlatformSchema, TimestampSchema } from './common.ts';
import { LinkObservationSchema } from './conversations.ts';

export const LOGIN_STATES = ['fresh', 'stale', 'lost'] as const;
export const LoginStateSchema = z.enum(LOGIN_STATES);

/** Why a browser delivers nothing to a platform until a person resumes it. */
export const STOP_REASONS = ['signed_out', 'security_challenge', 'account_changed'] as const;
export type StopReason = (typeof STOP_REASONS)[number];

export const PlatformStateSchema = z.strictObject({
  platform: PlatformSchema,
  login: LoginStateSchema,
  /** A hash of the signed-in account; the account itself is never sent. */
  fingerprint: z.string().max(128).nullable(),
  hooks: z.array(
    z.strictObject({
      endpoint: z.string().max(256),
      captured_at: TimestampSchema,
      metadata: z.record(z.string(), z.string()),
    }),
  ),
  slots: z.record(z.string(), z.unknown()).optional(),
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
  updated_at: TimestampSchema,
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
