/**
 * An instruction that asks a person is described when its turn comes, as what runs before it may change what it would do.
 * The edge describes its own tools and those of browsers when the message arrives, as only their parameters count. The
 * node describes those of its host with its next report, once: what a person has been shown is not replaced.
 */
import { sql } from 'drizzle-orm';
import type { Approval } from '../../schema/contracts/instructions.ts';
import type { InstructionRow } from '../../schema/tables/index.ts';
import { guardThat } from '../db/guards.ts';
import type { Database, Statement } from '../db/open.ts';
import { storedApproval } from './edge-approval.ts';

/** What is stored of what the node shows; null when a person has been shown something already. */
export async function approvalInTurn(
  db: Database,
  { target, tool, params, policy, approval: stored }: InstructionRow,
  approval: Approval | undefined,
): Promise<Approval | null> {
  if (approval === undefined || stored !== null) return null;
  return storedApproval(db, { input: { target, tool, params, approval }, policy });
}

/** Nothing may have been stored meanwhile for these instructions. */
export function guardUnasked(db: Database, instructionIds: readonly string[]): Statement[] {
  if (instructionIds.length === 0) return [];
  const ids = JSON.stringify(instructionIds);
  return [
    guardThat(
      db,
      sql`NOT EXISTS (SELECT 1 FROM json_each(${ids}) AS o JOIN instructions AS i ON i.instruction_id = o.value
        WHERE i.approval IS NOT NULL)`,
    ),
  ];
}
