/** The tick log in D1, and when the next tick is due. */
import type { SQL } from 'drizzle-orm';
import { and, asc, eq, gt, sql } from 'drizzle-orm';
import type { SystemMode } from '../../schema/contracts/system.ts';
import type { Tick, TickTrigger } from '../../schema/contracts/ticks.ts';
import { ticks } from '../../schema/tables/index.ts';
import type { Database } from '../db/open.ts';
import type { Page, PageRequest } from '../http/paging.ts';
import { pageWindow, toPage } from '../http/paging.ts';
import { nextMark, PROJECTOR } from '../renewal/projection-marks.ts';
import type { Settings } from '../settings.ts';

/** Ticks after that number in their order, or without one the newest first. */
export async function listTicks(
  db: Database,
  filter: SQL | undefined,
  page: PageRequest,
  after: number | undefined,
): Promise<Page<Tick>> {
  if (after !== undefined) {
    const rows = await db
      .select()
      .from(ticks)
      .where(and(gt(ticks.tick_seq, after), filter))
      .orderBy(asc(ticks.tick_seq))
      .limit(page.limit + 1);
    return toPage(rows, page, (row) => row.tick_seq);
  }
  const window = pageWindow(ticks.tick_seq, page);
  const rows = await db
    .select()
    .from(ticks)
    .where(and(window.where, filter))
    .orderBy(window.orderBy)
    .limit(window.limit);
  return toPage(rows, page, (row) => row.tick_seq);
}

/** The trigger of that tick; `alarm` while its row is not stored yet. */
export async function triggerOf(db: Database, batchId: string): Promise<TickTrigger> {
  const row = await db.select({ trigger: ticks.trigger }).from(ticks).where(eq(ticks.batch_id, batchId)).get();
  return row?.trigger ?? 'alarm';
}

/**
 * The next time at which a tick has something to do in that mode (Unix milliseconds), or null. Messages count only while
 * the projector works. Pending jobs of conversations that are not `auto` are skipped, however many come first: they make
 * nothing due, and hide nothing that is.
 */
export async function nextDueAt(db: Database, settings: Settings, mode: SystemMode): Promise<number | null> {
  if (mode === 'paused') return null;
  const [row] = await db.all<Record<'running' | 'pending' | 'message' | 'mark', number | null>>(sql`SELECT
    (SELECT min(deadline_at) FROM renewal_jobs WHERE status = 'running') AS running,
    (SELECT j.next_attempt_at FROM renewal_jobs AS j
      LEFT JOIN local_conversations AS c ON c.local_conversation_id = j.local_conversation_id
      WHERE j.status = 'pending' AND coalesce(c.automation_status, 'auto') = 'auto'
      ORDER BY j.next_attempt_at LIMIT 1) AS pending,
    (SELECT min(m.received_at) FROM (SELECT received_at, local_conversation_id FROM messages WHERE ingest_seq >
        coalesce((SELECT position FROM runner_cursors WHERE runner = ${PROJECTOR}), 0)
        ORDER BY ingest_seq LIMIT ${settings.max_messages_per_tick}) AS m
      JOIN local_conversations AS c ON c.local_conversation_id = m.local_conversation_id
      WHERE c.automation_status = 'auto') + ${settings.settle_delay_ms} AS message,
    ${nextMark} AS mark`);
  const times = [row?.running, row?.pending, ...(mode === 'running' ? [row?.message, row?.mark] : [])];
  const known = times.filter((at) => at !== null && at !== undefined);
  return known.length === 0 ? null : Math.min(...known);
}
