/** Clients of MCP on a real edge and a real agent: what is theirs alone, and what their leaving ends. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { REPOSITORY } from '../../local-agent/stack/layout.ts';
import type { TestNode } from '../support/cluster.ts';
import { Cluster, until } from '../support/cluster.ts';
import { operatorCommand } from '../support/operator-command.ts';

const MINUTE_MS = 60_000;

let cluster: Cluster;
let node: TestNode;
let workspace: string;
beforeAll(async () => {
  cluster = await Cluster.start();
  node = await cluster.node('mini');
  workspace = join(node.root, 'workspace');
  mkdirSync(workspace, { recursive: true });
  writeFileSync(join(node.root, 'policy.json'), JSON.stringify({ exec: { default: 'allow' } }));
  await node.start();
  await until(async () => (await node.snapshot()).loops.heartbeat);
}, 2 * MINUTE_MS);
afterAll(() => cluster?.stop());

async function connected(transport: StdioClientTransport | StreamableHTTPClientTransport): Promise<Client> {
  const client = new Client({ name: 'a test', version: '1' });
  await client.connect(transport);
  onTestFinished(() => client.close());
  return client;
}

function mcpCommand(edgeUrl = cluster.stack.edgeUrl) {
  return {
    command: process.execPath,
    args: [join(REPOSITORY, 'local-agent/cli.ts'), 'mcp', '--control-api-base', edgeUrl],
    env: { BAA_ROOT: node.root, BAA_OPERATOR_TOKEN: cluster.operatorToken },
  };
}

/** The client of a `conductor mcp` of its own, all with the operator token of the same root. */
function overCommand(edgeUrl = cluster.stack.edgeUrl): Promise<Client> {
  return connected(new StdioClientTransport({ ...mcpCommand(edgeUrl), stderr: 'inherit' }));
}

function overHttp(): Promise<Client> {
  const requestInit = { headers: { authorization: `Bearer ${cluster.operatorToken}` } };
  return connected(new StreamableHTTPClientTransport(new URL('/mcp', cluster.stack.edgeUrl), { requestInit }));
}

/** A program that notes its start, and ends when the test says so. */
function slow(name: string) {
  const script = `echo ran >> ${name}; until [ -e ${name}.go ]; do sleep 0.05; done; echo over`;
  const file = (suffix = '') => join(workspace, `${name}${suffix}`);
  return {
    call: { name: 'exec', arguments: { argv: ['sh', '-c', script] } },
    starts: () => until(async () => existsSync(file())),
    letEnd: () => writeFileSync(file('.go'), ''),
    runs: () => readFileSync(file(), 'utf8').split('\n').length - 1,
  };
}

describe('a client of `conductor mcp`', () => {
  it('gets no result of an earlier one with the same token, that numbers its requests alike', async () => {
    const look = { name: 'exec', arguments: { argv: ['cat', 'edited.txt'] } };
    const results: unknown[] = [];
    for (const content of ['before an edit', 'after an edit']) {
      writeFileSync(join(workspace, 'edited.txt'), content);
      const client = await overCommand();
      const { structuredContent } = await client.callTool(look);
      await client.close();
      results.push(structuredContent);
    }
    expect(results).toMatchObject([{ output: 'before an edit' }, { output: 'after an edit' }]);
    expect(results[1]).not.toHaveProperty('repeated');
  });

  it('has one effect when its connection to the edge is lost', async () => {
    const program = slow('lost');
    const client = await overCommand(node.proxy.url);
    const answer = client.callTool(program.call);
    await program.starts();
    node.proxy.cut('hard');
    node.proxy.heal();
    program.letEnd();
    expect((await answer).structuredContent).toMatchObject({ status: 'succeeded', output: 'over\n', repeated: true });
    expect(program.runs()).toBe(1);
  });

  it('gets the answer to a call behind which it has ended its input', async () => {
    const { command, args, env } = mcpCommand();
    const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
    const params = { name: 'exec', arguments: { argv: ['echo', 'the last call'] } };
    child.stdin.end(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }));
    expect(JSON.parse(await text(child.stdout))).toMatchObject({
      id: 1,
      result: { structuredContent: { status: 'succeeded', output: 'the last call\n' } },
    });
  });

  it('is served under the policy of the host, and the journal of the node has the call', async () => {
    const client = await overCommand();
    const call = { path: 'through-mcp', content: 'x', node: node.id };
    const { structuredContent } = await client.callTool({ name: 'files_write', arguments: call });
    expect(structuredContent).toMatchObject({ status: 'succeeded', node: node.id });
    expect(readFileSync(join(workspace, 'through-mcp'), 'utf8')).toBe('x');
    const denied = await client.callTool({ name: 'files_read', arguments: { path: '/etc/passwd' } });
    expect(denied.isError).toBe(true);
    const { out } = await operatorCommand(cluster, node, 'journal', 'export');
    expect(out).toContain(`"instruction_id":"${(structuredContent as { instruction_id: string }).instruction_id}"`);
    expect(await operatorCommand(cluster, node, 'journal', 'verify')).toMatchObject({ code: 0 });
  });
});

describe('a call', () => {
  const leavings: [how: string, (client: Client, request: AbortController) => Promise<void> | void][] = [
    ['cancelled', (_client, request) => request.abort('the person has changed their mind')],
    ['disconnected', (client) => client.close()],
  ];

  it.each(leavings)(
    'whose client has gone runs to its end, once, and the same call sent again gets its result (%s)',
    async (how, leave) => {
      const program = slow(how);
      const call = { ...program.call, _meta: { operation_id: how } };
      const client = await overHttp();
      const request = new AbortController();
      const refused = expect(async () => client.callTool(call, { signal: request.signal })).rejects.toThrow();
      await program.starts();
      await leave(client, request);
      await refused;
      program.letEnd();
      const again = await (await overHttp()).callTool(call);
      expect(again.structuredContent).toMatchObject({ status: 'succeeded', output: 'over\n', repeated: true });
      expect(program.runs()).toBe(1);
    },
  );
});
