/** Conversations and links: one chat thread, and the browser tab where it can be reached. */
import { z } from 'zod';
import { AccountFingerprintSchema, ClientIdSchema, PlatformSchema, ReasonSchema, TimestampSchema } from './common.ts';
import { ForgetStateSchema } from './forget.ts';
import { KeepStateSchema } from './keeping.ts';
import { NextRenewalSchema, RenewalCountersSchema, RenewalSettingsSchema } from './renewal-settings.ts';

export const AUTOMATION_STATUSES = ['manual', 'auto', 'paused'] as const;
export const AutomationStatusSchema = z.enum(AUTOMATION_STATUSES);
export type AutomationStatus = z.infer<typeof AutomationStatusSchema>;

export const PAUSE_REASONS = [
  'user_pause',
  'ai_pause',
  'execution_failure',
  'repeated_message',
  'repeated_renewal',
  'no_progress',
  'rate_limited',
  'security_challenge',
] as const;
export const PauseReasonSchema = z.enum(PAUSE_REASONS);
export type PauseReason = z.infer<typeof PauseReasonSchema>;

/** Who sets the automation of a conversation. */
export const STATUS_SETTERS = ['person', 'chat'] as const;
export type StatusSetter = (typeof STATUS_SETTERS)[number];

export const RemoteConversationIdSchema = z.string().trim().min(1).max(256);
export const TabIdSchema = z.number().int().nonnegative();
export const TARGET_KIND = 'browser.proxy_delivery';

/** What a browser reports of one tab that shows a conversation. */
export const LinkObservationSchema = z.strictObject({
  remote_conversation_id: RemoteConversationIdSchema.nullable(),
  organization_id: z.string().max(256).nullish(),
  page_url: z.string().max(2_048),
  page_title: z.string().max(500).nullable(),
  tab_id: TabIdSchema,
  shell_page: z.boolean(),
  account_fingerprint: AccountFingerprintSchema.nullish().describe(
    'A hash of the account of this tab; named only where the browser has several accounts of the platform.',
  ),
  observed_at: TimestampSchema.describe(
    'When the browser saw it, by its own clock. Orders the observations of one browser.',
  ),
});
export type LinkObservation = z.infer<typeof LinkObservationSchema>;

export const TargetPayloadSchema = z.object({
  client_id: z.string(),
  conversation_id: z.string().nullable(),
  organization_id: z.string().nullish(),
  page_url: z.string(),
  page_title: z.string().nullable(),
  tab_id: z.number().int().nullable(),
  shell_page: z.boolean(),
  account_fingerprint: AccountFingerprintSchema.nullish().describe(
    'The account that it must be; absent: the only one of the browser.',
  ),
});
export type TargetPayload = z.infer<typeof TargetPayloadSchema>;

export const LinkSchema = z.object({
  link_id: z.string(),
  local_conversation_id: z.string(),
  platform: PlatformSchema,
  remote_conversation_id: z.string(),
  client_id: ClientIdSchema,
  controller_id: z.string(),
  page_url: z.string(),
  page_title: z.string().nullable(),
  route_path: z.string(),
  route_pattern: z.string().nullable(),
  route_params: z.record(z.string(), z.string()),
  target_kind: z.string(),
  target_id: z.string(),
  target_payload: TargetPayloadSchema,
  is_active: z.boolean(),
  observed_at: TimestampSchema,
});
export type Link = z.infer<typeof LinkSchema>;

export const ConversationSchema = z.object({
  local_conversation_id: z.string(),
  platform: PlatformSchema,
  remote_conversation_id: z.string(),
  automation_status: AutomationStatusSchema,
  last_non_paused_automation_status: z.enum(['manual', 'auto']),
  pause_reason: PauseReasonSchema.nullable(),
  paused_at: TimestampSchema.nullable(),
  title: z.string().nullable(),
  last_message_id: z.string().nullable(),
  last_message_at: TimestampSchema.nullable(),
  created_at: TimestampSchema,
  updated_at: TimestampSchema,
});
export type Conversation = z.infer<typeof ConversationSchema>;
export const ConversationDetailSchema = ConversationSchema.extend({
  active_link: LinkSchema.nullable(),
  limits: RenewalSettingsSchema,
  counters: RenewalCountersSchema,
  next_renewal: NextRenewalSchema,
  forget: ForgetStateSchema.optional().describe('Absent from an edge of an earlier version.'),
  texts_kept: KeepStateSchema.optional().describe('Absent from an edge of an earlier version.'),
});
export type ConversationDetail = z.infer<typeof ConversationDetailSchema>;

export const ConversationModeBodySchema = z.strictObject({ reason: ReasonSchema.optional() });
