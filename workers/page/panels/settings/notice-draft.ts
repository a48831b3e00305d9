/** The settings of notices as a person edits them. Address and secret are never shown: an empty field leaves them as they are. */
import type { NoticeSettings, NoticesPutBody } from '../../../../schema/contracts/notices.ts';
import { NoticesPutBodySchema } from '../../../../schema/contracts/notices.ts';

export type NoticeDraft = Readonly<
  Record<'address' | 'format' | 'language' | 'secret' | 'quiet_hours' | 'time_zone', string>
>;

export function draftOfNotices(settings: NoticeSettings | null): NoticeDraft {
  const { format = 'plain', language = 'en', time_zone = 'UTC', quiet_hours = null } = settings ?? {};
  const hours = quiet_hours === null ? '' : `${quiet_hours.from}-${quiet_hours.to}`;
  return { address: '', secret: '', format, language, time_zone, quiet_hours: hours };
}

/** What has changed, as the edge takes it; null when nothing has, or something cannot be taken. */
export function changesOf(before: NoticeDraft, draft: NoticeDraft): NoticesPutBody | null {
  const [from = '', to = ''] = draft.quiet_hours.trim().split(/\s*[-–]\s*/);
  const values: Record<keyof NoticeDraft, unknown> = {
    ...draft,
    address: draft.address.trim(),
    secret: draft.secret.trim(),
    quiet_hours: draft.quiet_hours.trim() === '' ? null : { from, to },
  };
  const changed = (Object.keys(values) as (keyof NoticeDraft)[]).filter((name) => draft[name] !== before[name]);
  if (changed.length === 0) return null;
  const parsed = NoticesPutBodySchema.safeParse(Object.fromEntries(changed.map((name) => [name, values[name]])));
  return parsed.success ? parsed.data : null;
}
