/** Sends notices: the tries of one look at once, and a test. */
import type { NoticeTest } from '../../schema/contracts/notices.ts';
import type { NoticeRecord } from '../../schema/domain/person-notice.ts';
import { NOTICE_CAUSE } from '../../schema/domain/person-notice.ts';
import type { NoticeSettingsRow } from '../../schema/tables/index.ts';
import type { Edge } from '../db/plan.ts';
import { notifyNodes } from './deadlines.ts';
import { NOTICE_TITLES } from './notice-titles.ts';
import type { NoticeText } from './post.ts';
import { postNotice } from './post.ts';
import { addressProblem } from './public-address.ts';
import { allowsLocal, openDestination } from './settings.ts';
import { storeOutcomes } from './store.ts';

/** Ends within the time of one request: the tries run side by side. */
export async function sendNotices(
  edge: Edge,
  settings: NoticeSettingsRow,
  notices: readonly NoticeRecord[],
): Promise<void> {
  const startedAt = Date.now();
  const ended = await Promise.all(
    notices.map(async (notice) => ({ notice, error: await tryOnce(edge.env, settings, textOf(settings, notice)) })),
  );
  const now = edge.now + (Date.now() - startedAt);
  await notifyNodes(edge.env, await storeOutcomes(edge.db, ended, now));
}

/** One try at any hour, whose outcome is not stored. */
export async function sendTest(env: Env, settings: NoticeSettingsRow): Promise<NoticeTest> {
  const { language, page_origin } = settings;
  const text = { title: NOTICE_TITLES[language].test, object_id: '', link: `${page_origin}/settings` };
  const error = await tryOnce(env, settings, text);
  return { state: error === null ? 'accepted' : 'failed', error };
}

function textOf({ language, page_origin }: NoticeSettingsRow, { cause, object_id }: NoticeRecord): NoticeText {
  return { title: NOTICE_TITLES[language][cause], object_id, link: page_origin + NOTICE_CAUSE[cause].path(object_id) };
}

async function tryOnce(env: Env, settings: NoticeSettingsRow, text: NoticeText): Promise<string | null> {
  const destination = await openDestination(env, settings);
  if (destination === null) return 'address_unreadable';
  if (addressProblem(destination.address, { local: allowsLocal(env) }) !== null) return 'address_refused';
  return postNotice(destination, settings.format, text);
}
