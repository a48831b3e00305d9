import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { TOOL_NAMES } from '../../../schema/contracts/tools.ts';
import { VERSION } from '../../../schema/version.ts';
import { HASH } from '../instructions/support.ts';
import { Conductor } from '../support/conductor.ts';
import { NODE, rowsOf } from '../support/edge.ts';
import { call, claim, connect, nextCall } from './support.ts';

const conductor = new Conductor();
const { edge } = conductor;
let client: Awaited<ReturnType<typeof connect>>['client'];
beforeAll(async () => {
  await conductor.act('/v1/controllers/heartbeat', { host: 'mini', role: 'primary', priority: 1, status: 'standby' });
  await conductor.heard(NODE);
  client = (await connect(conductor)).client;
});

const OPERATORS = ['approvals_list', 'approve', 'deny', 'cancel', 'conversations_list', 'renewals_list'];
const READING = [
  'describe',
  'status',
  'output_read',
  'tasks_status',
  'approvals_list',
  'conversations_list',
  'renewals_list',
];

describe('the list of tools', () => {
  it('has every tool of chats by its MCP name, and those of an operator', async () => {
    const { tools } = await client.listTools();
    const ofChats = TOOL_NAMES.map((name) => {
      const [target = '', tool = ''] = name.split('::');
      return (target.startsWith('browser.') ? `browser_${tool}` : tool).replaceAll('/', '_');
    });
    const expected = [...new Set([...ofChats, ...OPERATORS])].sort();
    expect(tools.map((tool) => tool.name).sort()).toEqual(expected);
    expect(expected).toContain('files_write');
  });

  it('marks those that change nothing', async () => {
    const { tools } = await client.listTools();
    const reading = tools.filter((tool) => tool.annotations?.readOnlyHint === true).map((tool) => tool.name);
    const onHosts = ['files_read', 'files_list', 'files_search', 'browser_current'];
    expect(reading.sort()).toEqual([...READING, ...onHosts].sort());
  });

  it('names the node and the platform where a call needs one', async () => {
    const { tools } = await client.listTools();
    const Schema = z.looseObject({
      properties: z.record(z.string(), z.unknown()),
      required: z.array(z.string()).default([]),
    });
    const argsOf = (name: string) => Schema.parse(tools.find((tool) => tool.name === name)?.inputSchema);
    expect(Object.keys(argsOf('exec').properties)).toContain('node');
    expect(argsOf('browser_send').required).toEqual(expect.arrayContaining(['platform', 'prompt']));
    expect(argsOf('conversation_mode').required).toEqual(['local_conversation_id', 'mode']);
  });

  it('describes them in neutral words', async () => {
    const { tools } = await client.listTools();
    const texts = [
      JSON.stringify(tools),
      client.getInstructions() ?? '',
      JSON.stringify(await call(client, 'describe')),
    ];
    for (const text of texts) expect(text).not.toMatch(/\b(MUST|ONLY|NEVER|ALWAYS|IMPORTANT)\b/);
  });

  it('offers the role readonly what it may call, and refuses the rest', async () => {
    const reader = (await connect(conductor, { role: 'readonly' })).client;
    expect((await reader.listTools()).tools.map((tool) => tool.name).sort()).toEqual([...READING].sort());
    expect((await call(reader, 'status')).isError).toBe(false);
    const before = await rowsOf('SELECT message_id FROM mcp_calls');
    for (const [name, args] of [
      ['exec', { argv: ['true'] }],
      ['system_pause', {}],
      ['files_read', { path: 'a' }],
    ] as const) {
      expect(await call(reader, name, args)).toMatchObject({ isError: true, data: { error: 'forbidden' } });
    }
    expect(await rowsOf('SELECT message_id FROM mcp_calls')).toEqual(before);
  });
});

describe('what a person has stopped', () => {
  it('is not resumed or drained while a person holds the system paused', async () => {
    await edge.data('POST', '/v1/system/pause', { body: { hold: true } });
    for (const name of ['system_resume', 'system_drain']) {
      expect(await call(client, name)).toMatchObject({
        isError: true,
        data: {
          error: 'forbidden',
          message: expect.stringContaining('conductor resume'),
          details: { reason: 'held_by_a_person' },
        },
      });
    }
    expect((await call(client, 'status')).data.mode).toBe('paused');
    await conductor.mode('resume');
  });

  it('is not started again when a person has paused the conversation', async () => {
    const { local_conversation_id } = await conductor.bring(conductor.message());
    const set = (mode: string) => call(client, 'conversation_mode', { local_conversation_id, mode });
    expect((await set('auto')).data).toMatchObject({ automation_status: 'auto' });
    await conductor.automation(local_conversation_id, 'paused');
    expect(await set('manual')).toMatchObject({ isError: true, data: { error: 'forbidden' } });
    const { data } = await call(client, 'conversations_list', { status: 'paused' });
    expect(data.items).toMatchObject([{ local_conversation_id, pause_reason: 'user_pause' }]);
  });
});

describe('tasks_create', () => {
  const TASK = {
    task_type: 'check',
    title: 'A task',
    goal: 'To see it',
    steps: [{ kind: 'shell', name: 'one', input: { argv: ['true'] } }],
  };

  it('asks by the policy of a node, and once approved creates the task as a person’s, of no chat', async () => {
    const answer = call(client, 'tasks_create', TASK);
    const given = await nextCall(conductor);
    await claim(conductor, given, 'ask');
    const { instruction_id } = given;
    const detail = await edge.data<{ approval: { display: string; approval_hash: string } }>(
      'GET',
      `/v1/instructions/${instruction_id}`,
    );
    expect(detail.approval.display).toContain('step 1 of 1: shell "one", at most 60 min, 2 attempts\nargv: true');
    expect(await rowsOf('SELECT task_id FROM tasks')).toEqual([]);
    const { approval_hash } = detail.approval;
    expect(approval_hash).not.toBe(HASH);
    await edge.data('POST', `/v1/instructions/${instruction_id}/approve`, { body: { approval_hash } });
    await conductor.act(`/v1/instructions/${instruction_id}/run`);
    const { isError, data } = await answer;
    expect(isError).toBe(false);
    const { task_id } = JSON.parse(String(data.output)) as { task_id: string };
    expect((await call(client, 'tasks_status', { task_id })).data).toMatchObject({ task_id, title: 'A task' });
    expect(await rowsOf('SELECT is_persons, local_conversation_id FROM tasks WHERE task_id = ?', task_id)).toEqual([
      { is_persons: 1, local_conversation_id: null },
    ]);
    expect((await call(client, 'tasks_cancel', { task_id })).data).toMatchObject({ status: 'canceled' });
  });
});

describe('the resources', () => {
  it('are the tools in words, the journal of an instruction, and nothing that is not there', async () => {
    const { resources } = await client.listResources();
    expect(resources.map((one) => one.uri)).toEqual(['conductor://tools']);
    const textOf = async (uri: string) => {
      const [content] = (await client.readResource({ uri })).contents;
      return content !== undefined && 'text' in content ? content.text : '';
    };
    expect(await textOf('conductor://tools')).toContain('files_write {');
    const [row] = await rowsOf<{ instruction_id: string }>('SELECT instruction_id FROM instructions LIMIT 1');
    expect(await textOf(`conductor://journal/${row?.instruction_id}`)).toContain('"observed"');
    await expect(async () => textOf('conductor://journal/ins_none')).rejects.toThrow();
    await expect(async () => textOf('conductor://runs/run_none/log')).rejects.toThrow();
  });
});

describe('the server', () => {
  it('has the version of the program', () => {
    expect(client.getServerVersion()).toMatchObject({ name: 'baa-conductor', version: VERSION });
  });
});

describe('the request', () => {
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };

  it('from a page of another origin is refused, with a token too', async () => {
    const headers = { origin: 'https://another.test' };
    expect(await edge.error('POST', '/mcp', { body: ping, headers })).toMatchObject({
      status: 403,
      error: 'forbidden',
      message: expect.stringMatching(/^a request to \/mcp .*https:\/\/edge\.test, not of https:\/\/another\.test$/),
    });
  });

  it('is logged once its tool has ended, with all that the tool read', async () => {
    const before = edge.lines.length;
    const params = { name: 'status', arguments: {} };
    await edge.call('POST', '/mcp', { body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params } });
    const lines = edge.lines.slice(before);
    expect(lines).toMatchObject([{ path: '/mcp', status: 200 }]);
    expect(lines[0]?.queries).toBeGreaterThan(1);
  });

  const malformed: [body: string, id: unknown, code: number][] = [
    ['{"jsonrpc":', null, -32_700],
    [JSON.stringify([ping]), null, -32_600],
    [JSON.stringify({ ...ping, id: null }), null, -32_600],
    [JSON.stringify({ ...ping, id: '' }), '', -32_600],
    [JSON.stringify({ ...ping, id: 1.5 }), 1.5, -32_600],
    [JSON.stringify({ ...ping, more: true }), 1, -32_600],
  ];

  it.each(malformed)('that is no message is an error of JSON-RPC: %s', async (body, id, code) => {
    const reply = await edge.call('POST', '/mcp', { body, headers: { 'content-type': 'application/json' } });
    expect(reply.status).toBe(400);
    const error = { code, message: expect.any(String), data: { error: 'invalid_request' } };
    expect(JSON.parse(reply.text)).toMatchObject({ jsonrpc: '2.0', id, error });
  });

  it('may accept JSON only, and is answered', async () => {
    const reply = await edge.call('POST', '/mcp', { body: ping, headers: { accept: 'application/json' } });
    expect([reply.status, reply.text.includes('"result"')]).toEqual([200, true]);
  });

  it('of a stream or the end of a session is refused: there are no sessions', async () => {
    for (const method of ['GET', 'DELETE']) expect((await edge.call(method, '/mcp')).status).toBe(405);
  });
});
