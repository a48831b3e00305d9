/** Commands to nodes: rows that are pending until received, answered or expired. */
import { and, eq, getTableColumns, gt, inArray, sql } from 'drizzle-orm';
import type { z } from 'zod';
import type { COMMAND_BODIES, Command, CommandKind, Receipt } from '../../schema/contracts/commands.ts';
import { CommandSchema } from '../../schema/contracts/commands.ts';
import type { ClaimedInstruction } from '../../schema/contracts/instructions.ts';
import { HTTP } from '../../schema/defaults.ts';
import { commandSourcesOf } from '../../schema/domain/command-machine.ts';
import type { CommandRow } from '../../schema/tables/index.ts';
import { commands } from '../../schema/tables/index.ts';
import type { Database, Statement } from '../db/open.ts';
import type { Page, PageRequest } from '../http/paging.ts';
import { pageWindow, toPage } from '../http/paging.ts';

export interface CommandDraft<K extends CommandKind = CommandKind> {
  command_id: string;
  controller_id: string;
  kind: K;
  body: z.output<(typeof COMMAND_BODIES)[K]>;
  /** Unix milliseconds after which the node does not begin it any more. */
  expires_at: number;
}

/** The command as it is told to a node: instants become durations, and durations are what is left of them. */
export function toCommand(
  row: Pick<CommandRow, 'command_id' | 'kind' | 'body' | 'expires_at'> & { created_at?: number },
  now: number,
): Command {
  const { command_id, kind, body, expires_at, created_at = now } = row;
  const command = CommandSchema.parse({ command_id, kind, body, expires_in_ms: Math.max(0, expires_at - now) });
  if (command.kind !== 'approval.decided') return command;
  const left = <T extends Pick<ClaimedInstruction, 'claim_expires_in_ms'>>(claim: T): T => {
    if (claim.claim_expires_in_ms === null) return claim;
    return { ...claim, claim_expires_in_ms: Math.max(0, claim.claim_expires_in_ms - (now - created_at)) };
  };
  return { ...command, body: { ...left(command.body), released: command.body.released.map(left) } };
}

/** What that node has neither received nor answered, oldest first. */
export async function pendingCommands(db: Database, nodeId: string, now: number): Promise<Command[]> {
  const { items } = await listPending(db, nodeId, now, { limit: HTTP.list_limit_max });
  return items;
}

/** Grows with the commit: ids are made on many machines, and one that was made earlier may be stored later. */
const STORED_ORDER = sql<number>`${commands}.rowid`;

/** The same by the page; those that were stored after the command `after` only. */
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

/** Notes what a node has received or refused; a command answered meanwhile stays as it is. */
export function noteReceipts(db: Database, nodeId: string, receipts: readonly Receipt[], now: number): Statement {
  return db.run(sql`UPDATE commands SET received_at = ${now},
      status = CASE WHEN receipt.accepted THEN 'received' ELSE 'refused' END, code = receipt.code,
      finished_at = CASE WHEN receipt.accepted THEN NULL ELSE ${now} END
    FROM (SELECT value->>'command_id' AS command_id, value->>'accepted' AS accepted, value->>'code' AS code
      FROM json_each(${JSON.stringify(receipts)})) AS receipt
    WHERE commands.command_id = receipt.command_id AND controller_id = ${nodeId} AND status = 'pending'`);
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
    .where(and(eq(commands.command_id, commandId), inArray(commands.status, commandSourcesOf('done'))));
}

const ANSWER_POLL_MS = { first: 50, longest: 1_000 };

/** Waits for the node's answer to a command that was just sent; null when none comes within `waitMs`. */
export async function commandResponse(
  db: Database,
  commandId: string,
  waitMs: number,
): Promise<Record<string, unknown> | null> {
  let pause = ANSWER_POLL_MS.first;
  for (let waited = 0; waited <= waitMs; waited += pause) {
    const row = await findCommand(db, commandId);
    if (row?.status === 'done') return row.result;
    if (row?.status === 'refused') return null;
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(pause * 2, ANSWER_POLL_MS.longest);
  }
  return null;
}
