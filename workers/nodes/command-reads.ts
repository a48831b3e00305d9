/** Commands as stored: one by its id, those that wait for a node, and the result of one that was just sent. */
import { and, eq, getTableColumns, gt, sql } from 'drizzle-orm';
import type { Command } from '../../schema/contracts/commands.ts';
import { HTTP } from '../../schema/defaults.ts';
import type { CommandRow } from '../../schema/tables/index.ts';
import { commands } from '../../schema/tables/index.ts';
import type { Database } from '../db/open.ts';
import type { Page, PageRequest } from '../http/paging.ts';
import { pageWindow, toPage } from '../http/paging.ts';
import { toCommand } from './commands.ts';

export async function findCommand(db: Database, commandId: string): Promise<CommandRow | undefined> {
  return db.select().from(commands).where(eq(commands.command_id, commandId)).get();
}

/** Unexpired commands without a receipt or a result of that node, oldest first. */
export async function pendingCommands(db: Database, nodeId: string, now: number): Promise<Command[]> {
  const { items } = await listPending(db, nodeId, now, { limit: HTTP.list_limit_max });
  return items;
}

/** Grows with each commit. Ids do not: they are made on many machines, and an older one may be stored later. */
const STORED_ORDER = sql<number>`${commands}.rowid`;

/** A page of the same; only commands stored after the command `after`, when it is given. */
export async function listPending(
  db: Database,
  nodeId: string,
  now: number,
  page: PageRequest & { after?: string | undefined },
): Promise<Page<Command>> {
  const window = pageWindow(STORED_ORDER, page, 'oldest');
  const rows = await db
    .select({ ...getTableColumns(commands), stored: STORED_ORDER })
    .from(commands)
    .where(
      and(
        eq(commands.controller_id, nodeId),
        // The literal, not a bound parameter: only so the partial index is used.
        eq(commands.status, sql`'pending'`),
        page.after === undefined
          ? undefined
          : sql`${STORED_ORDER} > coalesce((SELECT rowid FROM commands WHERE command_id = ${page.after}), 0)`,
        gt(commands.expires_at, now),
        window.where,
      ),
    )
    .orderBy(window.orderBy)
    .limit(window.limit);
  const { items, next_cursor } = toPage(rows, page, (row) => row.stored);
  return { items: items.map((row) => toCommand(row, now)), next_cursor };
}

const RESULT_POLL_MS = { first: 50, longest: 1_000 };

/** Waits for the result of a command that was just sent; null when it was refused or `waitMs` are over. */
export async function awaitResult(
  db: Database,
  commandId: string,
  waitMs: number,
): Promise<Record<string, unknown> | null> {
  let pauseMs = RESULT_POLL_MS.first;
  for (let waitedMs = 0; waitedMs <= waitMs; waitedMs += pauseMs) {
    const row = await findCommand(db, commandId);
    if (row?.status === 'done') return row.result;
    if (row?.status === 'refused') return null;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    pauseMs = Math.min(pauseMs * 2, RESULT_POLL_MS.longest);
  }
  return null;
}
