/**
 * Instructions as rows: how they stand, what changes about them, and their append-only story. A change is decided on
 * how the whole message stood, and guarded by exactly that.
 */
import { asc, eq, sql } from 'drizzle-orm';
import type {
  ClaimedInstruction,
  InstructionEventKind,
  InstructionState,
} from '../../schema/contracts/instructions.ts';
import { isControl, toolName } from '../../schema/contracts/tools.ts';
import { isExecutingStatus, isFinalStatus } from '../../schema/domain/instruction-machine.ts';
import type { TrackedInstruction } from '../../schema/domain/message-progress.ts';
import { instructions } from '../../schema/tables/index.ts';
import { guardThat } from '../db/guards.ts';
import type { Database, Statement } from '../db/open.ts';
import type { Plan } from '../db/plan.ts';

export type InstructionRow = typeof instructions.$inferSelect;

/** Who changes an instruction: `chain` is its holder, whose journal tells it. */
export interface ChangedBy {
  chain: string;
  message_id: string;
  controller_id: string | null;
  detail: Record<string, unknown>;
  now: number;
}

/** All instructions of the message of that instruction, in message order. */
export async function siblingsOf(db: Database, instructionId: string): Promise<InstructionRow[]> {
  return db
    .select()
    .from(instructions)
    .where(
      sql`${instructions.message_id} = (SELECT message_id FROM instructions WHERE instruction_id = ${instructionId})`,
    )
    .orderBy(asc(instructions.index));
}

/** All instructions of that message, in message order. */
export async function instructionsOf(db: Database, messageId: string): Promise<InstructionRow[]> {
  return db.select().from(instructions).where(eq(instructions.message_id, messageId)).orderBy(asc(instructions.index));
}

export function toTracked(row: InstructionRow): TrackedInstruction {
  const { instruction_id, index, status, gate, timeout_ms, claim_expires_at } = row;
  const name = toolName(row.target, row.tool);
  return {
    instruction_id,
    index,
    status,
    gate,
    timeout_ms,
    claim_expires_at,
    control: name !== null && isControl(name),
  };
}

/** The view that the holder goes on by. */
export function toClaimed(
  one: { instruction_id: string; index: number; status: InstructionState } & Pick<
    TrackedInstruction,
    'gate' | 'claim_expires_at'
  >,
  now: number,
): ClaimedInstruction {
  const { instruction_id, index, status, gate } = one;
  return { instruction_id, index, status, gate, claim_expires_in_ms: claimExpiresInMs(one, now) };
}

export function claimedView(all: readonly Parameters<typeof toClaimed>[0][], now: number): ClaimedInstruction[] {
  return all.map((one) => toClaimed(one, now));
}

export function claimExpiresInMs(
  one: Pick<TrackedInstruction, 'status' | 'claim_expires_at'>,
  now: number,
): number | null {
  if (one.claim_expires_at === null || !isExecutingStatus(one.status)) return null;
  return Math.max(0, one.claim_expires_at - now);
}

/** The message must still stand as it was read. */
export function guardStatuses(
  db: Database,
  messageId: string,
  read: readonly Pick<TrackedInstruction, 'status'>[],
): Statement {
  const statuses = JSON.stringify(read.map((one) => one.status));
  return guardThat(
    db,
    sql`(SELECT json_group_array(status) FROM
      (SELECT status FROM instructions WHERE message_id = ${messageId} ORDER BY "index")) = ${statuses}`,
  );
}

const EVENT_OF: Record<InstructionState, InstructionEventKind> = {
  claimed: 'claimed',
  waiting: 'gated',
  awaiting_approval: 'gated',
  blocked: 'gated',
  expired: 'gated',
  running: 'started',
  denied: 'ended',
  shadowed: 'ended',
  succeeded: 'ended',
  failed: 'ended',
  canceled: 'ended',
  interrupted: 'ended',
};

/** What brings the rows from how they stood to how they stand now, with an entry in the journal for each new status. */
export function storeStatuses(
  db: Database,
  before: readonly TrackedInstruction[],
  after: readonly TrackedInstruction[],
  by: ChangedBy,
): Plan {
  const old = new Map(before.map((one) => [one.instruction_id, one]));
  const changed = after.filter((one) => {
    const was = old.get(one.instruction_id);
    return was?.status !== one.status || was.gate !== one.gate || was.claim_expires_at !== one.claim_expires_at;
  });
  if (changed.length === 0) return {};
  const turned = changed.filter((one) => old.get(one.instruction_id)?.status !== one.status);
  const rows = changed.map(({ instruction_id, status, gate, claim_expires_at }) => {
    return { instruction_id, status, gate, claim_expires_at, finished_at: isFinalStatus(status) ? by.now : null };
  });
  return {
    statements: [
      db.run(sql`UPDATE instructions SET status = o.status, gate = o.gate, claim_expires_at = o.claim_expires_at,
          finished_at = coalesce(instructions.finished_at, o.finished_at), updated_at = ${by.now}
        FROM (SELECT value->>'instruction_id' AS instruction_id, value->>'status' AS status, value->>'gate' AS gate,
          value->>'claim_expires_at' AS claim_expires_at, value->>'finished_at' AS finished_at
          FROM json_each(${JSON.stringify(rows)})) AS o
        WHERE instructions.instruction_id = o.instruction_id`),
    ],
    journal: turned.map(({ instruction_id, status, gate }) => ({
      chain: by.chain,
      message_id: by.message_id,
      controller_id: by.controller_id,
      instruction_id,
      kind: EVENT_OF[status],
      detail: { status, ...(gate === null ? {} : { gate }), ...by.detail },
    })),
  };
}
