/** Nodes ("controllers" in paths): heartbeat, channel, and the list that people see. */
import { and } from 'drizzle-orm';
import { z } from 'zod';
import { ControllerIdSchema, HEADER, PageQuerySchema, pageOf } from '../../schema/contracts/common.ts';
import { HeartbeatBodySchema, NodeSchema, NodeStateSchema, NodeViewSchema } from '../../schema/contracts/nodes.ts';
import { AppError } from '../../schema/errors.ts';
import { nodes } from '../../schema/tables/index.ts';
import { tokenLimits } from '../auth/authenticate.ts';
import { equals } from '../db/filters.ts';
import { pageWindow, toPage } from '../http/paging.ts';
import type { MountedRoute } from '../http/route.ts';
import { NODES, READERS, raw, read, write } from '../http/route.ts';
import { requireAdmitted } from './boots.ts';
import { findNode, recordHeartbeat } from './nodes.ts';
import { viewNodes } from './presence.ts';
import { openChannel } from './push.ts';

const tag = 'controllers';
const params = z.object({ controller_id: ControllerIdSchema });

export const controllers: readonly MountedRoute[] = [
  write(
    {
      method: 'post',
      path: '/v1/controllers/heartbeat',
      summary: 'Register a node, or report its state',
      tag,
      roles: NODES,
      body: HeartbeatBodySchema,
      data: NodeSchema,
      errors: ['duplicate_node'],
    },
    async (call) => {
      await requireAdmitted(call, call.body.controller_id);
      return recordHeartbeat(call, call.body);
    },
  ),
  read(
    {
      method: 'get',
      path: '/v1/controllers',
      summary: 'The nodes, with presence, clients and the steps that they run',
      tag,
      roles: READERS,
      query: PageQuerySchema.extend({ status: NodeStateSchema.optional() }),
      data: pageOf(NodeViewSchema),
    },
    async ({ env, db, query }) => {
      const { where, orderBy, limit } = pageWindow(nodes.controller_id, query, 'oldest');
      const rows = await db
        .select()
        .from(nodes)
        .where(and(where, equals(nodes.status, query.status)))
        .orderBy(orderBy)
        .limit(limit);
      const page = toPage(rows, query, (row) => row.controller_id);
      return { ...page, items: await viewNodes(env, db, page.items) };
    },
  ),
  read(
    {
      method: 'get',
      path: '/v1/controllers/:controller_id',
      summary: 'One node, with presence, clients and the steps that it runs',
      tag,
      roles: READERS,
      params,
      data: NodeViewSchema,
      errors: ['controller_not_found'],
    },
    async ({ env, db, params: { controller_id } }) => {
      const row = await findNode(db, controller_id);
      const [view] = await viewNodes(env, db, row === undefined ? [] : [row]);
      if (!view) throw new AppError('controller_not_found', `there is no node ${controller_id}`);
      return view;
    },
  ),
  raw(
    {
      method: 'get',
      path: '/v1/controllers/:controller_id/channel',
      summary: "The node's channel, a WebSocket",
      tag,
      roles: NODES,
      params,
      data: z.never(),
      status: 101,
    },
    async ({ c, env, principal, params: { controller_id } }) => {
      if (c.req.header('upgrade')?.toLowerCase() !== 'websocket') {
        throw new AppError('invalid_request', 'upgrade: websocket is required here', {
          details: { in: 'header', field: 'upgrade', expected: 'websocket' },
        });
      }
      const { expires_at } = await tokenLimits(c, principal.token_id);
      const upgraded = await openChannel(env, controller_id, c.req.raw, expires_at);
      if (upgraded.status !== 101) return c.newResponse(upgraded.body, upgraded);
      // The headers of the hub's response cannot be changed, and the request id has to be among them.
      return new Response(null, {
        status: 101,
        webSocket: upgraded.webSocket,
        headers: { [HEADER.request_id]: c.var.requestId },
      });
    },
  ),
];
