/** What `GET /v1/notices` shows. */
import { count, desc, eq, ne, sql } from 'drizzle-orm';
import type { Notices } from '../../schema/contracts/notices.ts';
import { SentNoticeSchema } from '../../schema/contracts/notices.ts';
import { PERSON_NOTICE } from '../../schema/defaults.ts';
import { person_notices } from '../../schema/tables/index.ts';
import { contractColumns } from '../db/columns.ts';
import type { Database } from '../db/open.ts';
import { readSettings, shownSettings } from './settings.ts';

export async function readNotices(db: Database): Promise<Notices> {
  const [settings, waiting, sent] = await Promise.all([
    readSettings(db),
    db
      .select({ count: count() })
      .from(person_notices)
      .where(sql`${eq(person_notices.state, 'waiting')} AND ${person_notices.ended_at} IS NULL`)
      .get(),
    db
      .select(contractColumns(person_notices, SentNoticeSchema))
      .from(person_notices)
      .where(ne(person_notices.state, sql`'waiting'`))
      .orderBy(desc(person_notices.notice_id))
      .limit(PERSON_NOTICE.shown),
  ]);
  return {
    settings: settings === null ? null : shownSettings(settings),
    waiting: waiting?.count ?? 0,
    sent: sent as Notices['sent'],
  };
}
