/** Browsers: what they have, sending a prompt into one, and reading what one shows. */
import { z } from 'zod';
import {
  BrowserCurrentQuerySchema,
  BrowserCurrentResponseSchema,
  BrowserQuerySchema,
  BrowserResponseSchema,
  BrowserSendBodySchema,
  BrowserSendResponseSchema,
} from '../../schema/contracts/browser.ts';
import { COMMAND_RESULTS } from '../../schema/contracts/commands.ts';
import { PlatformSchema } from '../../schema/contracts/common.ts';
import { DELIVERY, INSTRUCTION } from '../../schema/defaults.ts';
import { AppError } from '../../schema/errors.ts';
import { newId } from '../../schema/ids.ts';
import { commit } from '../db/commit.ts';
import { guardNotPaused } from '../db/guards.ts';
import type { MountedRoute } from '../http/route.ts';
import { PEOPLE, READERS, read, write } from '../http/route.ts';
import { browserPage, nodeForPlatform } from './browsers.ts';
import type { CommandDraft } from './commands.ts';
import { commandResponse, insertCommand } from './commands.ts';
import { pushCommands } from './push.ts';

const tag = 'browser';
const PlatformParams = z.object({ platform: PlatformSchema });
/** A reading that has not come by then does not come. */
const READ_WAIT_MS = DELIVERY.search_timeout_ms + 2_000;

export const browser: readonly MountedRoute[] = [
  read(
    {
      method: 'get',
      path: '/v1/browser',
      summary: 'Browsers with their logins and request hooks, and the pace at which they are driven',
      tag,
      roles: READERS,
      query: BrowserQuerySchema,
      data: BrowserResponseSchema,
    },
    async ({ db, query }) => browserPage(db, query),
  ),
  write(
    {
      method: 'post',
      path: '/v1/browser/:platform/send',
      summary: 'Send a prompt into a chat of that platform; its outcome comes as an event',
      tag,
      roles: PEOPLE,
      params: PlatformParams,
      body: BrowserSendBodySchema,
      data: BrowserSendResponseSchema,
      errors: ['no_active_client', 'no_credentials', 'system_paused'],
    },
    async ({ env, db, now, params: { platform }, body }) => {
      const controller_id = await nodeForPlatform(env, db, platform);
      const command_id = newId('command', now);
      const command: CommandDraft<'instruction'> = {
        command_id,
        controller_id,
        kind: 'instruction',
        body: {
          requested_by: 'person',
          name: `browser.${platform}::send`,
          params: body,
          platform,
          timeout_ms: INSTRUCTION.timeout_ms,
        },
        expires_at: now + INSTRUCTION.timeout_ms,
      };
      return {
        guards: [guardNotPaused(db)],
        statements: [insertCommand(db, command, now)],
        events: [
          { topic: 'clients', type: 'send_requested', subject_id: command_id, data: { platform, controller_id } },
        ],
        subject_id: command_id,
        response: { command_id, controller_id },
        after: () => pushCommands(env, [command], now),
      };
    },
  ),
  read(
    {
      method: 'get',
      path: '/v1/browser/:platform/current',
      summary: 'What a browser shows of that platform, or of one conversation there, as it reads it now',
      tag,
      roles: PEOPLE,
      params: PlatformParams,
      query: BrowserCurrentQuerySchema,
      data: BrowserCurrentResponseSchema,
      errors: ['no_active_client', 'no_credentials', 'node_unreachable'],
    },
    async ({ c, env, db, now, principal, params: { platform }, query }) => {
      const controller_id = await nodeForPlatform(env, db, platform);
      const command: CommandDraft<'browser.read'> = {
        command_id: newId('command', now),
        controller_id,
        kind: 'browser.read',
        body: { platform, conversation_id: query.conversation_id ?? null },
        expires_at: now + READ_WAIT_MS,
      };
      const waitUntil = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);
      const by = { principal, action: 'GET /v1/browser/:platform/current', request_id: c.var.requestId };
      await commit({ db, now, by, idempotency: null, waitUntil }, async () => ({
        statements: [insertCommand(db, command, now)],
        subject_id: command.command_id,
        response: null,
      }));
      await pushCommands(env, [command], now);
      const response = await commandResponse(db, command.command_id, READ_WAIT_MS);
      if (response === null) throw new AppError('node_unreachable', `${controller_id} did not answer`);
      const reading = COMMAND_RESULTS['browser.read'].parse(response);
      if (reading.outcome === 'unavailable') throw new AppError('no_active_client', reading.reason);
      const { outcome: _outcome, ...shown } = reading;
      return { ...shown, controller_id };
    },
  ),
];
