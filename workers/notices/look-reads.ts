/**
 * What one look at the system needs, in one statement: the settings, what waits and has no open notice, and the open
 * notices, each with whether its object still waits. Without settings it reads one key. Every part is found over an index of
 * what waits, so the rows read do not grow with what is stored.
 */
import { sql } from 'drizzle-orm';
import type { PauseReason } from '../../schema/contracts/conversations.ts';
import type { NoticeCause } from '../../schema/contracts/notices.ts';
import { CONVERSATION_BREAKER, INSTRUCTION, PERSON_NOTICE } from '../../schema/defaults.ts';
import type { OpenNotice, Waiting } from '../../schema/domain/person-notice.ts';
import type { NoticeSettingsRow } from '../../schema/tables/index.ts';
import { notice_settings } from '../../schema/tables/index.ts';
import { HAS_STOP } from '../../schema/tables/stopped.ts';
import type { Database } from '../db/open.ts';
import { APPROVAL_DUE_SQL, INTERRUPTED_SQL } from '../db/status-sql.ts';
import { storedJson } from '../db/stored-json.ts';
import { taskIs } from '../db/task-sql.ts';

const MAX_OPEN = 500;
const BREAKER_REASONS = Object.keys(CONVERSATION_BREAKER) as (keyof typeof CONVERSATION_BREAKER & PauseReason)[];
/** A conversation that the breaker has paused. */
export const brokenSql = (table: string) =>
  sql.raw(
    `${table}.automation_status = 'paused' AND ${table}.pause_reason IN (${BREAKER_REASONS.map((reason) => `'${reason}'`).join(', ')})`,
  );
const BLOCKED_SQL = sql`status ${taskIs('blocked')}`;

/** No open notice has that cause, object and part. */
const unnoticed = (
  cause: NoticeCause,
  object: string,
  part: string,
) => sql`NOT EXISTS (SELECT 1 FROM person_notices AS n
  WHERE n.cause = ${cause} AND n.object_id = ${sql.raw(object)} AND n.part = ${sql.raw(part)} AND n.ended_at IS NULL)`;

const found = (cause: NoticeCause, object: string, part: string, since: string) =>
  sql`json_object('cause', ${cause}, 'object_id', ${sql.raw(object)}, 'part', ${sql.raw(part)}, 'since', ${sql.raw(since)})`;

const listOf = (item: ReturnType<typeof found>, rows: ReturnType<typeof found>) =>
  sql`(SELECT json_group_array(${item}) FROM (${rows} LIMIT ${PERSON_NOTICE.found_per_look}) AS w)`;

const approvals = listOf(
  found('approval', 'w.instruction_id', "''", `w.approval_expires_at - ${INSTRUCTION.approval_expiry_ms}`),
  sql`SELECT i.instruction_id, i.approval_expires_at FROM instructions AS i
    WHERE i.status ${APPROVAL_DUE_SQL} AND i.approval IS NOT NULL AND ${unnoticed('approval', 'i.instruction_id', "''")}
    ORDER BY i.approval_expires_at`,
);

const interrupted = (after: number) =>
  listOf(
    found('interrupted', 'w.instruction_id', "''", 'w.finished_at'),
    sql`SELECT i.instruction_id, i.finished_at FROM instructions AS i
      WHERE i.status ${INTERRUPTED_SQL} AND i.finished_at > ${after}
        AND ${unnoticed('interrupted', 'i.instruction_id', "''")}
      ORDER BY i.finished_at DESC`,
  );

const blockedSteps = (after: number) =>
  listOf(
    found('blocked_step', 'w.task_id', "w.current_step_index || ''", 'w.updated_at'),
    sql`SELECT t.task_id, t.current_step_index, t.updated_at FROM (SELECT b.task_id, b.current_step_index, b.updated_at FROM tasks AS b
        WHERE b.${BLOCKED_SQL} AND b.updated_at > ${after} ORDER BY b.updated_at DESC) AS t
      WHERE ${unnoticed('blocked_step', 't.task_id', "t.current_step_index || ''")}`,
  );

const stoppedBrowsers = listOf(
  found('stopped_browser', 'w.client_id', 'w.platform', 'w.updated_at'),
  sql`SELECT c.client_id, c.updated_at, p.value->>'platform' AS platform
    FROM (SELECT s.client_id, s.platforms, s.updated_at FROM clients AS s
        WHERE ${sql.raw(HAS_STOP.replace('platforms', 's.platforms'))}) AS c,
      json_each(${storedJson(sql`c.platforms`, '[]')}) AS p
    WHERE p.value->>'stopped_reason' IS NOT NULL AND ${unnoticed('stopped_browser', 'c.client_id', "p.value->>'platform'")}`,
);

const pausedConversations = (after: number) =>
  listOf(
    found('paused_by_breaker', 'w.local_conversation_id', "''", 'w.paused_at'),
    sql`SELECT l.local_conversation_id, l.paused_at FROM (SELECT q.local_conversation_id, q.paused_at FROM local_conversations AS q
        WHERE q.paused_at > ${after} AND ${brokenSql('q')} ORDER BY q.paused_at DESC) AS l
      WHERE ${unnoticed('paused_by_breaker', 'l.local_conversation_id', "''")}`,
  );

/** Whether the object of the notice `n` still waits. Who leads is not in D1. */
const stillWaits = sql`CASE n.cause
  WHEN 'approval' THEN EXISTS (SELECT 1 FROM instructions AS i WHERE i.instruction_id = n.object_id
    AND i.status ${APPROVAL_DUE_SQL})
  WHEN 'interrupted' THEN EXISTS (SELECT 1 FROM instructions AS i WHERE i.instruction_id = n.object_id
    AND i.status ${INTERRUPTED_SQL})
  WHEN 'blocked_step' THEN EXISTS (SELECT 1 FROM tasks AS t WHERE t.task_id = n.object_id AND t.${BLOCKED_SQL}
    AND t.current_step_index || '' = n.part)
  WHEN 'stopped_browser' THEN EXISTS (SELECT 1 FROM clients AS c, json_each(${storedJson(sql`c.platforms`, '[]')}) AS p
    WHERE c.client_id = n.object_id AND p.value->>'platform' = n.part AND p.value->>'stopped_reason' IS NOT NULL)
  WHEN 'paused_by_breaker' THEN EXISTS (SELECT 1 FROM local_conversations AS l
    WHERE l.local_conversation_id = n.object_id AND ${brokenSql('l')})
  ELSE 1 END`;

const openNotices = sql`(SELECT json_group_array(json_object('notice_id', n.notice_id, 'cause', n.cause,
    'object_id', n.object_id, 'part', n.part, 'since', n.since, 'state', n.state, 'attempt_count', n.attempt_count,
    'due_at', n.due_at, 'sent_at', n.sent_at, 'waits', json(CASE WHEN ${stillWaits} THEN 'true' ELSE 'false' END)))
  FROM (SELECT o.* FROM person_notices AS o WHERE o.ended_at IS NULL
    ORDER BY o.due_at IS NULL, o.due_at LIMIT ${MAX_OPEN}) AS n)`;

export interface Look {
  settings: NoticeSettingsRow;
  waiting: Waiting[];
  open: OpenNotice[];
}

/** Null when notices are sent nowhere. */
export async function look(db: Database, now: number): Promise<Look | null> {
  const recent = now - PERSON_NOTICE.recent_ms;
  const lists = [approvals, interrupted(recent), blockedSteps(recent), stoppedBrowsers, pausedConversations(recent)];
  const [row] = await db
    .select({
      settings: notice_settings,
      waiting: sql<string>`json_array(${sql.join(
        lists.map((list) => sql`json(${list})`),
        sql`, `,
      )})`.as('waiting'),
      open: sql<string>`${openNotices}`.as('open'),
    })
    .from(notice_settings)
    .limit(1);
  if (row === undefined) return null;
  return {
    settings: row.settings,
    waiting: (JSON.parse(row.waiting) as Waiting[][]).flat(),
    open: JSON.parse(row.open) as OpenNotice[],
  };
}
