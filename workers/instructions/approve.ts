/**
 * What a person decides about an instruction that waits for approval. Approving claims it for its holder under the
 * fence, exactly as ingest would have; while that cannot be, it is a conflict and goes on waiting. Whatever is decided
 * is a command to the holder, which hashes again before the effect, and an entry in the journal.
 */
import { and, eq } from 'drizzle-orm';
import type { z } from 'zod';
import type { APPROVAL_DECISIONS } from '../../schema/contracts/instructions.ts';
import { ApprovalSchema } from '../../schema/contracts/instructions.ts';
import { COMMAND } from '../../schema/defaults.ts';
import { isOpenStatus } from '../../schema/domain/instruction-machine.ts';
import { moveMessage } from '../../schema/domain/message-machine.ts';
import type { TrackedInstruction } from '../../schema/domain/message-progress.ts';
import { claimApproved, isBehindApproval } from '../../schema/domain/message-progress.ts';
import { AppError } from '../../schema/errors.ts';
import { newId } from '../../schema/ids.ts';
import { messages } from '../../schema/tables/index.ts';
import { guardModeVersion } from '../db/guards.ts';
import type { Database, Statement } from '../db/open.ts';
import type { Plan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import type { CommandDraft } from '../nodes/commands.ts';
import { insertCommand } from '../nodes/commands.ts';
import { pushChanged, pushCommands } from '../nodes/push.ts';
import { guardStatus } from '../renewal/conversations.ts';
import type { LoadedInstruction } from './finish.ts';
import { endInstruction, guardFree, idsOf } from './finish.ts';
import { claimExpiresInMs, guardStatuses, storeStatuses, toClaimed } from './statuses.ts';

type Decision = (typeof APPROVAL_DECISIONS)[number];

/** Throws `already_finished` or `conflict` unless exactly that is waiting for approval. */
export function requireAwaiting({ row }: LoadedInstruction, approvalHash: string): void {
  if (row.status !== 'awaiting_approval') {
    const code = isOpenStatus(row.status) ? 'conflict' : 'already_finished';
    throw new AppError(code, `this instruction is ${row.status}`, { details: { status: row.status } });
  }
  const approval = approvalOf(row.approval);
  if (approval?.approval_hash !== approvalHash) {
    throw new AppError('conflict', 'this is not what is waiting for approval', { details: { field: 'approval_hash' } });
  }
}

function approvalOf(stored: unknown): z.output<typeof ApprovalSchema> | null {
  return stored === null ? null : ApprovalSchema.parse(stored);
}

/** Claims it. Throws `system_paused`, or `conflict` with the gate that stands in the way. */
export function approveInstruction(env: Env, db: Database, loaded: LoadedInstruction, by: string, now: number): Plan {
  const control = isControlInstruction(loaded);
  if (!control) requireOpenGates(loaded);
  const { row, statuses, conversation, fence } = loaded;
  if (isBehindApproval(statuses, row.index)) throw cannotClaim('an earlier instruction waits for approval', 'waiting');
  const { instruction_id, controller_id, message_id } = row;
  const after = claimApproved(statuses, instruction_id, now);
  const stored = storeStatuses(db, statuses, after, {
    chain: controller_id,
    message_id,
    controller_id: null,
    detail: { by },
    now,
  });
  const command = decided(loaded, after, 'approved', now);
  const detail = { by, rule: row.policy.rule, approval_hash: command.body.approval_hash };
  const own: Plan = {
    guards: [
      guardModeVersion(db, fence.mode_version),
      guardStatuses(db, message_id, statuses),
      ...(control ? [] : [guardStatus(db, conversation), guardFree(db, row)]),
    ],
    events: [{ topic: 'instructions', type: 'approved', subject_id: instruction_id, data: { by } }],
    journal: [{ chain: controller_id, message_id, instruction_id, kind: 'approved', controller_id: null, detail }],
  };
  const isWaiting = after.some((one) => one.status === 'awaiting_approval');
  const accepted = isWaiting ? {} : { statements: [acceptMessage(db, message_id)] };
  return mergePlans(own, stored, accepted, sendDecision(env, db, loaded, command, now));
}

function acceptMessage(db: Database, messageId: string): Statement {
  return db
    .update(messages)
    .set({ ingest_status: moveMessage('awaiting_approval', 'accepted') })
    .where(and(eq(messages.message_id, messageId), eq(messages.ingest_status, 'awaiting_approval')));
}

function isControlInstruction({ row, statuses }: LoadedInstruction): boolean {
  return statuses.some((one) => one.instruction_id === row.instruction_id && one.control);
}

function requireOpenGates({ conversation, fence, busy }: LoadedInstruction): void {
  if (fence.mode === 'paused') throw new AppError('system_paused', 'the system is paused; this goes on waiting');
  if (conversation.automation_status === 'paused') {
    throw cannotClaim('its conversation is paused; this goes on waiting', 'automation_paused');
  }
  if (busy) throw cannotClaim('another message of its conversation executes; this goes on waiting', 'automation_busy');
}

function cannotClaim(message: string, gate: string): AppError {
  return new AppError('conflict', message, { details: { gate } });
}

/** Ends the wait without the effect: a person denied it, or nobody decided in time. */
export function endApproval(
  env: Env,
  db: Database,
  loaded: LoadedInstruction,
  { decision, by, reason }: { decision: 'denied' | 'expired'; by: string; reason?: string | undefined },
  now: number,
): Plan {
  const { row } = loaded;
  const { instruction_id, message_id, controller_id: chain } = row;
  const detail = { by, rule: row.policy.rule, ...(reason === undefined ? {} : { reason }) };
  const { plan, ending } = endInstruction(env, db, loaded, { to: decision, controller_id: null, detail }, now);
  const command = decided(loaded, ending.statuses, decision, now);
  const denied = { chain, message_id, instruction_id, kind: 'denied', controller_id: null, detail } as const;
  const own: Plan = {
    events: [{ topic: 'instructions', type: `approval_${decision}`, subject_id: instruction_id, data: { by } }],
    journal: decision === 'denied' ? [denied] : [],
  };
  return mergePlans(own, plan, sendDecision(env, db, loaded, command, now));
}

/** What the holder is told. It stays to be told as long as the message has a deadline before it. */
function decided(
  { row }: LoadedInstruction,
  after: readonly TrackedInstruction[],
  decision: Decision,
  now: number,
): CommandDraft<'approval.decided'> {
  const own = after.find((one) => one.instruction_id === row.instruction_id);
  const others = after.filter((one) => one.instruction_id !== row.instruction_id);
  const deadlines = after.map((one) => one.claim_expires_at ?? 0);
  return {
    command_id: newId('command', now),
    controller_id: row.controller_id,
    kind: 'approval.decided',
    body: {
      instruction_id: row.instruction_id,
      decision,
      approval_hash: approvalOf(row.approval)?.approval_hash ?? NO_HASH,
      claim_expires_in_ms: own === undefined ? null : claimExpiresInMs(own, now),
      released: others.map((one) => toClaimed(one, now)),
    },
    expires_at: Math.max(now + COMMAND.expiry_ms, ...deadlines),
  };
}

/** Of an instruction that came without anything to approve: it can only be denied, or expire. */
const NO_HASH = '0'.repeat(64);

function sendDecision(env: Env, db: Database, loaded: LoadedInstruction, command: CommandDraft, now: number): Plan {
  return {
    statements: [insertCommand(db, command, now)],
    after: async () => {
      await pushCommands(env, [command], now);
      await pushChanged(env, loaded.row.controller_id, 'approvals', idsOf(loaded));
    },
  };
}
