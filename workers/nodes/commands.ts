/** Commands to nodes: how one is drafted and sent, and the statements that store each change of its status. */

import type { SQL } from 'drizzle-orm';
import { and, eq, inArray, sql } from 'drizzle-orm';
import type { z } from 'zod';
import type { COMMAND_BODIES, Command, CommandKind, Receipt } from '../../schema/contracts/commands.ts';
import { CommandSchema } from '../../schema/contracts/commands.ts';
import type { ClaimedInstruction } from '../../schema/contracts/instructions.ts';
import { commandSourcesOf } from '../../schema/domain/command-machine.ts';
import type { CommandRow } from '../../schema/tables/index.ts';
import { commands } from '../../schema/tables/index.ts';
import { insertRows } from '../db/bulk.ts';
import type { Statement } from '../db/open.ts';
import type { Edge } from '../db/plan.ts';

export interface CommandDraft<K extends CommandKind = CommandKind> {
  command_id: string;
  controller_id: string;
  kind: K;
  body: z.output<(typeof COMMAND_BODIES)[K]>;
  /** Unix milliseconds after which the node does not start it. */
  expires_at: number;
}

/** The command as its node receives it: points in time become the milliseconds that are left until them. */
export function toCommand(
  row: Pick<CommandRow, 'command_id' | 'kind' | 'body' | 'expires_at'> & { created_at?: number },
  now: number,
): Command {
  const { command_id, kind, body, expires_at, created_at = now } = row;
  const command = CommandSchema.parse({ command_id, kind, body, expires_in_ms: Math.max(0, expires_at - now) });
  if (command.kind !== 'approval.decided') return command;
  const withTimeLeft = <T extends Pick<ClaimedInstruction, 'claim_expires_in_ms'>>(claim: T): T => {
    if (claim.claim_expires_in_ms === null) return claim;
    return { ...claim, claim_expires_in_ms: Math.max(0, claim.claim_expires_in_ms - (now - created_at)) };
  };
  return {
    ...command,
    body: { ...withTimeLeft(command.body), released: command.body.released.map(withTimeLeft) },
  };
}

/** Stores pending commands; `condition` (`AND …`) on a draft as JSON (`value`) leaves out those that do not meet it. */
export function insertCommands({ db, now }: Edge, drafts: readonly CommandDraft[], condition?: SQL): Statement[] {
  const rows = drafts.map((draft) => ({
    ...draft,
    body: { ...draft.body },
    status: 'pending' as const,
    created_at: now,
  }));
  return insertRows(db, commands, rows, condition);
}

/** Stores which pending commands a node has accepted or refused. */
export function noteReceipts({ db, now }: Edge, nodeId: string, receipts: readonly Receipt[]): Statement {
  return db.run(sql`UPDATE commands SET received_at = ${now},
      status = CASE WHEN receipt.accepted THEN 'received' ELSE 'refused' END, code = receipt.code,
      finished_at = CASE WHEN receipt.accepted THEN NULL ELSE ${now} END
    FROM (SELECT value->>'command_id' AS command_id, value->>'accepted' AS accepted, value->>'code' AS code
      FROM json_each(${JSON.stringify(receipts)})) AS receipt
    WHERE commands.command_id = receipt.command_id AND controller_id = ${nodeId} AND status = 'pending'`);
}

/** Stores the node's result of a command, which may come after its expiry. */
export function finishCommand({ db, now }: Edge, commandId: string, result: Record<string, unknown>): Statement {
  return db
    .update(commands)
    .set({ status: 'done', result, finished_at: now })
    .where(and(eq(commands.command_id, commandId), inArray(commands.status, commandSourcesOf('done'))));
}

/** Expires the commands of an SQL list of ids; `code` says why, when not for their time. */
export function expireCommands({ db, now }: Edge, ids: SQL, code: string | null = null) {
  return db
    .update(commands)
    .set({ status: 'expired', code, finished_at: now })
    .where(and(sql`${commands.command_id} IN ${ids}`, inArray(commands.status, commandSourcesOf('expired'))));
}
