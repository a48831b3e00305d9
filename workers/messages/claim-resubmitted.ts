/**
 * Claims a resubmitted message for the node that was asked. The host sends its new verdicts, the gates are decided
 * again, and what may run belongs to that node in the same batch. Only the node that was asked may claim, only once, and
 * only while the browser that showed the message is its own.
 */
import { eq, sql } from 'drizzle-orm';
import type {
  Approval,
  IngestStatus,
  MessageClaimBody,
  MessageClaimResponse,
  PolicyVerdict,
} from '../../schema/contracts/instructions.ts';
import { isOpenStatus, isStoppedStatus } from '../../schema/domain/instruction-machine.ts';
import { moveMessage } from '../../schema/domain/message-machine.ts';
import type { TrackedInstruction } from '../../schema/domain/message-progress.ts';
import { replyDeadline } from '../../schema/domain/reply.ts';
import type { Resubmission, StoppedInstruction } from '../../schema/domain/resubmission.ts';
import { decideResubmission } from '../../schema/domain/resubmission.ts';
import { AppError } from '../../schema/errors.ts';
import type { InstructionRow } from '../../schema/tables/index.ts';
import { instructions, messages } from '../../schema/tables/index.ts';
import { guardModeVersion } from '../db/guards.ts';
import type { JournalDraft } from '../db/journal.ts';
import type { Statement } from '../db/open.ts';
import type { Edge, Plan, WritePlan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import { toClaimed } from '../instructions/claimed-view.ts';
import { storedApproval } from '../instructions/edge-approval.ts';
import type { Described } from '../instructions/grant-use.ts';
import { offeredGrants, withOffers } from '../instructions/grant-use.ts';
import { guardNotBusy } from '../instructions/guards.ts';
import type { LoadedMessage } from '../instructions/load.ts';
import { gateFacts, idsOf, loadMessage, toTracked } from '../instructions/load.ts';
import { journalChanges, storeStatuses } from '../instructions/store-statuses.ts';
import { selectWaiting } from '../instructions/waiting-approvals.ts';
import { guardOwnBrowser, requireOwnBrowser, selectOwner } from '../nodes/browser-owner.ts';
import { pushChanged } from '../nodes/push.ts';
import { guardStatus } from '../renewal/conversations.ts';
import { verdictDetail } from './ingest-rows.ts';
import { guardCommand, pendingCommand } from './resubmit.ts';

/**
 * The plan of the node's claim. Throws `message_not_found`, `not_owner` unless that node was asked, and
 * `client_of_other_node` when the browser of the message was moved since. A repeat changes nothing and gets the current
 * statuses.
 */
export async function claimResubmitted(
  edge: Edge,
  messageId: string,
  body: MessageClaimBody,
): Promise<WritePlan<MessageClaimResponse>> {
  const loaded = await loadMessage(edge, messageId);
  const { message } = loaded;
  const command = await pendingCommand(edge, message);
  if (command?.controller_id !== body.controller_id) {
    if (message.controller_id !== body.controller_id) throw notAsked();
    return { audited: false, response: respond(edge, loaded, message.ingest_status, loaded.statuses) };
  }
  requireOwnBrowser(body.controller_id, await selectOwner(edge.db, message.client_id).get());
  const verdicts = new Map(body.instructions.map((one) => [one.instruction_id, one.policy]));
  const { fence, conversation } = loaded;
  const id = loaded.message.local_conversation_id;
  const [waiting = { conversation: 0, node: 0 }] = await selectWaiting(edge.db, sql`${id}`, body.controller_id);
  const facts = { ...gateFacts(loaded), hold: fence.hold, conversation, waiting, now: edge.now };
  const decision = decideResubmission(loaded.rows.map(toStopped), verdicts, facts);
  const claim = { ...decision, approvals: await approvalsOf(edge, loaded, body, decision) };
  const { response, ...plan } = planClaim(edge, loaded, body, claim);
  const offers = await offeredGrants(
    edge,
    { local_conversation_id: id, controller_id: body.controller_id },
    asked(loaded, claim),
  );
  return { ...plan, response: { ...response, instructions: withOffers(response.instructions, offers) } };
}

/** What asks a person now, as the node describes it. */
function asked({ rows }: LoadedMessage, { statuses, approvals }: Claim): Described[] {
  const isAsked = ({ instruction_id: id }: InstructionRow) =>
    statuses.some((one) => one.instruction_id === id && one.status === 'awaiting_approval');
  return rows.filter(isAsked).map((row) => ({ ...row, approval: approvals.get(row.instruction_id) }));
}

function notAsked(): AppError {
  return new AppError('not_owner', 'this node was not asked to claim this message', {
    details: { field: 'controller_id' },
  });
}

function toStopped(row: InstructionRow): StoppedInstruction {
  const { block_index, index, target, tool, params } = row;
  return { ...toTracked(row), input: { block_index, index, target, tool, params } };
}

function respond(
  { now }: Edge,
  { message: { message_id } }: LoadedMessage,
  ingest_status: IngestStatus,
  statuses: readonly TrackedInstruction[],
): MessageClaimResponse {
  return { message_id, ingest_status, instructions: statuses.map((one) => toClaimed(one, now)) };
}

/** A decision with what a person is shown of the instructions that ask. */
type Claim = Resubmission & { approvals: ReadonlyMap<string, Approval | null> };

async function approvalsOf(
  { db }: Edge,
  { rows }: LoadedMessage,
  body: MessageClaimBody,
  { statuses, verdicts }: Resubmission,
): Promise<Claim['approvals']> {
  const approvals = new Map<string, Approval | null>();
  for (const { instruction_id, target, tool, params } of rows) {
    const policy = verdicts.get(instruction_id);
    const after = statuses.find((one) => one.instruction_id === instruction_id);
    if (policy === undefined || after === undefined || !after.asks || !isOpenStatus(after.status)) continue;
    const shown = body.instructions.find((one) => one.instruction_id === instruction_id)?.approval;
    approvals.set(
      instruction_id,
      await storedApproval(db, { input: { target, tool, params, approval: shown }, policy }),
    );
  }
  return approvals;
}

function planClaim(
  edge: Edge,
  loaded: LoadedMessage,
  body: MessageClaimBody,
  decision: Claim,
): WritePlan<MessageClaimResponse> {
  const { env, db } = edge;
  const { message, statuses, conversation, fence, busy } = loaded;
  const { message_id } = message;
  const { controller_id } = body;
  const data = { ingest_status: decision.message, instructions: decision.statuses.length };
  const claimed: Plan = {
    guards: [
      guardModeVersion(db, fence.mode_version),
      guardStatus(db, conversation),
      guardCommand(db, message),
      guardOwnBrowser(db, { client_id: message.client_id, controller_id }),
      ...(busy ? [] : [guardNotBusy(db, message)]),
    ],
    statements: [
      ...takeOver(edge, loaded, body.controller_id, decision),
      storeMessage(edge, loaded, controller_id, decision),
      ...storeStatuses(edge, statuses, decision.statuses),
    ],
    events: [{ topic: 'messages', type: 'claimed_again', subject_id: message_id, data }],
    journal: [
      ...journalVerdicts(loaded, body, decision),
      ...journalChanges(statuses, decision.statuses, { chain: controller_id, message_id, controller_id, detail: {} }),
    ],
  };
  const isAsked = decision.statuses.some((one) => one.status === 'awaiting_approval');
  const notice = isAsked ? { after: () => pushChanged(env, controller_id, 'approvals', idsOf(loaded)) } : {};
  return {
    ...mergePlans(claimed, notice),
    subject_id: message_id,
    response: respond(edge, loaded, decision.message, decision.statuses),
  };
}

function storeMessage({ db, now }: Edge, { message }: LoadedMessage, controller_id: string, decision: Resubmission) {
  const isOpen = decision.statuses.some((one) => isOpenStatus(one.status));
  return db
    .update(messages)
    .set({
      controller_id,
      ingest_status: moveMessage(message.ingest_status, decision.message),
      resubmit_command_id: null,
      // The host replies after every claim, also when it could claim nothing.
      reply_outcome: null,
      reply_reason: null,
      replied_at: null,
      reply_due_at: isOpen ? null : replyDeadline(now),
    })
    .where(eq(messages.message_id, message.message_id));
}

/** All of the message belongs to the node; what it judged again gets its new verdict. */
function takeOver(
  { db }: Edge,
  { message }: LoadedMessage,
  controller_id: string,
  { verdicts, approvals }: Claim,
): Statement[] {
  const judged = [...verdicts].map(([instruction_id, policy]) => {
    return { instruction_id, policy, approval: approvals.get(instruction_id) ?? null };
  });
  return [
    db.run(sql`UPDATE instructions SET policy = o.policy, approval = o.approval, finished_at = NULL, error_code = NULL
      FROM (SELECT value->>'instruction_id' AS instruction_id, value->>'policy' AS policy, value->>'approval' AS approval
        FROM json_each(${JSON.stringify(judged)})) AS o
      WHERE instructions.instruction_id = o.instruction_id`),
    db.update(instructions).set({ controller_id }).where(eq(instructions.message_id, message.message_id)),
  ];
}

/** By which rule the node judged each instruction again, and which gate stopped it again. */
function journalVerdicts(
  { message, rows }: LoadedMessage,
  body: MessageClaimBody,
  decision: Resubmission,
): JournalDraft[] {
  const { controller_id } = body;
  const verdicts = new Map<string, PolicyVerdict>(body.instructions.map((one) => [one.instruction_id, one.policy]));
  return rows
    .filter((row) => isStoppedStatus(row.status))
    .flatMap(({ instruction_id }): JournalDraft[] => {
      const policy = verdicts.get(instruction_id);
      if (policy === undefined) return [];
      const from = { chain: controller_id, message_id: message.message_id, controller_id, instruction_id };
      const after = decision.statuses.find((one) => one.instruction_id === instruction_id);
      const counting = decision.verdicts.get(instruction_id) ?? policy;
      const judged: JournalDraft = { ...from, kind: 'judged', detail: verdictDetail(policy, counting) };
      if (after === undefined || !isStoppedStatus(after.status)) return [judged];
      return [judged, { ...from, kind: 'gated', detail: { status: after.status, gate: after.gate } }];
    });
}
