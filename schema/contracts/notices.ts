/** Notices to people: what waits for a person is sent once to one address. `GET PUT /v1/notices`. */
import { z } from 'zod';
import { PERSON_NOTICE } from '../defaults.ts';
import { TimestampSchema } from './common.ts';
import { RenewalSettingsSchema } from './renewal-settings.ts';

/** Why something waits for a person. */
export const NOTICE_CAUSES = [
  'approval',
  'interrupted',
  'blocked_step',
  'stopped_browser',
  'paused_by_breaker',
  'no_leader',
] as const;
export type NoticeCause = (typeof NOTICE_CAUSES)[number];

/** `waiting`: not sent yet. `sent`: tried, and not accepted yet. `accepted`: the receiver has it. `failed`: every try failed. */
export const PERSON_NOTICE_STATES = ['waiting', 'sent', 'accepted', 'failed'] as const;
export type PersonNoticeState = (typeof PERSON_NOTICE_STATES)[number];

export const NOTICE_FORMATS = ['ntfy', 'slack', 'plain'] as const;
export type NoticeFormat = (typeof NOTICE_FORMATS)[number];
export const NOTICE_LANGUAGES = ['en', 'zh'] as const;
export type NoticeLanguage = (typeof NOTICE_LANGUAGES)[number];

const MAX_ADDRESS_CHARS = 2_000;
const MAX_SECRET_CHARS = 1_000;
const { quiet_hours, time_zone } = RenewalSettingsSchema.shape;

/** The settings as they are shown. The address may be a secret itself, so only its origin is. */
export const NoticeSettingsSchema = z.object({
  address_origin: z.string(),
  format: z.enum(NOTICE_FORMATS),
  language: z.enum(NOTICE_LANGUAGES),
  has_secret: z.boolean(),
  quiet_hours: quiet_hours.describe('The hours in which nothing is sent; what waits then is sent when they end.'),
  time_zone,
  page_origin: z.string().describe('Where the links of notices lead: the origin of the status page.'),
  updated_at: TimestampSchema,
});
export type NoticeSettings = z.infer<typeof NoticeSettingsSchema>;

/** What a browser learns from its agent in no other way. It names an object, and nothing of what the object contains. */
export const WaitingNoticeSchema = z.object({
  cause: z.enum(['interrupted', 'blocked_step', 'no_leader']),
  object_id: z.string().max(128),
  part: z.string().max(32).describe('The index of a step, the term that has ended; empty when the object says it all.'),
});
export type WaitingNotice = z.infer<typeof WaitingNoticeSchema>;

/** When no notice is sent: what a browser of the conductor keeps to as well. */
export const NoticeHoursSchema = z.object({
  quiet_hours,
  time_zone,
  waiting: z
    .array(WaitingNoticeSchema)
    .max(3 * PERSON_NOTICE.shown)
    .optional()
    .describe('For nodes: what waits for a person at any node, with its id alone.'),
});
export type NoticeHours = z.infer<typeof NoticeHoursSchema>;

/** What is left out stays as it is. */
export const NoticesPutBodySchema = z.strictObject({
  address: z
    .string()
    .min(1)
    .max(MAX_ADDRESS_CHARS)
    .nullable()
    .optional()
    .describe('Where notices are sent; null: nowhere.'),
  format: z.enum(NOTICE_FORMATS).optional(),
  language: z.enum(NOTICE_LANGUAGES).optional(),
  secret: z
    .string()
    .regex(/^[\x21-\x7e]+$/, 'visible ASCII characters without spaces')
    .max(MAX_SECRET_CHARS)
    .nullable()
    .optional()
    .describe(
      'Sent as `Authorization: Bearer …` and never shown again; null: none. An address of another origin needs it again.',
    ),
  quiet_hours: quiet_hours.optional(),
  time_zone: time_zone.optional(),
  page_origin: z.string().min(1).max(MAX_ADDRESS_CHARS).optional(),
});
export type NoticesPutBody = z.infer<typeof NoticesPutBodySchema>;

/** One notice that has been tried at least once. It names an object, and nothing of what the object contains. */
export const SentNoticeSchema = z.object({
  notice_id: z.string(),
  cause: z.enum(NOTICE_CAUSES),
  object_id: z.string(),
  state: z.enum(PERSON_NOTICE_STATES).exclude(['waiting']),
  attempt_count: z.number().int(),
  last_error: z
    .string()
    .nullable()
    .describe('Why the last try failed, such as `http_500`, `timeout` or `redirect`; null when it did not.'),
  due_at: TimestampSchema.nullable().describe('When the next try is due; null: there is none.'),
  created_at: TimestampSchema,
  sent_at: TimestampSchema.nullable(),
  accepted_at: TimestampSchema.nullable(),
  ended_at: TimestampSchema.nullable().describe('When the object ceased to wait; null: it still waits.'),
});
export type SentNotice = z.infer<typeof SentNoticeSchema>;

export const NoticesSchema = z.object({
  settings: NoticeSettingsSchema.nullable().describe('Null: notices are sent nowhere.'),
  waiting: z.number().int().describe('Notices that wait for the end of quiet hours.'),
  sent: z.array(SentNoticeSchema).max(PERSON_NOTICE.shown).describe('The newest, at most 50.'),
});
export type Notices = z.infer<typeof NoticesSchema>;

/** The outcome of a test notice, which is tried once, at any hour. */
export const NoticeTestSchema = z.object({ state: z.enum(['accepted', 'failed']), error: z.string().nullable() });
export type NoticeTest = z.infer<typeof NoticeTestSchema>;
