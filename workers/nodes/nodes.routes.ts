/** Nodes ("controllers" in route names): their heartbeat, their channel, and what is known of them. */
import { and, eq } from 'drizzle-orm';
import { z } from 'zod';
import { nodeHub } from '../../durable-objects/stubs.ts';
import { ControllerIdSchema, HEADER, PageQuerySchema, pageOf } from '../../schema/contracts/common.ts';
import type { Node } from '../../schema/contracts/nodes.ts';
import { HeartbeatBodySchema, NodeSchema, NodeStateSchema, NodeViewSchema } from '../../schema/contracts/nodes.ts';
import { AppError } from '../../schema/errors.ts';
import { nodes } from '../../schema/tables/index.ts';
import { tokenLimits } from '../auth/authenticate.ts';
import { pageWindow, toPage } from '../http/paging.ts';
import type { MountedRoute } from '../http/route.ts';
import { NODES, READERS, raw, read, write } from '../http/route.ts';
import { viewNodes } from './presence.ts';

const tag = 'controllers';
const params = z.object({ controller_id: ControllerIdSchema });

export const controllers: readonly MountedRoute[] = [
  write(
    {
      method: 'post',
      path: '/v1/controllers/heartbeat',
      summary: 'Register a node, or say how it is',
      tag,
      roles: NODES,
      body: HeartbeatBodySchema,
      data: NodeSchema,
    },
    async ({ db, body, now }) => {
      const before = await db.select().from(nodes).where(eq(nodes.controller_id, body.controller_id)).get();
      const { version = null, metadata = {}, started_at = null, ...said } = body;
      const response: Node = {
        ...said,
        version,
        metadata,
        started_at,
        last_heartbeat_at: now,
        created_at: before?.created_at ?? now,
      };
      const { controller_id, created_at: _created, ...set } = response;
      const news = before === undefined || before.status !== body.status || before.version !== version;
      const event = { topic: 'nodes', type: before === undefined ? 'registered' : 'changed' } as const;
      const { host, role, status } = body;
      return {
        statements: [db.insert(nodes).values(response).onConflictDoUpdate({ target: nodes.controller_id, set })],
        events: news ? [{ ...event, subject_id: controller_id, data: { host, role, status, version } }] : [],
        subject_id: controller_id,
        // A heartbeat that says nothing new leaves only the time of itself, which the row keeps.
        audited: news,
        response,
      };
    },
  ),
  read(
    {
      method: 'get',
      path: '/v1/controllers',
      summary: 'The nodes, with presence and clients',
      tag,
      roles: READERS,
      query: PageQuerySchema.extend({ status: NodeStateSchema.optional() }),
      data: pageOf(NodeViewSchema),
    },
    async ({ env, db, query }) => {
      const { where, orderBy, limit } = pageWindow(nodes.controller_id, query, 'oldest');
      const status = query.status === undefined ? undefined : eq(nodes.status, query.status);
      const rows = await db.select().from(nodes).where(and(where, status)).orderBy(orderBy).limit(limit);
      const page = toPage(rows, query, (row) => row.controller_id);
      return { ...page, items: await viewNodes(env, db, page.items) };
    },
  ),
  read(
    {
      method: 'get',
      path: '/v1/controllers/:controller_id',
      summary: 'One node, with presence and clients',
      tag,
      roles: READERS,
      params,
      data: NodeViewSchema,
      errors: ['controller_not_found'],
    },
    async ({ env, db, params: { controller_id } }) => {
      const row = await db.select().from(nodes).where(eq(nodes.controller_id, controller_id)).get();
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
      const upgraded = await nodeHub(env, controller_id).fetch(c.req.raw, expires_at);
      if (upgraded.status !== 101) return upgraded;
      // The hub's own headers cannot be added to, and the request id belongs there.
      return new Response(null, {
        status: 101,
        webSocket: upgraded.webSocket,
        headers: { [HEADER.request_id]: c.var.request_id },
      });
    },
  ),
];
