/** What a person has a browser do: send a prompt, or read what it shows. Both are commands to the browser's node. */
import type { z } from 'zod';
import type {
  BrowserCurrentResponseSchema,
  BrowserSendBodySchema,
  BrowserSendResponseSchema,
} from '../../schema/contracts/browser.ts';
import { COMMAND_RESULTS } from '../../schema/contracts/commands.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import { DELIVERY, INSTRUCTION } from '../../schema/defaults.ts';
import { AppError } from '../../schema/errors.ts';
import { newId } from '../../schema/ids.ts';
import type { WriteContext } from '../db/commit.ts';
import { commit } from '../db/commit.ts';
import { guardNotPaused } from '../db/guards.ts';
import type { Edge, Plan, WritePlan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import { awaitResult } from './command-reads.ts';
import type { CommandDraft } from './commands.ts';
import { nodeForPlatform } from './node-for-platform.ts';
import { sendCommands } from './push.ts';

/** After this no result of a reading is expected. */
const READ_WAIT_MS = DELIVERY.search_timeout_ms + 2_000;

/** Throws `no_active_client`, `no_credentials`, and on commit `system_paused`. */
export async function sendPrompt(
  edge: Edge,
  platform: Platform,
  params: z.output<typeof BrowserSendBodySchema>,
): Promise<WritePlan<z.input<typeof BrowserSendResponseSchema>>> {
  const { db, now } = edge;
  const controller_id = await nodeForPlatform(edge, platform);
  const command_id = newId('command', now);
  const timeout_ms = INSTRUCTION.timeout_ms;
  const command: CommandDraft<'instruction'> = {
    command_id,
    controller_id,
    kind: 'instruction',
    body: { requested_by: 'person', name: `browser.${platform}::send`, params, platform, timeout_ms },
    expires_at: now + timeout_ms,
  };
  const request: Plan = {
    guards: [guardNotPaused(db)],
    events: [{ topic: 'clients', type: 'send_requested', subject_id: command_id, data: { platform, controller_id } }],
  };
  return {
    ...mergePlans(request, sendCommands(edge, [command])),
    subject_id: command_id,
    response: { command_id, controller_id },
  };
}

/**
 * Asks a browser what it shows and waits for the result; with a conversation id, of that conversation. The command is
 * committed as a write of its own. Throws `no_active_client`, `no_credentials`, `node_unreachable`.
 */
export async function readBrowser(
  edge: Edge,
  context: WriteContext,
  platform: Platform,
  conversation_id: string | null,
): Promise<z.input<typeof BrowserCurrentResponseSchema>> {
  const { db, now } = edge;
  const controller_id = await nodeForPlatform(edge, platform);
  const command: CommandDraft<'browser.read'> = {
    command_id: newId('command', now),
    controller_id,
    kind: 'browser.read',
    body: { platform, conversation_id },
    expires_at: now + READ_WAIT_MS,
  };
  const { command_id } = command;
  await commit(context, async () => ({
    ...sendCommands(edge, [command]),
    subject_id: command_id,
    response: null,
  }));
  const result = await awaitResult(db, command_id, READ_WAIT_MS);
  if (result === null) throw new AppError('node_unreachable', `${controller_id} did not answer`);
  const reading = COMMAND_RESULTS['browser.read'].parse(result);
  if (reading.outcome === 'unavailable') throw new AppError('no_active_client', reading.reason);
  const { outcome: _outcome, ...conversation } = reading;
  return { ...conversation, controller_id };
}
