/** The command by which a node learns how an approval of its instruction was decided. */
import type { APPROVAL_DECISIONS } from '../../schema/contracts/instructions.ts';
import { COMMAND } from '../../schema/defaults.ts';
import type { TransitionResult } from '../../schema/domain/message-progress.ts';
import { newId } from '../../schema/ids.ts';
import type { Edge, Plan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import type { CommandDraft } from '../nodes/commands.ts';
import { pushChanged, sendCommands } from '../nodes/push.ts';
import { claimExpiresInMs, othersClaimed } from './claimed-view.ts';
import type { LoadedInstruction } from './load.ts';
import { idsOf } from './load.ts';

/** Of an instruction that came with nothing to approve: it can only be denied, or expire. */
const NO_HASH = '0'.repeat(64);

/** The command for what the decision made of the message. It lives until the last deadline of the message. */
export function decisionCommand(
  { now }: Edge,
  { row: { instruction_id, controller_id, approval } }: LoadedInstruction,
  { statuses, reply_due_at }: Pick<TransitionResult, 'statuses' | 'reply_due_at'>,
  decision: (typeof APPROVAL_DECISIONS)[number],
): CommandDraft<'approval.decided'> {
  const own = statuses.find((one) => one.instruction_id === instruction_id);
  const deadlines = statuses.flatMap((one) => [one.claim_expires_at ?? 0, one.approval_expires_at ?? 0]);
  return {
    command_id: newId('command', now),
    controller_id,
    kind: 'approval.decided',
    body: {
      instruction_id,
      decision,
      approval_hash: approval?.approval_hash ?? NO_HASH,
      claim_expires_in_ms: own === undefined ? null : claimExpiresInMs(own, now),
      released: othersClaimed(statuses, instruction_id, now),
    },
    expires_at: Math.max(now + COMMAND.expiry_ms, reply_due_at ?? 0, ...deadlines),
  };
}

/** Queues the command and notifies the node that its approvals have changed. */
export function sendDecision(edge: Edge, loaded: LoadedInstruction, command: CommandDraft): Plan {
  return mergePlans(sendCommands(edge, [command]), {
    after: () => pushChanged(edge.env, loaded.row.controller_id, 'approvals', idsOf(loaded)),
  });
}
