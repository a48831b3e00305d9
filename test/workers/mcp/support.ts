/** Clients of MCP around a small conductor: the official client over the Worker's fetch, single requests, and nodes that run calls. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { MessageClaimResponse, PolicyDecision } from '../../../schema/contracts/instructions.ts';
import type { Role } from '../../../schema/contracts/tokens.ts';
import { APPROVAL, commandsFor } from '../instructions/support.ts';
import type { Conductor } from '../support/conductor.ts';
import { NODE, ORIGIN, rowsOf } from '../support/edge.ts';

export type Answer = { isError: boolean; data: Record<string, unknown> };

/** The official client, as that role or with that token. */
export async function connect(
  conductor: Conductor,
  { role = 'browser_admin', token }: { role?: Role; token?: string } = {},
): Promise<{ client: Client; token: string }> {
  const secret = token ?? (await conductor.edge.mint(role)).token;
  const transport = new StreamableHTTPClientTransport(new URL('/mcp', ORIGIN), {
    requestInit: { headers: { authorization: `Bearer ${secret}` } },
    fetch: (url, init) => conductor.edge.fetch(new URL(url).pathname, init, false),
  });
  const client = new Client({ name: 'a test', version: '1' });
  await client.connect(transport);
  return { client, token: secret };
}

export async function call(client: Client, name: string, args: Record<string, unknown> = {}): Promise<Answer> {
  const { isError = false, structuredContent, content } = await client.callTool({ name, arguments: args });
  const [text] = content as { text: string }[];
  const data = structuredContent as Record<string, unknown>;
  if (text?.text !== JSON.stringify(data)) throw new Error('text and structured content differ');
  return { isError, data };
}

/** One HTTP request with that JSON-RPC id, as any client could send it. */
export async function post(
  conductor: Conductor,
  token: string,
  { id = 1, name, args = {}, meta }: { id?: number; name: string; args?: object; meta?: object },
): Promise<Answer> {
  const params = { name, arguments: args, ...(meta && { _meta: meta }) };
  const { text } = await conductor.edge.call('POST', '/mcp', {
    token,
    body: { jsonrpc: '2.0', id, method: 'tools/call', params },
  });
  const line = text.split('\n').find((one) => one.startsWith('data: ')) ?? `data: ${text}`;
  const { result } = JSON.parse(line.slice('data: '.length)) as {
    result: { isError?: boolean; structuredContent: Record<string, unknown> };
  };
  return { isError: result.isError ?? false, data: result.structuredContent };
}

/** Calls that the node has been given and has not claimed. */
export async function callsFor(conductor: Conductor, nodeId: string = NODE) {
  const commands = await commandsFor(conductor, 'instruction', nodeId);
  return commands.flatMap(({ body }) => (body.requested_by === 'mcp' ? [body] : []));
}

/** The next call for the node. */
export async function nextCall(conductor: Conductor, nodeId: string = NODE) {
  return await eventually(async () => (await callsFor(conductor, nodeId))[0]);
}

/** The node judges a call, and asks to claim it. */
export function claim(
  conductor: Conductor,
  { message_id, instruction_id }: { message_id: string; instruction_id: string },
  decision: PolicyDecision = 'allow',
  nodeId: string = NODE,
): Promise<MessageClaimResponse> {
  const approval = decision === 'ask' ? { approval: APPROVAL } : {};
  const instructions = [{ instruction_id, policy: { decision, rule: 'a rule' }, ...approval }];
  return conductor.act<MessageClaimResponse>(`/v1/messages/${message_id}/claim`, { instructions }, nodeId);
}

/** The node runs its next call. */
export async function runNext(conductor: Conductor, result: Record<string, unknown> = {}) {
  const next = await nextCall(conductor);
  await claim(conductor, next);
  await conductor.result(next.instruction_id, result);
  return next;
}

export async function statusOf(instructionId: unknown): Promise<string | undefined> {
  const rows = await rowsOf<{ status: string }>(
    'SELECT status FROM instructions WHERE instruction_id = ?',
    instructionId,
  );
  return rows[0]?.status;
}

export async function eventually<T>(read: () => Promise<T | undefined>): Promise<T> {
  for (let attempt = 0; attempt < 2_000; attempt += 1) {
    const found = await read();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('it did not happen');
}
