/**
 * A stopped message that a person wants to run after all: the node that holds the message's browser is asked to judge it
 * again. That node then claims it (message-claim.ts); until it has, or its time is over, asking again is asking once.
 */
import { and, eq, sql } from 'drizzle-orm';
import { CHANNEL, COMMAND } from '../../schema/defaults.ts';
import { isOpenStatus, isStoppedStatus } from '../../schema/domain/instruction-machine.ts';
import { AppError } from '../../schema/errors.ts';
import { newId } from '../../schema/ids.ts';
import { conversation_links, messages } from '../../schema/tables/index.ts';
import { guardThat } from '../db/guards.ts';
import type { Database, Statement } from '../db/open.ts';
import type { WritePlan } from '../db/plan.ts';
import { guardStatuses, instructionsOf } from '../instructions/statuses.ts';
import { nodeOfClient } from '../nodes/browsers.ts';
import type { CommandDraft } from '../nodes/commands.ts';
import { findCommand, insertCommand } from '../nodes/commands.ts';
import { pushCommands } from '../nodes/push.ts';
import type { MessageRow } from './message-reads.ts';
import { findMessage } from './message-reads.ts';

/** What a command may take of a frame, beside the other fields of the frame. */
const MAX_COMMAND_BYTES = CHANNEL.max_frame_bytes - 4_096;

interface Asked {
  message_id: string;
  command_id: string;
  controller_id: string;
}

/** The plan of a person's resubmission. Throws `message_not_found`, `conflict`, `no_active_client`. */
export async function resubmit(
  env: Env,
  db: Database,
  messageId: string,
  { by, reason }: { by: string; reason?: string | undefined },
  now: number,
): Promise<WritePlan<Asked>> {
  const message = await findMessage(db, messageId);
  const rows = await instructionsOf(db, messageId);
  if (rows.some((row) => isOpenStatus(row.status))) throw new AppError('conflict', 'this message is still under way');
  const stopped = rows.filter((row) => isStoppedStatus(row.status));
  if (stopped.length === 0) throw new AppError('conflict', 'nothing of this message was stopped');
  const pending = await pendingCommand(db, message, now);
  if (pending !== null) return { response: { message_id: messageId, ...pending } };
  const controller_id = await nodeOfClient(db, message.client_id);
  if (controller_id === null) {
    throw new AppError('no_active_client', `the browser ${message.client_id} is not connected`);
  }
  const command: CommandDraft<'message.resubmit'> = {
    command_id: newId('command', now),
    controller_id,
    kind: 'message.resubmit',
    body: {
      message_id: messageId,
      local_conversation_id: message.local_conversation_id,
      platform: message.platform,
      remote_conversation_id: message.remote_conversation_id,
      client_id: message.client_id,
      raw_text: message.raw_text,
      target: await targetOf(db, message),
      assistant_message_id: message.assistant_message_id,
      block_errors: message.block_errors,
      instructions: stopped.map(({ instruction_id, index, target, tool }) => ({ instruction_id, index, target, tool })),
    },
    expires_at: now + COMMAND.expiry_ms,
  };
  if (new TextEncoder().encode(JSON.stringify(command.body)).byteLength > MAX_COMMAND_BYTES) {
    throw new AppError('conflict', 'this message is too long to be sent to a node again');
  }
  const { command_id } = command;
  const detail = { by, command_id, ...(reason === undefined ? {} : { reason }) };
  return {
    guards: [guardStatuses(db, messageId, rows), guardCommand(db, message)],
    statements: [
      insertCommand(db, command, now),
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
    subject_id: messageId,
    response: { message_id: messageId, command_id, controller_id },
    after: () => pushCommands(env, [command], now),
  };
}

/** The command of an earlier resubmission that its node may still follow. */
export async function pendingCommand(
  db: Database,
  message: MessageRow,
  now: number,
): Promise<Omit<Asked, 'message_id'> | null> {
  if (message.resubmit_command_id === null) return null;
  const command = await findCommand(db, message.resubmit_command_id);
  if (command === undefined || command.expires_at <= now || command.status === 'refused') return null;
  return { command_id: command.command_id, controller_id: command.controller_id };
}

async function targetOf(db: Database, message: MessageRow) {
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
  return (
    link?.target_payload ?? {
      client_id: message.client_id,
      conversation_id: message.remote_conversation_id,
      organization_id: null,
      page_url: '',
      page_title: null,
      tab_id: null,
      shell_page: false,
    }
  );
}

/** No other resubmission or claim has come between. */
export function guardCommand(db: Database, { message_id, resubmit_command_id }: MessageRow): Statement {
  return guardThat(
    db,
    sql`EXISTS (SELECT 1 FROM messages WHERE message_id = ${message_id}
      AND resubmit_command_id IS ${resubmit_command_id})`,
  );
}
