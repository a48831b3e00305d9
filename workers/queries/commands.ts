/** Commands to nodes: rows that are pending until received, answered or expired. */
import { and, eq, gt, inArray, sql } from 'drizzle-orm';
import type { z } from 'zod';
import type { COMMAND_BODIES, Command, CommandKind, Receipt } from '../../schema/contracts/commands.ts';
import { CommandSchema } from '../../schema/contracts/commands.ts';
import { HTTP } from '../../schema/defaults.ts';
import { commands } from '../../schema/tables/index.ts';
import type { Database, Statement } from '../db.ts';
import type { Page, PageRequest } from '../paging.ts';
import { pageWindow, toPage } from '../paging.ts';

export interface CommandDraft<K extends CommandKind = CommandKind> {
  command_id: string;
  controller_id: string;
  kind: K;
  body: z.output<(typeof COMMAND_BODIES)[K]>;
  /** Unix milliseconds after which the node does not begin it any more. */
  expires_at: number;
}

type CommandRow = typeof commands.$inferSelect;

/** The command as it is told to a node: instants become durations. */
export function toCommand(row: Pick<CommandRow, 'command_id' | 'kind' | 'body' | 'expires_at'>, now: number): Command {
  const { command_id, kind, body, expires_at } = row;
  return CommandSchema.parse({ command_id, kind, body, expires_in_ms: Math.max(0, expires_at - now) });
}

/** What that node has neither received nor answered, oldest first. */
export async function pendingCommands(db: Database, controllerId: string, now: number): Promise<Command[]> {
  const { items } = await listPending(db, controllerId, now, { limit: HTTP.list_limit_max });
  return items;
}

/** The same by the page; those after the command id `after` only. */
export async function listPending(
  db: Database,
  controllerId: string,
  now: number,
  page: PageRequest & { after?: string | undefined },
): Promise<Page<Command>> {
  const window = pageWindow(commands.command_id, page, 'oldest');
  const rows = await db
    .select()
    .from(commands)
    .where(
      and(
        eq(commands.controller_id, controllerId),
        eq(commands.status, sql`'pending'`),
        page.after === undefined ? undefined : gt(commands.command_id, page.after),
        gt(commands.expires_at, now),
        window.where,
      ),
    )
    .orderBy(window.orderBy)
    .limit(window.limit);
  const { items, next_cursor } = toPage(rows, page, (row) => row.command_id);
  return { items: items.map((row) => toCommand(row, now)), next_cursor };
}

/** Notes what a node has received or refused; a command answered meanwhile stays as it is. */
export async function recordReceipts(
  db: Database,
  controllerId: string,
  receipts: Receipt[],
  now: number,
): Promise<void> {
  if (receipts.length === 0) return;
  await db.run(sql`UPDATE commands SET received_at = ${now},
      status = CASE WHEN receipt.accepted THEN 'received' ELSE 'refused' END, code = receipt.code,
      finished_at = CASE WHEN receipt.accepted THEN NULL ELSE ${now} END
    FROM (SELECT value->>'command_id' AS command_id, value->>'accepted' AS accepted, value->>'code' AS code
      FROM json_each(${JSON.stringify(receipts)})) AS receipt
    WHERE commands.command_id = receipt.command_id AND controller_id = ${controllerId} AND status = 'pending'`);
}

export function insertCommand(db: Database, draft: CommandDraft, now: number): Statement {
  return db.insert(commands).values({ ...draft, body: { ...draft.body }, status: 'pending', created_at: now });
}

export async function findCommand(db: Database, commandId: string): Promise<CommandRow | undefined> {
  return db.select().from(commands).where(eq(commands.command_id, commandId)).get();
}

/** Ends a command with the node's answer, which may come after its expiry. */
export function finishCommand(
  db: Database,
  commandId: string,
  result: Record<string, unknown>,
  now: number,
): Statement {
  return db
    .update(commands)
    .set({ status: 'done', result, finished_at: now })
    .where(and(eq(commands.command_id, commandId), inArray(commands.status, ['pending', 'received', 'expired'])));
}
