/** When the next tick has something to do, and arming it. */
import { sql } from 'drizzle-orm';
import { automationState, timedJobs } from '../../durable-objects/stubs.ts';
import type { SystemMode } from '../../schema/contracts/system.ts';
import type { Database } from '../db/open.ts';
import type { Edge } from '../db/plan.ts';
import { LIVE_RUN_SQL } from '../db/task-sql.ts';
import type { Settings } from '../settings.ts';
import { settings } from '../settings.ts';
import { messagesAfterCursor } from './projectable-reads.ts';
import { nextMark } from './projection-marks.ts';

/** Arms the next tick, after a write that may have made something due and does not know what. */
export async function armNextTick({ env, db }: Edge): Promise<void> {
  const { mode } = await automationState(env).read();
  const due = await nextDueAt(db, settings(env), mode);
  if (due !== null) await timedJobs(env).due(due);
}

/**
 * The next time at which a tick has something to do in that mode (Unix milliseconds), or null. Messages count only while
 * the projector works. Pending jobs of conversations that are not `auto` are skipped, however many come first: they make
 * nothing due, and hide nothing that is.
 */
export async function nextDueAt(db: Database, settings: Settings, mode: SystemMode): Promise<number | null> {
  if (mode === 'paused') return null;
  const [row] = await db.all<
    Record<'running' | 'pending' | 'message' | 'mark' | 'run' | 'notice' | 'ask' | 'forget', number | null>
  >(sql`SELECT
    (SELECT min(deadline_at) FROM renewal_jobs WHERE status = 'running') AS running,
    (SELECT j.next_attempt_at FROM renewal_jobs AS j
      LEFT JOIN local_conversations AS c ON c.local_conversation_id = j.local_conversation_id
      WHERE j.status = 'pending' AND coalesce(c.automation_status, 'auto') = 'auto'
      ORDER BY j.next_attempt_at LIMIT 1) AS pending,
    (SELECT min(m.received_at) FROM ${messagesAfterCursor} AS m
      JOIN local_conversations AS c ON c.local_conversation_id = m.local_conversation_id
      WHERE c.automation_status = 'auto') + ${settings.settle_delay_ms} AS message,
    (SELECT min(deadline_at) FROM runs WHERE status ${LIVE_RUN_SQL}) AS run,
    (SELECT min(due_at) FROM task_notices WHERE due_at IS NOT NULL) AS notice,
    (SELECT min(due_at) FROM asks WHERE due_at IS NOT NULL) AS ask,
    (SELECT min(forget_before) FROM local_conversations WHERE forget_before IS NOT NULL) AS forget,
    ${nextMark} AS mark`);
  const times = [
    row?.running,
    row?.pending,
    row?.run,
    row?.notice,
    row?.ask,
    row?.forget,
    ...(mode === 'running' ? [row?.message, row?.mark] : []),
  ];
  const known = times.filter((at) => at !== null && at !== undefined);
  return known.length === 0 ? null : Math.min(...known);
}
