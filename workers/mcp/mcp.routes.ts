/**
 * `POST /mcp`: Model Context Protocol over streamable HTTP, without sessions. Each request is authenticated like any other
 * and gets a server of its own; the body is read and bounded here, before the SDK sees it.
 */
import { createMcpHandler, ProtocolErrorCode } from '@modelcontextprotocol/server';
import type { Context } from 'hono';
import { z } from 'zod';
import type { ErrorBody } from '../../schema/contracts/common.ts';
import { errorBody } from '../../schema/contracts/common.ts';
import { AppError } from '../../schema/errors.ts';
import { readJson } from '../../schema/json-text.ts';
import { requireSameOrigin } from '../auth/session-cookie.ts';
import type { WriteContext } from '../db/commit.ts';
import { commit } from '../db/commit.ts';
import type { AppEnv } from '../env.ts';
import type { Input } from '../http/request.ts';
import type { MountedRoute } from '../http/route.ts';
import { READERS, raw } from '../http/route.ts';
import type { Schema } from '../http/route-spec.ts';
import type { McpCall } from './caller.ts';
import type { Session } from './server.ts';
import { mcpServer } from './server.ts';

/** A request or a notification of a client. The server asks nothing of a client, so no responses come. */
const MessageSchema = z.strictObject({
  jsonrpc: z.literal('2.0'),
  id: z.union([z.string().min(1).max(200), z.number().int()]).optional(),
  method: z.string().min(1).max(200),
  params: z.record(z.string(), z.unknown()).optional(),
});
const ACCEPT = 'application/json, text/event-stream';

const IdSchema = z.object({ id: z.union([z.string(), z.number()]) });

export const mcp: readonly MountedRoute[] = [
  answeringMalformed(
    raw(
      {
        method: 'post',
        path: '/mcp',
        summary:
          'One JSON-RPC message of the Model Context Protocol; the tools act under the role of the token. A body that is no message gets a JSON-RPC error, whose `data` is the error of other routes',
        tag: 'mcp',
        roles: READERS,
        body: MessageSchema,
        data: z.looseObject({ jsonrpc: z.literal('2.0') }),
        produces: 'application/json',
        accepts: true,
      },
      async (input) => {
        // A page of another site gets no response, with any token.
        requireSameOrigin(input.c, 'if present', 'a request to /mcp that names its Origin');
        const handler = createMcpHandler(() => mcpServer(sessionOf(input)));
        return untilEnd(input.c, await handler.fetch(requestFor(input.c.req.raw), { parsedBody: input.body }));
      },
    ),
  ),
];

/** The route, which answers a body that is no message as JSON-RPC does: clients read no other form of an error. */
function answeringMalformed({ spec, mount }: MountedRoute): MountedRoute {
  return {
    spec,
    mount(app) {
      app.use(spec.path, async (c, next) => {
        await next();
        if (!(c.error instanceof AppError) || c.error.details.in !== 'body') return;
        const answer = malformed(await c.req.text(), errorBody(c.error, c.var.requestId));
        c.res = Response.json(answer, { status: c.res.status });
      });
      mount(app);
    },
  };
}

/** `data` of the error is what every other route responds with. */
function malformed(text: string, error: ErrorBody) {
  const body = readJson(text);
  const code = body.ok ? ProtocolErrorCode.InvalidRequest : ProtocolErrorCode.ParseError;
  const id = IdSchema.safeParse(body.ok ? body.value : null).data?.id ?? null;
  return { jsonrpc: '2.0', id, error: { code, message: error.message, data: error } };
}

/** The request without its body, which is read already. A client that takes only one of the two kinds of response gets both. */
function requestFor({ url, headers: given, signal }: Request): Request {
  const headers = new Headers(given);
  headers.set('accept', ACCEPT);
  headers.set('content-type', 'application/json');
  return new Request(url, { method: 'POST', headers, signal });
}

/** The response, whose tool may run while it is sent: the log line waits for its end, so that it has all that was read. */
function untilEnd({ set }: Context<AppEnv>, response: Response): Response {
  if (response.body === null) return response;
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  set(
    'bodyEnd',
    response.body.pipeTo(writable).catch(() => undefined),
  );
  return new Response(readable, response);
}

function sessionOf({ c, env, db, now, principal }: Input<Schema, Schema, Schema>): Session {
  const startedAt = Date.now();
  const clock = () => now + Math.max(0, Date.now() - startedAt);
  const context = ({ tool }: McpCall): WriteContext => ({
    db,
    now,
    by: { principal, action: `MCP ${tool}`, request_id: c.var.requestId },
    idempotency: null,
    waitUntil: (work) => c.executionCtx.waitUntil(work),
  });
  return { env, db, now, clock, principal, committing: (call) => (decide) => commit(context(call), decide) };
}
