/** The tick log in D1. */
import type { SQL } from 'drizzle-orm';
import { and, asc, eq, gt } from 'drizzle-orm';
import type { Tick, TickTrigger } from '../../schema/contracts/ticks.ts';
import { ticks } from '../../schema/tables/index.ts';
import type { Database } from '../db/open.ts';
import type { Page, PageRequest } from '../http/paging.ts';
import { pageWindow, toPage } from '../http/paging.ts';

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
