/**
 * What waits for a person at any node, for the notifications of every node's browsers: ids alone, found over the indexes of
 * what waits. What has waited for longer than a day is no news.
 */
import { sql } from 'drizzle-orm';
import { leaderLease } from '../../durable-objects/stubs.ts';
import type { WaitingNotice } from '../../schema/contracts/notices.ts';
import { PERSON_NOTICE } from '../../schema/defaults.ts';
import { LEADER_OBJECT } from '../../schema/domain/person-notice.ts';
import type { Edge } from '../db/plan.ts';
import { INTERRUPTED_SQL } from '../db/status-sql.ts';
import { taskIs } from '../db/task-sql.ts';

export async function readForNodes({ env, db, now }: Edge): Promise<WaitingNotice[]> {
  const after = now - PERSON_NOTICE.recent_ms;
  const [[interrupted, blocked], { holder_id, term }] = await Promise.all([
    db.batch([
      db.all<WaitingNotice>(sql`SELECT 'interrupted' AS cause, instruction_id AS object_id, '' AS part FROM instructions
        WHERE status ${INTERRUPTED_SQL} AND finished_at > ${after} ORDER BY finished_at DESC LIMIT ${PERSON_NOTICE.shown}`),
      db.all<WaitingNotice>(sql`SELECT 'blocked_step' AS cause, task_id AS object_id, current_step_index || '' AS part
        FROM tasks WHERE status ${taskIs('blocked')} AND updated_at > ${after}
        ORDER BY updated_at DESC LIMIT ${PERSON_NOTICE.shown}`),
    ]),
    leaderLease(env).read(),
  ]);
  const isWithoutLeader = holder_id === null && term > 0;
  const leader: WaitingNotice[] = isWithoutLeader
    ? [{ cause: 'no_leader', object_id: LEADER_OBJECT, part: String(term) }]
    : [];
  return [...interrupted, ...blocked, ...leader];
}
