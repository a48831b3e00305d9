/**
 * What a person decides about an instruction that waits for approval. Approving claims it for its node exactly as
 * ingest would have; while a gate forbids that, it is a conflict and the instruction keeps waiting. Each decision is a
 * command to the node, which hashes the call again before the effect, and an entry in the journal.
 */
import { and, eq } from 'drizzle-orm';
import type { Instruction } from '../../schema/contracts/instructions.ts';
import { gateOf } from '../../schema/domain/admission.ts';
import { isOpenStatus } from '../../schema/domain/instruction-machine.ts';
import { moveMessage } from '../../schema/domain/message-machine.ts';
import { claimApproved, isBehindApproval } from '../../schema/domain/message-progress.ts';
import { AppError } from '../../schema/errors.ts';
import { messages } from '../../schema/tables/index.ts';
import { guardModeVersion } from '../db/guards.ts';
import type { Database, Statement } from '../db/open.ts';
import type { Edge, Plan, WritePlan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import { guardStatus } from '../renewal/conversations.ts';
import { decisionCommand, sendDecision } from './approval-decision.ts';
import { finishInstruction } from './finish.ts';
import { guardNotBusy, guardStatuses } from './guards.ts';
import { viewAfter } from './instruction-reads.ts';
import type { LoadedInstruction } from './load.ts';
import { gateFacts, loadInstruction } from './load.ts';
import type { AddedColumns } from './store-statuses.ts';
import { journalChanges, storeStatuses } from './store-statuses.ts';

/** A person's decision about exactly the call whose hash they were shown. */
export interface PersonsDecision {
  by: string;
  approval_hash: string;
  reason?: string | undefined;
}

/**
 * Lets the instruction run. Throws `instruction_not_found`, `already_finished`, `system_paused`, and `conflict` when
 * something else waits for approval or a gate forbids the claim.
 */
export async function approveInstruction(
  edge: Edge,
  instructionId: string,
  decision: PersonsDecision,
): Promise<WritePlan<Instruction>> {
  const loaded = await loadInstruction(edge, instructionId);
  requireAwaiting(loaded, decision.approval_hash);
  const gate = closedGate(loaded);
  if (gate !== null) throw cannotClaim(gate);
  const { plan, statuses } = planApproval(edge, loaded, { detail: { by: decision.by }, controller_id: null });
  return { ...plan, subject_id: instructionId, response: viewAfter(edge, loaded.row, statuses) };
}

/** Ends the instruction as denied. Throws `instruction_not_found`, `already_finished` and `conflict`. */
export async function denyInstruction(
  edge: Edge,
  instructionId: string,
  { by, approval_hash, reason }: PersonsDecision,
): Promise<WritePlan<Instruction>> {
  const loaded = await loadInstruction(edge, instructionId);
  requireAwaiting(loaded, approval_hash);
  const { plan, result } = closeApproval(edge, loaded, 'denied', reason === undefined ? { by } : { by, reason });
  return { ...plan, subject_id: instructionId, response: viewAfter(edge, loaded.row, result.statuses) };
}

function requireAwaiting({ row }: LoadedInstruction, approvalHash: string): void {
  if (row.status !== 'awaiting_approval') {
    const code = isOpenStatus(row.status) ? 'conflict' : 'already_finished';
    throw new AppError(code, `this instruction is ${row.status}`, { details: { status: row.status } });
  }
  if (row.approval?.approval_hash !== approvalHash) {
    throw new AppError('conflict', 'this is not what is waiting for approval', { details: { field: 'approval_hash' } });
  }
}

/** By whom an instruction is approved, and what is stored with that. */
export interface ApprovedBy {
  detail: { by: string; grant_id?: string };
  /** The node that makes the change by a grant; null for a person. */
  controller_id: string | null;
  columns?: ReadonlyMap<string, AddedColumns>;
}

/** The plan that claims an instruction whose approval waits and whose gates are open (`closedGate`). */
export function planApproval(edge: Edge, loaded: LoadedInstruction, by: ApprovedBy) {
  const { db, now } = edge;
  const { row, message, statuses, fence } = loaded;
  const { detail, controller_id } = by;
  const { instruction_id, message_id, controller_id: chain } = row;
  const after = claimApproved(statuses, instruction_id, now);
  const command = decisionCommand(edge, loaded, { statuses: after, reply_due_at: null }, 'approved');
  const approval = { ...detail, rule: row.policy.rule, approval_hash: command.body.approval_hash };
  const isWaiting = after.some((one) => one.status === 'awaiting_approval');
  const approved: Plan = {
    guards: [
      guardModeVersion(db, fence.mode_version),
      guardStatuses(db, message.message_id, statuses),
      ...(isControl(loaded) ? [] : [...guardStored(db, loaded), guardNotBusy(db, message)]),
    ],
    statements: [
      ...storeStatuses(edge, statuses, after, by.columns),
      ...(isWaiting ? [] : [acceptMessage(edge, loaded)]),
    ],
    events: [{ topic: 'instructions', type: 'approved', subject_id: instruction_id, data: detail }],
    journal: [
      { chain, message_id, instruction_id, kind: 'approved', controller_id, detail: approval },
      ...journalChanges(statuses, after, { chain, message_id, controller_id, detail }),
    ],
  };
  return { plan: mergePlans(approved, sendDecision(edge, loaded, command)), statuses: after };
}

/** The conversation must still be as it was read; a call through MCP has none that is stored. */
function guardStored(db: Database, { message, conversation }: LoadedInstruction): Statement[] {
  return message.origin === 'mcp' ? [] : [guardStatus(db, conversation)];
}

/** The last approval was given: the message has been accepted. */
function acceptMessage({ db }: Edge, { message: { message_id } }: LoadedInstruction): Statement {
  return db
    .update(messages)
    .set({ ingest_status: moveMessage('awaiting_approval', 'accepted') })
    .where(and(eq(messages.message_id, message_id), eq(messages.ingest_status, 'awaiting_approval')));
}

type ClosedGate = NonNullable<ReturnType<typeof gateOf>> | 'waiting';

const CLOSED: Record<ClosedGate, string> = {
  system_paused: 'the system is paused; the approval keeps waiting',
  automation_paused: 'the conversation is paused; the approval keeps waiting',
  automation_busy: 'another message of the conversation executes; the approval keeps waiting',
  waiting: 'an earlier instruction waits for approval',
};

/** What forbids that the instruction is claimed now; null when nothing does. */
export function closedGate(loaded: LoadedInstruction): ClosedGate | null {
  const gate = isControl(loaded) ? null : gateOf(gateFacts(loaded));
  return gate ?? (isBehindApproval(loaded.statuses, loaded.row.index) ? 'waiting' : null);
}

function isControl({ row, statuses }: LoadedInstruction): boolean {
  return statuses.some((one) => one.instruction_id === row.instruction_id && one.control);
}

function cannotClaim(gate: ClosedGate): AppError {
  if (gate === 'system_paused') return new AppError(gate, CLOSED[gate]);
  return new AppError('conflict', CLOSED[gate], { details: { gate } });
}

/** Closes a pending approval as denied or expired. */
export function closeApproval(
  edge: Edge,
  loaded: LoadedInstruction,
  decision: 'denied' | 'expired',
  given: { by: string; reason?: string },
) {
  const { instruction_id, message_id, controller_id: chain, policy } = loaded.row;
  const { by, reason } = given;
  const detail = { by, rule: policy.rule, ...(reason === undefined ? {} : { reason }) };
  const { plan, result } = finishInstruction(edge, loaded, decision, detail);
  const command = decisionCommand(edge, loaded, result, decision);
  const closed: Plan = {
    events: [{ topic: 'instructions', type: `approval_${decision}`, subject_id: instruction_id, data: { by } }],
    journal:
      decision === 'denied' ? [{ chain, message_id, instruction_id, kind: 'denied', controller_id: null, detail }] : [],
  };
  return { plan: mergePlans(closed, plan, sendDecision(edge, loaded, command)), result };
}
