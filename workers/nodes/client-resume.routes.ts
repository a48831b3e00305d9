/** A person lets a stopped browser deliver again. */
import { z } from 'zod';
import { nodeHub, timedJobs } from '../../durable-objects/stubs.ts';
import { ClientResumeBodySchema, ClientResumeResponseSchema } from '../../schema/contracts/clients.ts';
import { ClientIdSchema, PLATFORM_IDS } from '../../schema/contracts/common.ts';
import { COMMAND } from '../../schema/defaults.ts';
import { resumePlatforms } from '../../schema/domain/client-stops.ts';
import { AppError } from '../../schema/errors.ts';
import { newId } from '../../schema/ids.ts';
import type { MountedRoute } from '../http/route.ts';
import { PEOPLE, write } from '../http/route.ts';
import { dueWithClient } from '../renewal/conversations.ts';
import { findClient, forgetFingerprints, storePlatforms } from './clients.ts';
import type { CommandDraft } from './commands.ts';
import { insertCommand, toCommand } from './commands.ts';

export const clientResume: readonly MountedRoute[] = [
  write(
    {
      method: 'post',
      path: '/v1/browser/clients/:client_id/resume',
      summary: 'Let a browser deliver again that was stopped; without a platform, on all of them',
      tag: 'browser',
      roles: PEOPLE,
      params: z.object({ client_id: ClientIdSchema }),
      body: ClientResumeBodySchema,
      data: ClientResumeResponseSchema,
      errors: ['client_not_found'],
    },
    async ({ env, db, now, params: { client_id }, body }) => {
      const client = await findClient(db, client_id);
      if (client === undefined) throw new AppError('client_not_found', `there is no browser ${client_id}`);
      const { controller_id } = client;
      const platform = body.platform ?? null;
      const { platforms, resumed } = resumePlatforms(client.platforms, platform);
      // Sent whatever the edge believes: the node may have stopped it a moment ago.
      const command: CommandDraft<'client.resume'> = {
        command_id: newId('command', now),
        controller_id,
        kind: 'client.resume',
        body: { client_id, platform },
        expires_at: now + COMMAND.expiry_ms,
      };
      return {
        statements: [
          storePlatforms(db, client_id, platforms, now),
          forgetFingerprints(db, client_id, platform === null ? PLATFORM_IDS : [platform]),
          dueWithClient(db, client_id, now),
          insertCommand(db, command, now),
        ],
        events: [{ topic: 'clients', type: 'resumed', subject_id: client_id, data: { platforms: resumed } }],
        subject_id: client_id,
        response: { client_id, resumed, command_id: command.command_id },
        after: async () => {
          await nodeHub(env, controller_id).push(controller_id, { type: 'command', command: toCommand(command, now) });
          await timedJobs(env).due(now);
        },
      };
    },
  ),
];
