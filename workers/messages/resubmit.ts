/**
 * A person resubmits a stopped message: the node that holds the message's browser is asked to judge it again, and then
 * claims it (claim-resubmitted.ts). Until it has, or the command expires, a second resubmission sends no second command.
 */
import { and, eq, sql } from 'drizzle-orm';
import type { TargetPayload } from '../../schema/contracts/conversations.ts';
import { CHANNEL, COMMAND } from '../../schema/defaults.ts';
import { isOpenStatus, isStoppedStatus } from '../../schema/domain/instruction-machine.ts';
import { targetPayload } from '../../schema/domain/links.ts';
import { AppError } from '../../schema/errors.ts';
import { newId } from '../../schema/ids.ts';
import type { InstructionRow, MessageRow } from '../../schema/tables/index.ts';
import { conversation_links, messages } from '../../schema/tables/index.ts';
import { guardThat } from '../db/guards.ts';
import type { Database, Statement } from '../db/open.ts';
import type { Edge, Plan, WritePlan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import { loadMessage } from '../instructions/load.ts';
import { nodeOfBrowser } from '../nodes/browser-reads.ts';
import { findCommand } from '../nodes/command-reads.ts';
import type { CommandDraft } from '../nodes/commands.ts';
import { sendCommands } from '../nodes/push.ts';
import { findMessage } from './message-reads.ts';

/** What a command may take of a frame, beside the other fields of the frame. */
const MAX_COMMAND_BYTES = CHANNEL.max_frame_bytes - 4_096;

interface Resubmitted {
  message_id: string;
  command_id: string;
  /** The node that was asked. */
  controller_id: string;
}

/** The plan of a person's resubmission. Throws `message_not_found`, `conflict`, `no_active_client`. */
export async function resubmit(
  edge: Edge,
  messageId: string,
  { by, reason }: { by: string; reason: string | undefined },
): Promise<WritePlan<Resubmitted>> {
  const { db } = edge;
  const message = await findMessage(db, messageId);
  if (message.forgotten_at !== null)
    throw new AppError('conflict', 'the text of this message was removed: nothing can run');
  const { rows } = await loadMessage(edge, messageId);
  if (rows.some((row) => isOpenStatus(row.status))) throw new AppError('conflict', 'this message is still executing');
  const stopped = rows.filter((row) => isStoppedStatus(row.status));
  if (stopped.length === 0) throw new AppError('conflict', 'this message has no stopped instruction');
  const pending = await pendingCommand(edge, message);
  if (pending !== null) return { response: { message_id: messageId, ...pending } };
  const command = await resubmitCommand(edge, message, stopped);
  const { command_id, controller_id } = command;
  const detail = { by, command_id, ...(reason === undefined ? {} : { reason }) };
  const resubmission: Plan = {
    guards: [guardCommand(db, message)],
    statements: [
      db.update(messages).set({ resubmit_command_id: command_id }).where(eq(messages.message_id, messageId)),
    ],
    events: [{ topic: 'messages', type: 'resubmitted', subject_id: messageId, data: { by, controller_id } }],
    journal: stopped.map((row) => ({
      chain: row.controller_id,
      message_id: messageId,
      instruction_id: row.instruction_id,
      kind: 'resubmitted',
      controller_id: null,
      detail,
    })),
  };
  return {
    ...mergePlans(resubmission, sendCommands(edge, [command])),
    subject_id: messageId,
    response: { message_id: messageId, command_id, controller_id },
  };
}

async function resubmitCommand(
  { db, now }: Edge,
  message: MessageRow,
  stopped: readonly InstructionRow[],
): Promise<CommandDraft<'message.resubmit'>> {
  const { message_id, local_conversation_id, platform, remote_conversation_id, client_id } = message;
  const { raw_text, assistant_message_id, block_errors } = message;
  const controller_id = await nodeOfBrowser(db, client_id);
  if (controller_id === null) throw new AppError('no_active_client', `the browser ${client_id} is not connected`);
  const body = {
    message_id,
    local_conversation_id,
    platform,
    remote_conversation_id,
    client_id,
    raw_text,
    target: (await linkTarget(db, message)) ?? unlinkedTarget(message),
    assistant_message_id,
    block_errors,
    instructions: stopped.map(({ instruction_id, index, target, tool }) => ({ instruction_id, index, target, tool })),
  };
  if (new TextEncoder().encode(JSON.stringify(body)).byteLength > MAX_COMMAND_BYTES) {
    throw new AppError('conflict', 'this message is too long to be sent to a node again');
  }
  const command_id = newId('command', now);
  return { command_id, controller_id, kind: 'message.resubmit', body, expires_at: now + COMMAND.expiry_ms };
}

async function linkTarget(db: Database, message: MessageRow): Promise<TargetPayload | undefined> {
  const link = await db
    .select({ target_payload: conversation_links.target_payload })
    .from(conversation_links)
    .where(
      and(
        eq(conversation_links.local_conversation_id, message.local_conversation_id),
        eq(conversation_links.client_id, message.client_id),
        sql`is_active = 1`,
      ),
    )
    .get();
  return link?.target_payload;
}

function unlinkedTarget({ client_id, remote_conversation_id }: MessageRow): TargetPayload {
  return targetPayload(client_id, { remote_conversation_id, page_url: '' });
}

/** The command of an earlier resubmission that its node may still follow. */
export async function pendingCommand(
  { db, now }: Pick<Edge, 'db' | 'now'>,
  { resubmit_command_id }: Pick<MessageRow, 'resubmit_command_id'>,
): Promise<Omit<Resubmitted, 'message_id'> | null> {
  if (resubmit_command_id === null) return null;
  const command = await findCommand(db, resubmit_command_id);
  if (command === undefined || command.expires_at <= now || command.status === 'refused') return null;
  return { command_id: command.command_id, controller_id: command.controller_id };
}

/** No other resubmission or claim has been stored meanwhile: only they change a stopped message. */
export function guardCommand(
  db: Database,
  { message_id, resubmit_command_id }: Pick<MessageRow, 'message_id' | 'resubmit_command_id'>,
): Statement {
  return guardThat(
    db,
    sql`EXISTS (SELECT 1 FROM messages WHERE message_id = ${message_id}
      AND resubmit_command_id IS ${resubmit_command_id})`,
  );
}
