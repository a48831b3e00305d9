/**
 * The claim of a resubmitted message by the node that was asked: the host's new verdicts come with it, the gates are
 * decided anew, and what they let through belongs to that node in the same batch. Only the node that was asked may
 * claim, and only once.
 */
import { eq, sql } from 'drizzle-orm';
import type { MessageClaimBody, MessageClaimResponse, PolicyVerdict } from '../../schema/contracts/instructions.ts';
import { isOpenStatus, isStoppedStatus } from '../../schema/domain/instruction-machine.ts';
import { moveMessage } from '../../schema/domain/message-machine.ts';
import type { Resubmission } from '../../schema/domain/resubmission.ts';
import { decideResubmission } from '../../schema/domain/resubmission.ts';
import { AppError } from '../../schema/errors.ts';
import { instructions, messages } from '../../schema/tables/index.ts';
import { guardModeVersion } from '../db/guards.ts';
import type { JournalDraft } from '../db/journal.ts';
import type { Database, Statement } from '../db/open.ts';
import type { Plan, WritePlan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import type { LoadedMessage } from '../instructions/finish.ts';
import { guardFree, idsOf, readMessage } from '../instructions/finish.ts';
import { claimedView, guardStatuses, instructionsOf, storeStatuses } from '../instructions/statuses.ts';
import { pushChanged } from '../nodes/push.ts';
import { guardStatus } from '../renewal/conversations.ts';
import type { MessageRow } from './message-reads.ts';
import { findMessage } from './message-reads.ts';
import { guardCommand, pendingCommand } from './resubmit.ts';

/**
 * The plan of the node's claim. Throws `message_not_found`, and `not_owner` unless that node was asked. A repeat gets
 * how the message stands and changes nothing.
 */
export async function claimResubmitted(
  env: Env,
  db: Database,
  messageId: string,
  body: MessageClaimBody,
  now: number,
): Promise<WritePlan<MessageClaimResponse>> {
  const message = await findMessage(db, messageId);
  const rows = await instructionsOf(db, messageId);
  const asked = await pendingCommand(db, message, now);
  if (asked?.controller_id !== body.controller_id || rows[0] === undefined) {
    if (message.controller_id !== body.controller_id) throw notAsked();
    const { ingest_status } = message;
    return {
      audited: false,
      response: { message_id: messageId, ingest_status, instructions: claimedView(rows, now) },
    };
  }
  const loaded = await readMessage(db, rows[0], rows);
  const verdicts = new Map(body.instructions.map((one) => [one.instruction_id, one.policy]));
  const decision = decideResubmission(loaded.rows.map(stoppedOf(loaded)), verdicts, {
    mode: loaded.fence.mode,
    automation_status: loaded.conversation.automation_status,
    busy: loaded.busy,
    now,
  });
  return claimPlan(env, db, { message, loaded, body, decision }, now);
}

function notAsked(): AppError {
  return new AppError('not_owner', 'this node was not asked to take this message up', {
    details: { field: 'controller_id' },
  });
}

function stoppedOf({ statuses, rows }: LoadedMessage) {
  return (_row: unknown, at: number) => {
    const [one, row] = [statuses[at], rows[at]];
    if (one === undefined || row === undefined) throw new Error('rows and their standing go in step');
    const { block_index, index, target, tool, params } = row;
    return { ...one, input: { block_index, index, target, tool, params } };
  };
}

interface Claim {
  message: MessageRow;
  loaded: LoadedMessage;
  body: MessageClaimBody;
  decision: Resubmission;
}

function claimPlan(env: Env, db: Database, claim: Claim, now: number): WritePlan<MessageClaimResponse> {
  const { message, loaded, body, decision } = claim;
  const { message_id } = message;
  const { controller_id } = body;
  const by = { chain: controller_id, message_id, controller_id, detail: {}, now };
  const stored = storeStatuses(db, loaded.statuses, decision.statuses, by);
  const own: Plan = {
    guards: [
      guardModeVersion(db, loaded.fence.mode_version),
      guardStatuses(db, message_id, loaded.statuses),
      guardStatus(db, loaded.conversation),
      guardCommand(db, message),
      ...(loaded.busy ? [] : [guardFree(db, message)]),
    ],
    statements: [...takeOver(db, claim), storeMessage(db, claim)],
    events: [{ topic: 'messages', type: 'claimed_again', subject_id: message_id, data: { ...judgedEvent(decision) } }],
    journal: judgedAgain(claim),
  };
  const awaiting = decision.statuses.some((one) => one.status === 'awaiting_approval');
  const notice = awaiting ? { after: () => pushChanged(env, controller_id, 'approvals', idsOf(loaded)) } : {};
  return {
    ...mergePlans(own, stored, notice),
    subject_id: message_id,
    response: {
      message_id,
      ingest_status: decision.message,
      instructions: claimedView(decision.statuses, now),
    },
  };
}

function storeMessage(db: Database, { message, body, decision }: Claim): Statement {
  const open = decision.statuses.some((one) => isOpenStatus(one.status));
  return db
    .update(messages)
    .set({
      controller_id: body.controller_id,
      ingest_status: moveMessage(message.ingest_status, decision.message),
      resubmit_command_id: null,
      // Its reply is still to come.
      ...(open ? { reply_outcome: null, reply_reason: null, replied_at: null } : {}),
    })
    .where(eq(messages.message_id, message.message_id));
}

function judgedEvent({ message, statuses }: Resubmission) {
  return { ingest_status: message, instructions: statuses.length };
}

/** The node holds all of the message from now on; what it judged again carries its new verdict. */
function takeOver(db: Database, { message, loaded, body }: Claim): Statement[] {
  const stopped = new Set(loaded.rows.filter((row) => isStoppedStatus(row.status)).map((row) => row.instruction_id));
  const judged = body.instructions
    .filter((one) => stopped.has(one.instruction_id))
    .map(({ instruction_id, policy, approval = null }) => ({ instruction_id, policy, approval }));
  return [
    db.run(sql`UPDATE instructions SET policy = o.policy, approval = o.approval, finished_at = NULL, error_code = NULL
      FROM (SELECT value->>'instruction_id' AS instruction_id, value->>'policy' AS policy, value->>'approval' AS approval
        FROM json_each(${JSON.stringify(judged)})) AS o
      WHERE instructions.instruction_id = o.instruction_id`),
    db
      .update(instructions)
      .set({ controller_id: body.controller_id })
      .where(eq(instructions.message_id, message.message_id)),
  ];
}

/** By which rule the node judged each anew, and which gate held it once more. */
function judgedAgain({ message: { message_id }, loaded, body, decision }: Claim): JournalDraft[] {
  const { controller_id } = body;
  const verdicts = new Map<string, PolicyVerdict>(body.instructions.map((one) => [one.instruction_id, one.policy]));
  return loaded.rows
    .filter((row) => isStoppedStatus(row.status))
    .flatMap(({ instruction_id }): JournalDraft[] => {
      const policy = verdicts.get(instruction_id);
      if (policy === undefined) return [];
      const from = { chain: controller_id, message_id, controller_id, instruction_id };
      const after = decision.statuses.find((one) => one.instruction_id === instruction_id);
      const held = after !== undefined && isStoppedStatus(after.status);
      return [
        { ...from, kind: 'judged', detail: { ...policy } },
        ...(held ? [{ ...from, kind: 'gated' as const, detail: { status: after.status, gate: after.gate } }] : []),
      ];
    });
}
