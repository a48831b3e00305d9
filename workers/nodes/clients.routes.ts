/** What a node's browsers have: logins, request templates, tabs. Sent whole, on change. */
import { z } from 'zod';
import type { ClientTab } from '../../schema/contracts/clients.ts';
import { ClientPutBodySchema, ClientSchema } from '../../schema/contracts/clients.ts';
import { ClientIdSchema, ControllerIdSchema } from '../../schema/contracts/common.ts';
import { clients as clientRows } from '../../schema/tables/index.ts';
import type { MountedRoute } from '../http/route.ts';
import { NODES, write } from '../http/route.ts';
import { observeLinks } from '../renewal/links.ts';
import { tellNextDue } from '../timed-jobs/ticks.ts';

/** A tab grows up to eightfold on its way into a row, and D1 takes a parameter of two million bytes. */
const PART_BYTES = 200_000;

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
    async ({ env, db, params: { controller_id, client_id }, body: { connected, platforms, tabs }, now }) => {
      const set = { controller_id, connected, platforms, updated_at: now };
      const logins = Object.fromEntries(platforms.map(({ platform, login }) => [platform, login]));
      return {
        statements: [
          db
            .insert(clientRows)
            .values({ client_id, ...set })
            .onConflictDoUpdate({ target: clientRows.client_id, set }),
          ...inParts(tabs).flatMap((part) => observeLinks(db, { controller_id, client_id, tabs: part }, now)),
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
        response: { client_id, ...set },
        // A conversation that waited for a link, or a job that failed for want of one, may be due by it.
        after: () => tellNextDue(env, db),
      };
    },
  ),
];

/** The tabs in parts small enough to be stored by one statement each; few browsers need a second one. */
function inParts(tabs: readonly ClientTab[]): ClientTab[][] {
  const parts: ClientTab[][] = [];
  let room = 0;
  for (const tab of tabs) {
    const bytes = new TextEncoder().encode(JSON.stringify(tab)).byteLength;
    if (bytes > room) {
      parts.push([]);
      room = PART_BYTES;
    }
    parts.at(-1)?.push(tab);
    room -= bytes;
  }
  return parts;
}
