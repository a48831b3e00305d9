/**
 * Claims a call through MCP for the node that was asked to run it. The host sends its verdict, the gates are decided as at
 * ingest, and the instruction is stored with that decision: from here on it is one like those of chats. Only the node that
 * was asked may claim; a call that its caller no longer waits for is stored as expired, and does not run.
 */
import { sql } from 'drizzle-orm';
import type { Approval, MessageClaimBody, MessageClaimResponse } from '../../schema/contracts/instructions.ts';
import { splitCallName } from '../../schema/contracts/tools.ts';
import { MCP } from '../../schema/defaults.ts';
import type { Admission, JudgedInstruction } from '../../schema/domain/admission.ts';
import { createAdmission, gateOf, judge, messageStatus } from '../../schema/domain/admission.ts';
import { mcpDedupeText } from '../../schema/domain/mcp-call.ts';
import type { TrackedInstruction } from '../../schema/domain/message-progress.ts';
import { withDeadlines } from '../../schema/domain/message-progress.ts';
import { AppError } from '../../schema/errors.ts';
import type { McpCallRow } from '../../schema/tables/index.ts';
import { instructions } from '../../schema/tables/index.ts';
import { sha256Hex } from '../crypto/hash.ts';
import { guardModeVersion, guardThat } from '../db/guards.ts';
import type { JournalDraft } from '../db/journal.ts';
import type { Edge, WritePlan } from '../db/plan.ts';
import { toClaimed } from '../instructions/claimed-view.ts';
import { storedApproval } from '../instructions/edge-approval.ts';
import type { LoadedMessage } from '../instructions/load.ts';
import { gateFacts, loadMessage } from '../instructions/load.ts';
import { selectWaiting } from '../instructions/waiting-approvals.ts';
import { verdictDetail } from '../messages/ingest-rows.ts';
import { finishCommand } from '../nodes/commands.ts';
import { pushChanged } from '../nodes/push.ts';
import { lookSoon } from '../notices/wake.ts';

type Verdict = MessageClaimBody['instructions'][number];

/** A call that a node runs. */
interface NodeCall
  extends Pick<McpCallRow, 'message_id' | 'mcp_tool' | 'subject' | 'command_id' | 'created_at' | 'ended_at'> {
  instruction_id: string;
  local_conversation_id: string;
  controller_id: string;
  input: JudgedInstruction['input'];
}

/** The plan of the node's claim. Throws `not_owner` for another node. A repeat gets the current status. */
export async function claimCall(
  edge: Edge,
  row: McpCallRow,
  body: MessageClaimBody,
): Promise<WritePlan<MessageClaimResponse>> {
  const given = body.instructions.find((one) => one.instruction_id === row.instruction_id);
  const call = given === undefined || row.controller_id !== body.controller_id ? null : nodeCall(row, given);
  if (given === undefined || call === null) {
    const details = { field: 'controller_id' };
    throw new AppError('not_owner', 'this node was not asked to run this call', { details });
  }
  const loaded = await loadMessage(edge, call.message_id);
  if (loaded.rows.length > 0) return { audited: false, response: respond(edge, call, loaded.statuses) };
  const conversation = sql`${call.local_conversation_id}`;
  const [waiting = { conversation: 0, node: 0 }] = await selectWaiting(edge.db, conversation, call.controller_id);
  const judged = judge(call.input, { hold: loaded.fence.hold, conversation: loaded.conversation });
  const admission = admit(edge, call, judged, { loaded, waiting });
  const approval = admission.status === 'awaiting_approval' ? await asked(edge, call, judged, given) : null;
  return planClaim(edge, call, loaded, { judged, admission, approval });
}

function nodeCall(row: McpCallRow, { policy }: Verdict): NodeCall | null {
  const { instruction_id, local_conversation_id, controller_id, name, params, ...rest } = row;
  if (instruction_id === null || local_conversation_id === null || controller_id === null || name === null) return null;
  const input = { block_index: 0, index: 0, ...splitCallName(name), params: params ?? {}, policy };
  return { ...rest, instruction_id, local_conversation_id, controller_id, input };
}

interface Decision {
  judged: JudgedInstruction;
  admission: Pick<TrackedInstruction, 'status' | 'gate'>;
  approval: Approval | null;
}

function admit(
  { now }: Edge,
  { created_at, ended_at }: NodeCall,
  judged: JudgedInstruction,
  { loaded, waiting }: { loaded: LoadedMessage; waiting: { conversation: number; node: number } },
): Decision['admission'] {
  const { status, gate }: Admission = createAdmission(gateOf(gateFacts(loaded)), waiting)(judged);
  if (status === 'denied') return { status, gate };
  if (ended_at !== null || created_at + MCP.judged_within_ms <= now) return { status: 'expired', gate: 'expired' };
  return { status: status === 'held' ? 'blocked' : status, gate };
}

function asked({ db }: Edge, { input }: NodeCall, { policy }: JudgedInstruction, { approval }: Verdict) {
  return storedApproval(db, { input: { ...input, approval }, policy });
}

async function planClaim(
  edge: Edge,
  call: NodeCall,
  { fence }: LoadedMessage,
  { judged, admission, approval }: Decision,
): Promise<WritePlan<MessageClaimResponse>> {
  const { env, db, now } = edge;
  const { message_id, instruction_id, local_conversation_id, controller_id, input, command_id, ended_at } = call;
  const { status } = admission;
  const tracked = withDeadlines([trackedOf(call, judged, admission)], now);
  const dedupe_key = await sha256Hex(mcpDedupeText(message_id, input));
  const row = tracked.map(({ control: _control, asks: _asks, ...columns }) => ({
    ...input,
    ...columns,
    policy: judged.policy,
    approval,
    dedupe_key,
    message_id,
    local_conversation_id,
    controller_id,
    created_at: now,
    updated_at: now,
  }));
  return {
    guards: [
      guardModeVersion(db, fence.mode_version),
      // The caller has not given up meanwhile.
      guardThat(db, sql`EXISTS (SELECT 1 FROM mcp_calls WHERE message_id = ${message_id} AND ended_at IS ${ended_at})`),
    ],
    statements: [
      db.insert(instructions).values(row),
      ...(command_id === null ? [] : [finishCommand(edge, command_id, { instruction_id })]),
    ],
    events: [{ topic: 'instructions', type: 'called', subject_id: instruction_id, data: { ...admission } }],
    journal: firstEntries(call, judged, admission, dedupe_key),
    after: async () => {
      if (status !== 'awaiting_approval') return;
      await pushChanged(env, controller_id, 'approvals', [instruction_id]);
      await lookSoon(edge);
    },
    subject_id: instruction_id,
    response: respond(edge, call, tracked),
  };
}

function trackedOf(
  { instruction_id }: NodeCall,
  { control, verdict, timeout_ms }: JudgedInstruction,
  admission: Decision['admission'],
): TrackedInstruction {
  const deadlines = { claimed_at: null, claim_expires_at: null, approval_expires_at: null };
  return { instruction_id, index: 0, ...admission, control, asks: verdict === 'ask', timeout_ms, ...deadlines };
}

function respond(
  { now }: Edge,
  { message_id }: NodeCall,
  statuses: readonly TrackedInstruction[],
): MessageClaimResponse {
  return {
    message_id,
    ingest_status: messageStatus(statuses),
    instructions: statuses.map((one) => toClaimed(one, now)),
  };
}

/** Who called which tool, by which rule the host judged it, and whether it was claimed or gated. */
function firstEntries(
  { message_id, instruction_id, controller_id, mcp_tool, subject, input }: NodeCall,
  { policy }: JudgedInstruction,
  { status, gate }: Decision['admission'],
  dedupe_key: string,
): JournalDraft[] {
  const from = { chain: controller_id, message_id, instruction_id, controller_id };
  const kind = status === 'claimed' ? 'claimed' : gate === null ? null : 'gated';
  return [
    { ...from, kind: 'observed', detail: { via: 'mcp', mcp_tool, by: subject, dedupe_key } },
    { ...from, kind: 'judged', detail: verdictDetail(input.policy, policy) },
    ...(kind === null ? [] : [{ ...from, kind, detail: { status, ...(gate === null ? {} : { gate }) } } as const]),
  ];
}
