/**
 * The MCP server of one request: the tools and resources that its caller may use. The transport is the SDK's; this server
 * holds nothing between requests.
 */
import type { ServerContext } from '@modelcontextprotocol/server';
import { ProtocolError, ProtocolErrorCode, ResourceNotFoundError, Server } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { AppError } from '../../schema/errors.ts';
import { VERSION } from '../../schema/version.ts';
import { log } from '../log.ts';
import type { ToolAnswer } from './answer.ts';
import { answered } from './answer.ts';
import type { Caller, McpCall } from './caller.ts';
import { findMcpTool, listedTools, mayCall } from './registry.ts';
import { listedResources, readResource, resourceTemplates } from './resources.ts';

const INSTRUCTIONS =
  'Tools of the conductor: files and programs on hosts, chats in browsers, tasks, and what an operator does. ' +
  'Calls on a host are judged by its policy. A call that waits for a person, or takes longer, answers with its ' +
  'instruction_id; the tool status reads it.';

/** Of a caller, without what only a call knows. */
export type Session = Omit<Caller, 'call' | 'progress' | 'commit'> & {
  committing(call: McpCall): Caller['commit'];
};

const OperationSchema = z.object({ operation_id: z.string().min(1).max(200).nullish() });
const ProgressSchema = z.object({ progressToken: z.union([z.string(), z.number()]).optional() });

export function mcpServer(session: Session): Server {
  const { role } = session.principal;
  const server = new Server(
    { name: 'baa-conductor', title: 'The conductor', version: VERSION },
    { capabilities: { tools: {}, resources: {} }, instructions: INSTRUCTIONS },
  );
  server.setRequestHandler('tools/list', () => ({ tools: listedTools(role) }));
  server.setRequestHandler('tools/call', async ({ params: { name, arguments: args = {} } }, context) => {
    const tool = findMcpTool(name);
    if (tool === null) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `there is no tool ${name}`);
    const answer = await answered(async () => {
      if (!mayCall(tool, role)) throw new AppError('forbidden', `the role ${role} may not call ${name}`);
      return await tool.run(callerOf(session, { name, args }, context), args);
    });
    return toResult(answer);
  });
  server.setRequestHandler('resources/list', () => ({ resources: listedResources() }));
  server.setRequestHandler('resources/templates/list', () => ({ resourceTemplates: resourceTemplates() }));
  server.setRequestHandler('resources/read', async ({ params: { uri } }) => {
    const text = await readResource(session, uri);
    if (text === null) throw new ResourceNotFoundError(uri);
    return { contents: [{ uri, mimeType: 'text/plain', text }] };
  });
  server.onerror = (error) => log('error', 'mcp', { error: String(error) });
  return server;
}

function callerOf(
  session: Session,
  { name: tool, args }: { name: string; args: Record<string, unknown> },
  { mcpReq }: ServerContext,
): Caller {
  const operation = OperationSchema.safeParse(mcpReq._meta ?? {});
  if (!operation.success) {
    throw new AppError('invalid_request', '_meta.operation_id: a text of 1 to 200 characters', {
      details: { field: '_meta.operation_id', expected: 'a text of 1 to 200 characters' },
    });
  }
  const call = {
    tool,
    args,
    request_id: JSON.stringify(mcpReq.id),
    operation_id: operation.data.operation_id ?? null,
  };
  return {
    ...session,
    call,
    commit: session.committing(call),
    progress: progressTo(mcpReq),
  };
}

/** Sends progress where the client has asked for it; a client that has gone misses nothing. */
function progressTo(mcpReq: ServerContext['mcpReq']): Caller['progress'] {
  const progressToken = ProgressSchema.safeParse(mcpReq._meta ?? {}).data?.progressToken;
  let progress = 0;
  return async (message) => {
    if (progressToken === undefined || mcpReq.signal.aborted) return;
    progress += 1;
    await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, message } });
  };
}

function toResult({ data, isError }: ToolAnswer) {
  return { content: [{ type: 'text' as const, text: JSON.stringify(data) }], structuredContent: data, isError };
}
