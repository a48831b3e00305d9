/** The settings of a scope as a person edits them: each is set here, or comes from the scope around it. */
import type { z } from 'zod';
import type { Platform } from '../../../../schema/contracts/common.ts';
import type {
  RenewalSettings,
  SettingsPutBodySchema,
  SettingsResponseSchema,
} from '../../../../schema/contracts/renewal-settings.ts';
import { SettingsChangeSchema } from '../../../../schema/contracts/renewal-settings.ts';

export interface Scope {
  platform?: Platform;
  local_conversation_id?: string;
}
export type SettingsResponse = z.output<typeof SettingsResponseSchema>;
export type Field = keyof RenewalSettings;
export const FIELDS: readonly Field[] = [
  'template',
  'max_per_day',
  'max_in_a_row',
  'cooldown_ms',
  'max_without_effect',
  'max_repeats',
  'quiet_hours',
  'time_zone',
  'end_at',
];
const COUNTS: readonly Field[] = ['max_per_day', 'max_in_a_row', 'max_without_effect', 'max_repeats'];
/** Fields that may be without a limit. */
export const NULLABLE: readonly Field[] = [...COUNTS, 'quiet_hours', 'end_at'];
const SECOND_MS = 1_000;

/** The value of a field as text of its control; empty for no limit. */
export function textOf(field: Field, settings: RenewalSettings): string {
  switch (field) {
    case 'quiet_hours':
      return settings.quiet_hours === null ? '' : `${settings.quiet_hours.from}-${settings.quiet_hours.to}`;
    case 'cooldown_ms':
      return String(settings.cooldown_ms / SECOND_MS);
    case 'end_at':
      return settings.end_at === null ? '' : localTime(settings.end_at);
    default:
      return String(settings[field] ?? '');
  }
}

/** As a `datetime-local` control has it. */
function localTime(at: number): string {
  const date = new Date(at - new Date(at).getTimezoneOffset() * 60_000);
  return date.toISOString().slice(0, 16);
}

function fieldValue(field: Field, text: string): unknown {
  const trimmed = text.trim();
  if (field === 'template') return text;
  if (trimmed === '' && NULLABLE.includes(field)) return null;
  if (COUNTS.includes(field)) return Number(trimmed);
  if (field === 'cooldown_ms') return trimmed === '' ? Number.NaN : Math.round(Number(trimmed) * SECOND_MS);
  if (field === 'end_at') return new Date(trimmed).getTime();
  if (field !== 'quiet_hours') return trimmed;
  const [from = '', to = ''] = trimmed.split(/\s*[-–]\s*/);
  return { from, to };
}

export type Draft = Readonly<Partial<Record<Field, string>>>;
export type Problems = Readonly<Partial<Record<Field, string>>>;

export function draftOf({ settings, effective }: SettingsResponse): Draft {
  return Object.fromEntries(
    FIELDS.filter((field) => field in settings).map((field) => [field, textOf(field, effective)]),
  );
}

/** What a person has typed, by field, beside what was stored when they began; null: not set here. */
export type Edits = Readonly<Partial<Record<Field, { text: string | null; over: string | null }>>>;

export function editField(edits: Edits, stored: Draft, field: Field, text: string | null): Edits {
  const over = edits[field] === undefined ? (stored[field] ?? null) : edits[field].over;
  return { ...edits, [field]: { text, over } };
}

/**
 * The form as it is: what was typed, and in all other fields what is stored now. `differs`: something would be saved;
 * `overtaken`: fields that were typed in, and stored with another value meanwhile.
 */
export function applyEdits(stored: Draft, edits: Edits): { draft: Draft; differs: boolean; overtaken: Field[] } {
  const draft: Partial<Record<Field, string>> = { ...stored };
  const open = FIELDS.filter((field) => {
    const edit = edits[field];
    return edit !== undefined && edit.text !== (stored[field] ?? null);
  });
  for (const field of open) {
    const text = edits[field]?.text ?? null;
    if (text === null) delete draft[field];
    else draft[field] = text;
  }
  const overtaken = open.filter((field) => edits[field]?.over !== (stored[field] ?? null));
  return { draft, differs: open.length > 0, overtaken };
}

/** The body that the edge takes, or what is wrong with each field, by the same contract. */
export function readDraft(
  scope: Scope,
  draft: Draft,
): { body: z.input<typeof SettingsPutBodySchema>; problems: null } | { body: null; problems: Problems } {
  const values = Object.fromEntries(
    Object.entries(draft).map(([field, text]) => [field, fieldValue(field as Field, text)]),
  );
  const parsed = SettingsChangeSchema.safeParse(values);
  if (parsed.success) return { body: { ...scope, settings: parsed.data }, problems: null };
  const problems = Object.fromEntries(parsed.error.issues.map(({ path: [field = ''], message }) => [field, message]));
  return { body: null, problems };
}
