/** Loads a message with everything that a decision about its instructions depends on, in one batch. */
import type { SQL } from 'drizzle-orm';
import { asc, eq, sql } from 'drizzle-orm';
import { PLATFORM_IDS } from '../../schema/contracts/common.ts';
import { isControl, toolName } from '../../schema/contracts/tools.ts';
import type { GateFacts } from '../../schema/domain/admission.ts';
import { gateOf } from '../../schema/domain/admission.ts';
import { newConversation } from '../../schema/domain/conversation.ts';
import type { TrackedInstruction, TransitionContext } from '../../schema/domain/message-progress.ts';
import { AppError } from '../../schema/errors.ts';
import type { ConversationRow, FenceRow, InstructionRow, MessageRow } from '../../schema/tables/index.ts';
import { fence, instructions, local_conversations } from '../../schema/tables/index.ts';
import type { Edge } from '../db/plan.ts';
import { EXECUTING_SQL } from '../db/status-sql.ts';

/** Where the instructions of a message come from: a chat, or a call through MCP. */
export type MessageOrigin = 'chat' | 'mcp';

/** What is loaded of a message. */
type LoadedHead = Pick<
  MessageRow,
  | 'message_id'
  | 'local_conversation_id'
  | 'controller_id'
  | 'client_id'
  | 'ingest_status'
  | 'resubmit_command_id'
  | 'forgotten_at'
> & { origin: MessageOrigin };

/** A call through MCP takes the place of a message; no browser has it, and its instruction alone says how it is. */
function selectHead(messageId: SQL): SQL {
  return sql`SELECT message_id, local_conversation_id, controller_id, client_id, ingest_status, resubmit_command_id,
      forgotten_at, 'chat' AS origin FROM messages WHERE message_id = ${messageId}
    UNION ALL SELECT message_id, local_conversation_id, controller_id, '', 'accepted', NULL, NULL, 'mcp' FROM mcp_calls
      WHERE message_id = ${messageId} AND instruction_id IS NOT NULL`;
}

export interface LoadedMessage {
  message: LoadedHead;
  /** Its instructions, in message order. */
  rows: InstructionRow[];
  /** The same as the domain tracks them. */
  statuses: TrackedInstruction[];
  /** For a call through MCP one of its own, which is not stored and which nothing stops. */
  conversation: ConversationRow;
  fence: FenceRow;
  /** Another message of the conversation is executing. */
  busy: boolean;
}
export interface LoadedInstruction extends LoadedMessage {
  row: InstructionRow;
}

/** Throws `message_not_found`. */
export async function loadMessage(edge: Pick<Edge, 'db'>, messageId: string): Promise<LoadedMessage> {
  const loaded = await load(edge, sql`${messageId}`);
  if (loaded === null) throw new AppError('message_not_found', `there is no message ${messageId}`);
  return loaded;
}

/** An instruction with its message. Throws `instruction_not_found`. */
export async function loadInstruction(edge: Pick<Edge, 'db'>, instructionId: string): Promise<LoadedInstruction> {
  const its = sql`(SELECT message_id FROM instructions WHERE instruction_id = ${instructionId})`;
  const loaded = await load(edge, its);
  const row = loaded?.rows.find((one) => one.instruction_id === instructionId);
  if (!loaded || !row) throw new AppError('instruction_not_found', `there is no instruction ${instructionId}`);
  return { ...loaded, row };
}

/** `messageId` is an SQL expression. */
async function load({ db }: Pick<Edge, 'db'>, messageId: SQL): Promise<LoadedMessage | null> {
  const conversationId = sql`coalesce((SELECT local_conversation_id FROM messages WHERE message_id = ${messageId}),
    (SELECT local_conversation_id FROM mcp_calls WHERE message_id = ${messageId}))`;
  const [found, rows, fences, conversations, executing] = await db.batch([
    db.all<LoadedHead>(selectHead(messageId)),
    db
      .select()
      .from(instructions)
      .where(sql`${instructions.message_id} = ${messageId}`)
      .orderBy(asc(instructions.index)),
    db.select().from(fence).where(eq(fence.id, 1)),
    db.select().from(local_conversations).where(sql`${local_conversations.local_conversation_id} = ${conversationId}`),
    db
      .select({ message_id: instructions.message_id })
      .from(instructions)
      .where(
        sql`${instructions.local_conversation_id} = ${conversationId} AND ${instructions.status} ${EXECUTING_SQL}
          AND ${instructions.message_id} <> ${messageId}`,
      )
      .limit(1),
  ]);
  const [message] = found;
  if (message === undefined) return null;
  const [marks] = fences;
  const conversation = conversations[0] ?? (message.origin === 'mcp' ? conversationOfCall(message) : undefined);
  if (marks === undefined) throw new Error('the fence row is missing: migrations have not been applied');
  if (conversation === undefined) throw new Error(`message ${message.message_id} has no conversation`);
  return { message, rows, statuses: rows.map(toTracked), conversation, fence: marks, busy: executing.length > 0 };
}

function conversationOfCall({ local_conversation_id, message_id }: LoadedHead): ConversationRow {
  const [platform] = PLATFORM_IDS;
  const identity = { local_conversation_id, platform, remote_conversation_id: message_id, title: null };
  return newConversation(identity, 0);
}

/** The instruction as the domain tracks it. */
export function toTracked(row: InstructionRow): TrackedInstruction {
  const { instruction_id, index, status, gate, policy, timeout_ms } = row;
  const { claimed_at, claim_expires_at, approval_expires_at } = row;
  const name = toolName(row.target, row.tool);
  const control = name !== null && isControl(name);
  const deadlines = { claimed_at, claim_expires_at, approval_expires_at };
  return { instruction_id, index, status, gate, timeout_ms, control, asks: policy.decision === 'ask', ...deadlines };
}

/** What decides whether its ordinary instructions may start. */
export function gateFacts({ conversation: { automation_status }, busy, fence: { mode } }: LoadedMessage): GateFacts {
  return { mode, automation_status, busy };
}

/** What the consequences of a change for the rest of the message depend on. */
export function transitionContext({ now }: Pick<Edge, 'now'>, loaded: LoadedMessage): TransitionContext {
  const facts = gateFacts(loaded);
  return { mode: facts.mode, waiting_gate: gateOf({ ...facts, mode: 'running' }), now };
}

export function idsOf({ rows }: LoadedMessage): string[] {
  return rows.map((row) => row.instruction_id);
}
