import type { JSONRPCMessage } from '@modelcontextprotocol/server';
import { describe, expect, it } from 'vitest';
import { McpBridge } from '../../../../local-agent/commands/mcp-bridge.ts';

const PING: JSONRPCMessage = { jsonrpc: '2.0', id: 1, method: 'ping' };
const PONG = { jsonrpc: '2.0', id: 1, result: {} };
const CALL: JSONRPCMessage = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'exec', arguments: {} } };

interface Sent {
  body: unknown;
  headers: Headers;
}

/** A bridge to an edge that gives these responses, one for each request; an error is a lost connection. */
function bridgeTo(...responses: (Response | Error)[]) {
  const sent: Sent[] = [];
  const received: unknown[] = [];
  const warnings: string[] = [];
  const bridge = new McpBridge({
    url: new URL('http://edge/mcp'),
    token: 'a-token',
    retryMs: 0,
    warn: (line) => void warnings.push(line),
    send: async (message) => void received.push(message),
    fetch: async (_url, init) => {
      sent.push({ body: JSON.parse(String(init?.body)), headers: new Headers(init?.headers) });
      const response = responses.shift();
      if (response === undefined || response instanceof Error) throw response ?? new Error('no more responses');
      return response;
    },
  });
  return { bridge, sent, received, warnings };
}

function stream(...messages: unknown[]): Response {
  const text = messages.map((message) => `event: message\ndata: ${JSON.stringify(message)}\n\n`).join('');
  return new Response(text, { headers: { 'content-type': 'text/event-stream' } });
}

describe('the bridge of MCP', () => {
  it('passes a message on with its token, and an answer in JSON back', async () => {
    const { bridge, sent, received } = bridgeTo(Response.json(PONG));
    await bridge.forward(PING);
    expect(sent[0]?.body).toEqual(PING);
    expect(sent[0]?.headers.get('authorization')).toBe('Bearer a-token');
    expect(received).toEqual([PONG]);
  });

  it('passes every message of a stream back in order', async () => {
    const progress = { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 1, progress: 1 } };
    const { bridge, received } = bridgeTo(stream(progress, PONG));
    await bridge.forward(PING);
    expect(received).toEqual([progress, PONG]);
  });

  it('sends a notification, which has no answer, once', async () => {
    const { bridge, sent, received } = bridgeTo(new Response(null, { status: 202 }));
    await bridge.forward({ jsonrpc: '2.0', method: 'notifications/initialized' });
    expect([sent.length, received]).toEqual([1, []]);
  });

  it('sends a request again as it was when its response breaks off, and when there is none', async () => {
    for (const broken of [stream(), new Error('lost')]) {
      const { bridge, sent, received } = bridgeTo(broken, stream(PONG));
      await bridge.forward(CALL);
      expect(sent[0]?.body).toMatchObject(CALL);
      expect(sent[1]?.body).toEqual(sent[0]?.body);
      expect(received).toEqual([PONG]);
    }
  });

  it('gives each call of a tool an operation id of its own, and leaves that of a client', async () => {
    const { bridge, sent } = bridgeTo(stream(PONG), stream(PONG), stream(PONG));
    const _meta = { operation_id: 'a name', progressToken: 3 };
    for (const params of [{ name: 'exec' }, { name: 'exec' }, { name: 'exec', _meta }]) {
      await bridge.forward({ ...CALL, params });
    }
    const metas = sent.map(({ body }) => (body as { params: { _meta: { operation_id: string } } }).params._meta);
    expect(new Set(metas.map(({ operation_id }) => operation_id)).size).toBe(3);
    expect(metas[0]).toEqual({ operation_id: expect.any(String) });
    expect(metas[2]).toEqual(_meta);
  });

  it('answers with an error when the edge cannot be reached', async () => {
    const { bridge, received, warnings } = bridgeTo(new Error('lost'), new Error('lost'));
    await bridge.forward(CALL);
    const message = expect.stringContaining('http://edge cannot be reached');
    expect(received).toEqual([{ jsonrpc: '2.0', id: 1, error: { code: -32_000, message } }]);
    expect(warnings).toHaveLength(1);
  });

  it('answers with the refusal of the edge, and does not repeat the request', async () => {
    const refusal = {
      ok: false,
      request_id: 'r',
      error: 'revoked_token',
      message: 'this token was revoked',
      details: {},
    };
    const { bridge, sent, received } = bridgeTo(Response.json(refusal, { status: 401 }));
    await bridge.forward(PING);
    const error = { code: -32_000, message: 'revoked_token: this token was revoked' };
    expect(received).toEqual([{ jsonrpc: '2.0', id: 1, error }]);
    expect(sent).toHaveLength(1);
  });

  it('waits for the answers that are open, for a bounded time', async () => {
    const { bridge, received } = bridgeTo(stream(PONG));
    void bridge.forwardLine(JSON.stringify(PING));
    await bridge.answered(60_000);
    expect(received).toEqual([PONG]);
    const { bridge: stuck } = bridgeTo(new Response(new ReadableStream(), { headers: stream().headers }));
    void stuck.forwardLine(JSON.stringify(PING));
    await stuck.answered(1);
  });

  const error = { code: -32_600, message: expect.stringContaining('id') };
  const malformed: [what: string, line: string, answers: unknown[]][] = [
    ['a text that is not JSON', '{"jsonrpc"', []],
    ['a batch', JSON.stringify([PING]), []],
    ['an id that is not a whole number', JSON.stringify({ ...PING, id: 1.5 }), [{ jsonrpc: '2.0', id: 1.5, error }]],
  ];

  it.each(malformed)(
    'says in a line that the client sent %s, and answers where there is an id',
    async (_what, line, answers) => {
      const { bridge, sent, received, warnings } = bridgeTo();
      await bridge.forwardLine(line);
      expect(received).toEqual(answers);
      expect([sent, warnings.length, warnings.join().includes('\n')]).toEqual([[], 1, false]);
    },
  );

  it('repeats the revision, method and name of a message that names its revision', async () => {
    const { bridge, sent } = bridgeTo(stream(PONG));
    const _meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };
    await bridge.forward({ ...CALL, params: { name: 'exec', _meta } });
    const names = ['mcp-protocol-version', 'mcp-method', 'mcp-name'];
    expect(names.map((name) => sent[0]?.headers.get(name))).toEqual(['2026-07-28', 'tools/call', 'exec']);
  });
});
