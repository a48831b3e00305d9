/** The reports of ended tasks into the chats that created them: what is due, what leaves, and what becomes of it. */
import { eq, sql } from 'drizzle-orm';
import type { COMMAND_BODIES } from '../../schema/contracts/commands.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import type { DeliveryResult } from '../../schema/contracts/renewal.ts';
import { RENEWAL } from '../../schema/defaults.ts';
import { isDeliverable } from '../../schema/domain/links.ts';
import type { NoticeState } from '../../schema/domain/notice.ts';
import { deferNotice, dropNotice, endNotice, overdueNotice, sendNotice } from '../../schema/domain/notice.ts';
import { newId } from '../../schema/ids.ts';
import type { NoticeRow } from '../../schema/tables/index.ts';
import { task_notices } from '../../schema/tables/index.ts';
import { guardThat } from '../db/guards.ts';
import type { Database, Statement } from '../db/open.ts';
import type { Edge, Plan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import type { CommandDraft } from '../nodes/commands.ts';
import type { Reach } from '../nodes/presence.ts';
import { sendCommands } from '../nodes/push.ts';
import { chooseLink } from '../renewal/choose-link.ts';
import type { RenewalLink } from '../renewal/link-reads.ts';
import { linksJson, parseLinks } from '../renewal/link-reads.ts';
import { projectAgain } from '../renewal/projection-marks.ts';

export interface DueNotice {
  notice: NoticeRow;
  /** Null when the conversation is gone. */
  platform: Platform | null;
  links: RenewalLink[];
  /** Whether its node has received the command under way. */
  isReceived: boolean;
}

/** Notices that are due, the longest first, each with what decides about it. One statement. */
export async function dueNotices(db: Database, now: number, limit: number): Promise<DueNotice[]> {
  const rows = await db.all<NoticeRow & { platform: Platform | null; links: string; is_received: number }>(sql`
    SELECT n.*, c.platform, ${linksJson(sql`n.local_conversation_id`)} AS links,
      coalesce((SELECT k.received_at IS NOT NULL OR k.status = 'done' FROM commands AS k
        WHERE k.command_id = n.command_id), 0) AS is_received
    FROM task_notices AS n LEFT JOIN local_conversations AS c ON c.local_conversation_id = n.local_conversation_id
    WHERE n.due_at IS NOT NULL AND n.due_at <= ${now} ORDER BY n.due_at LIMIT ${limit}`);
  return rows.map(({ platform, links, is_received, ...notice }) => ({
    notice,
    platform,
    links: parseLinks(links),
    isReceived: is_received === 1,
  }));
}

/** What the tick does with a due notice. */
export function planNotice(edge: Edge, due: DueNotice, reach: (nodeId: string) => Reach): Plan {
  const { now } = edge;
  const { notice, platform, links, isReceived } = due;
  if (notice.status === 'sending') return storeNotice(edge, notice, overdueNotice(notice, isReceived, { now }));
  if (platform === null) return storeNotice(edge, notice, dropNotice(notice, 'missing_local_conversation', now));
  const { link, unusable } = chooseLink(links, reach);
  const why = link === null ? 'missing_active_link' : isDeliverable(link) ? unusable : 'route_unavailable';
  if (link === null || why !== null) {
    return storeNotice(edge, notice, deferNotice(notice, why ?? 'missing_active_link', { now }));
  }
  return send(edge, notice, platform, link);
}

function send(edge: Edge, notice: NoticeRow, platform: Platform, link: RenewalLink): Plan {
  const { now } = edge;
  const next = sendNotice(notice, now);
  const { task_id, created_at, message_text } = notice;
  const command: CommandDraft<'task.notice'> = {
    command_id: newId('command', now),
    controller_id: link.controller_id,
    kind: 'task.notice',
    body: {
      task_id,
      // A retried task reports its next end too.
      plan_id: `${task_id}.${created_at}.${next.attempt_count}`,
      platform,
      target: link.target_payload,
      message_text,
      timeout_ms: RENEWAL.delivery_timeout_ms,
    },
    expires_at: next.due_at ?? now,
  };
  const { command_id, body } = command;
  return mergePlans(
    storeNotice(edge, notice, next, { command_id, plan_id: body.plan_id }),
    sendCommands(edge, [command]),
  );
}

/** The node's report of an attempt; it counts only for the attempt under way. */
export async function applyNoticeResult(
  edge: Edge,
  { task_id, plan_id }: Pick<(typeof COMMAND_BODIES)['task.notice']['_output'], 'task_id' | 'plan_id'>,
  result: DeliveryResult,
  random: number,
): Promise<Plan> {
  const { db, now } = edge;
  const notice = await db.select().from(task_notices).where(eq(task_notices.task_id, task_id)).get();
  if (notice === undefined || notice.plan_id !== plan_id) return {};
  return storeNotice(edge, notice, endNotice(notice, result, { now, random }));
}

function storeNotice(
  { db, now }: Edge,
  read: NoticeRow,
  next: NoticeState,
  sent: Partial<Pick<NoticeRow, 'command_id' | 'plan_id'>> = {},
): Plan {
  const { task_id } = read;
  const { status, attempt_count, due_at, last_error, finished_at } = next;
  const set = { status, attempt_count, due_at, last_error, finished_at, ...sent };
  const statements: Statement[] = [db.update(task_notices).set(set).where(eq(task_notices.task_id, task_id))];
  // A notice that is delivered carries the chat on by itself; without one its newest message may be renewed.
  if (status === 'failed' || status === 'uncertain') {
    statements.push(projectAgain(db, read.local_conversation_id, now));
  }
  const isAsRead = sql`EXISTS (SELECT 1 FROM task_notices WHERE task_id = ${task_id} AND status = ${read.status}
    AND attempt_count = ${read.attempt_count} AND created_at = ${read.created_at})`;
  const isNews = status !== read.status;
  return {
    guards: [guardThat(db, isAsRead)],
    statements,
    events: isNews
      ? [{ topic: 'tasks', type: 'notice', subject_id: task_id, data: { status, reason: last_error } }]
      : [],
  };
}
