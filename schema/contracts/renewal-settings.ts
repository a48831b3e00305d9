/** The settings of renewal, for all conversations, a platform, or one conversation; and when the next renewal is due. */
import { z } from 'zod';
import { DurationMsSchema, idSchema, PlatformSchema, TimestampSchema } from './common.ts';

/** The placeholders of a template. Each is replaced once; the inserted text is not searched for placeholders. */
export const TEMPLATE_PLACEHOLDERS = ['summary', 'link', 'title'] as const;
export type TemplatePlaceholder = (typeof TEMPLATE_PLACEHOLDERS)[number];
const PLACEHOLDER = /\{([^{}\s]*)\}/g;

export const TemplateSchema = z
  .string()
  .max(4_000)
  .refine((text) => text.trim() !== '', 'a text that is not blank')
  .refine(
    (text) =>
      [...text.matchAll(PLACEHOLDER)].every(([, name]) => TEMPLATE_PLACEHOLDERS.some((known) => known === name)),
    `no other placeholders than ${TEMPLATE_PLACEHOLDERS.map((name) => `{${name}}`).join(', ')}`,
  );

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

const ClockTimeSchema = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day such as 22:30');
const CountSchema = z.number().int().min(1).max(100_000);
const WEEK_MS = 7 * 86_400_000;

/** Every limit; null means none. */
export const RenewalSettingsSchema = z.strictObject({
  time_zone: z
    .string()
    .max(64)
    .refine(isTimeZone, 'an IANA time zone such as Europe/Berlin')
    .describe('The time zone of quiet hours and days, such as `Europe/Berlin`.'),
  quiet_hours: z
    .strictObject({ from: ClockTimeSchema, to: ClockTimeSchema })
    .refine(({ from, to }) => from !== to, 'two different times of day')
    .nullable()
    .describe('The hours in which nothing is sent; they may span midnight.'),
  max_in_a_row: CountSchema.nullable().describe(
    'The number of renewals in a row, with nothing but responses between them.',
  ),
  max_per_day: CountSchema.nullable(),
  end_at: TimestampSchema.nullable().describe('After this time nothing is renewed.'),
  max_without_effect: CountSchema.nullable().describe(
    'This many renewals without an instruction that succeeded pause the conversation as `no_progress`.',
  ),
  max_repeats: CountSchema.nullable().describe(
    'This many renewals of messages with the same text pause the conversation as `repeated_renewal`.',
  ),
  cooldown_ms: DurationMsSchema.max(WEEK_MS).describe('The shortest time between the deliveries of two renewals.'),
  template: TemplateSchema,
});
export type RenewalSettings = z.infer<typeof RenewalSettingsSchema>;

/** The settings of one scope. The scope around it provides the others. */
export const RenewalSettingsPatchSchema = RenewalSettingsSchema.partial();
export type RenewalSettingsPatch = z.infer<typeof RenewalSettingsPatchSchema>;

/** 2020 in Unix milliseconds: an earlier time is in seconds, or a mistake. */
const EARLIEST_END = Date.UTC(2020, 0);
/** The same as a person sets it. */
export const SettingsChangeSchema = RenewalSettingsPatchSchema.extend({
  end_at: TimestampSchema.min(EARLIEST_END, 'a time in Unix milliseconds, not before 2020; is this one in seconds?')
    .nullable()
    .optional(),
});

const ScopeShape = {
  platform: PlatformSchema.optional(),
  local_conversation_id: idSchema('lc').optional(),
};
/** All conversations when neither is named; never both. */
export const SettingsScopeSchema = z
  .object(ScopeShape)
  .refine(({ platform, local_conversation_id }) => platform === undefined || local_conversation_id === undefined, {
    message: 'a platform or a conversation, not both',
    path: ['platform'],
  });
export type SettingsScope = z.infer<typeof SettingsScopeSchema>;

export const SettingsPutBodySchema = z.strictObject({ ...ScopeShape, settings: SettingsChangeSchema });
export const SettingsResponseSchema = z.object({
  scope: z.enum(['default', 'platform', 'conversation']),
  settings: RenewalSettingsPatchSchema.describe('The settings of this scope alone.'),
  effective: RenewalSettingsSchema.describe(
    'The settings that apply, with those of the scopes around it and the defaults.',
  ),
});

/** Why a renewal of an `auto` conversation waits. */
export const HOLD_REASONS = [
  'end_date',
  'max_in_a_row',
  'daily_budget',
  'cooldown',
  'rate_limited',
  'quiet_hours',
] as const;
export type HoldReason = (typeof HOLD_REASONS)[number];

export const COOLDOWN_REASONS = ['cooldown', 'rate_limited'] as const satisfies readonly HoldReason[];

/** Whether the next renewal is due, since or from when (null: it depends on another event), and why. */
export const NextRenewalSchema = z.object({
  due: z.boolean(),
  at: TimestampSchema.nullable(),
  reason: z.string(),
});
export type NextRenewal = z.infer<typeof NextRenewalSchema>;

/** The counters behind the limits. */
export const RenewalCountersSchema = z.object({
  renewals_in_row: z.number().int(),
  renewals_without_effect: z.number().int(),
  repeated_renewals: z.number().int(),
  renewals_today: z.number().int(),
  cooldown_until: TimestampSchema.nullable(),
});
