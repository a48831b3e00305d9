/** Stores changed instructions of one message: one UPDATE for all of them, and an entry in the journal for each new status. */
import { sql } from 'drizzle-orm';
import type { InstructionEventKind, InstructionState } from '../../schema/contracts/instructions.ts';
import type { EventDetail } from '../../schema/contracts/journal.ts';
import { isFinalStatus } from '../../schema/domain/instruction-machine.ts';
import type { TrackedInstruction } from '../../schema/domain/message-progress.ts';
import type { InstructionRow } from '../../schema/tables/index.ts';
import type { JournalDraft } from '../db/journal.ts';
import type { Statement } from '../db/open.ts';
import type { Edge } from '../db/plan.ts';

/** What a report, a command or a person adds to a row, beside its status. */
const ADDED = [
  'started_at',
  'command_id',
  'output_chars',
  'exit_code',
  'error_code',
  'duration_ms',
  'truncated',
  'output_summary',
  'artifact_id',
  'late_result',
  'approval',
  'grant_id',
  'resolution',
] as const satisfies readonly (keyof InstructionRow)[];
/** A column that is absent or null stays as it is. */
export type AddedColumns = Partial<Pick<InstructionRow, (typeof ADDED)[number]>>;

/** What a change of statuses sets. */
const TRACKED = ['status', 'gate', 'claimed_at', 'claim_expires_at', 'approval_expires_at'] as const;
const tracked = sql.raw(TRACKED.map((name) => `${name} = o.${name}`).join(', '));
const READ = ['instruction_id', ...TRACKED, 'finished_at', ...ADDED];
const read = sql.raw(READ.map((name) => `value->>'${name}' AS ${name}`).join(', '));
const added = sql.raw(ADDED.map((name) => `${name} = coalesce(o.${name}, instructions.${name})`).join(', '));

/** The statement that brings the rows of a message from `before` to `after`; none when nothing changes. */
export function storeStatuses(
  { db, now }: Pick<Edge, 'db' | 'now'>,
  before: readonly TrackedInstruction[],
  after: readonly TrackedInstruction[],
  columns: ReadonlyMap<string, AddedColumns> = new Map(),
): Statement[] {
  const old = new Map(before.map((one) => [one.instruction_id, one]));
  const rows = after
    .filter((one) => columns.has(one.instruction_id) || isChanged(old.get(one.instruction_id), one))
    .map((one) => ({
      ...one,
      finished_at: isFinalStatus(one.status) ? now : null,
      ...columns.get(one.instruction_id),
    }));
  if (rows.length === 0) return [];
  return [
    db.run(sql`UPDATE instructions SET ${tracked}, finished_at = coalesce(instructions.finished_at, o.finished_at), ${added}, updated_at = ${now}
      FROM (SELECT ${read} FROM json_each(${JSON.stringify(rows)})) AS o
      WHERE instructions.instruction_id = o.instruction_id`),
  ];
}

function isChanged(was: TrackedInstruction | undefined, is: TrackedInstruction): boolean {
  return was === undefined || TRACKED.some((name) => was[name] !== is[name]);
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

/** Who changes an instruction. */
export interface ChangedBy {
  /** The node that holds the instruction, in whose journal the change is entered. */
  chain: string;
  message_id: string;
  /** The node that makes the change; null for a person or the system. */
  controller_id: string | null;
  detail: EventDetail;
}

/** An entry for each instruction whose status has changed. */
export function journalChanges(
  before: readonly TrackedInstruction[],
  after: readonly TrackedInstruction[],
  { chain, message_id, controller_id, detail }: ChangedBy,
): JournalDraft[] {
  const old = new Map(before.map((one) => [one.instruction_id, one.status]));
  return after
    .filter(({ instruction_id, status }) => old.get(instruction_id) !== status)
    .map(({ instruction_id, status, gate }) => ({
      chain,
      message_id,
      controller_id,
      instruction_id,
      kind: EVENT_OF[status],
      detail: { status, ...(gate === null ? {} : { gate }), ...detail },
    }));
}
