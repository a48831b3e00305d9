/** What a node's browsers have: logins, request templates, tabs. Sent whole, on change. */
import { z } from 'zod';
import { ClientPutBodySchema, ClientSchema } from '../../schema/contracts/clients.ts';
import { ClientIdSchema, ControllerIdSchema } from '../../schema/contracts/common.ts';
import { clients as clientRows } from '../../schema/tables/index.ts';
import { observeLinks } from '../queries/links.ts';
import type { MountedRoute } from '../route.ts';
import { NODES, write } from '../route.ts';

export const clients: readonly MountedRoute[] = [
  write(
    {
      method: 'put',
      path: '/v1/controllers/:controller_id/clients/:client_id',
      summary: 'Say what that browser has; its tabs become conversations and links',
      tag: 'controllers',
      roles: NODES,
      params: z.object({ controller_id: ControllerIdSchema, client_id: ClientIdSchema }),
      body: ClientPutBodySchema,
      data: ClientSchema,
    },
    async ({ db, params: { controller_id, client_id }, body: { connected, platforms, tabs }, now }) => {
      const set = { controller_id, connected, platforms, updated_at: now };
      const logins = Object.fromEntries(platforms.map(({ platform, login }) => [platform, login]));
      return {
        statements: [
          db
            .insert(clientRows)
            .values({ client_id, ...set })
            .onConflictDoUpdate({ target: clientRows.client_id, set }),
          ...observeLinks(db, { controller_id, client_id, tabs }, now),
        ],
        events: [
          {
            topic: 'clients',
            type: connected ? 'connected' : 'disconnected',
            subject_id: client_id,
            data: { controller_id, logins, tabs: tabs.length },
          },
        ],
        subject_id: client_id,
        answer: { client_id, ...set },
      };
    },
  ),
];
