import { once } from 'node:events';
import type { RequestOptions } from 'node:http';
import { request } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LogLimit } from '../../../../local-agent/lib/log-limit.ts';
import { RateLimiter } from '../../../../local-agent/lib/rate-limit.ts';
import { isOwnHost, parseLocalApi } from '../../../../local-agent/local-api/address.ts';
import type { LocalRoute } from '../../../../local-agent/local-api/app.ts';
import type { LocalApi, LocalApiDeps } from '../../../../local-agent/local-api/server.ts';
import { startLocalApi } from '../../../../local-agent/local-api/server.ts';
import { BRIDGE } from '../../../../schema/defaults.ts';
import { BridgeFixture, ORIGIN, SHARED_TOKEN } from '../bridge/fixture.ts';

/** Sends what fetch does not let through: forbidden headers, odd request targets, a body in chunks. */
async function send(api: { url: string }, options: RequestOptions, ...chunks: string[]) {
  const { hostname, port } = new URL(api.url);
  const headers = { authorization: `Bearer ${SHARED_TOKEN}`, ...options.headers };
  const sent = request({ hostname, port, path: '/v1/status', ...options, headers });
  const responded = once(sent, 'response');
  for (const chunk of chunks) sent.write(chunk);
  sent.end();
  const [response] = await responded;
  const text: string = (await response.setEncoding('utf8').toArray()).join('');
  return { status: response.statusCode, headers: response.headers, text };
}

const statusFor = async (api: { url: string }, headers: Record<string, string>, path = '/v1/status') =>
  (await send(api, { headers, path })).status;

/** Before anything has started. */
const NATIVE = { Request: globalThis.Request, Response: globalThis.Response };

const logged: unknown[][] = [];
const log = { warn: () => undefined, error: (...entry: unknown[]) => void logged.push(entry) };
const deps = {
  address: 'http://127.0.0.1:0',
  sharedToken: SHARED_TOKEN,
  routes: [],
  onUpgrade: () => undefined,
  newRequestId: () => 'req-new',
  failures: new RateLimiter({ perSec: 1, burst: 20 }, () => 0),
  refusals: new LogLimit(new RateLimiter({ perSec: 1, burst: 20 }, () => 0)),
  log,
};

/** A local API with these routes and nothing behind it. */
async function start(routes: LocalRoute[], over: Partial<LocalApiDeps> = {}): Promise<LocalApi> {
  const api = await startLocalApi({ ...deps, routes, ...over });
  onTestFinished(() => api.close());
  return api;
}
const echo: LocalRoute = { method: 'POST', path: '/v1/echo', run: ({ body }) => body };

describe('the local API', () => {
  it('GET /healthz responds with the text ok, without a token', async () => {
    const agent = await BridgeFixture.start();
    const response = await fetch(`${agent.url}/healthz`);
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      200,
      'text/plain',
      'ok',
    ]);
  });

  it('GET /v1/status responds with the runtime snapshot in the envelope, under the caller’s request id', async () => {
    const agent = await BridgeFixture.start();
    const headers = { authorization: `Bearer ${SHARED_TOKEN}`, 'x-request-id': 'my-id' };
    const response = await fetch(`${agent.url}/v1/status`, { headers });
    expect(response.headers.get('x-request-id')).toBe('my-id');
    expect(await response.json()).toEqual({ ok: true, request_id: 'my-id', data: { state: 'leader' } });
  });

  it.each([
    ['no token', {}, 401, 'missing_token'],
    ['another scheme', { authorization: 'Basic abc' }, 401, 'invalid_token'],
    ['a wrong token', { authorization: `Bearer ${SHARED_TOKEN}x` }, 401, 'unknown_token'],
  ])('a request with %s is refused', async (_what, headers, status, error) => {
    const agent = await BridgeFixture.start();
    const response = await fetch(`${agent.url}/v1/status`, { headers });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ ok: false, error });
  });

  it('a request from a web page is refused even with the right token', async () => {
    const agent = await BridgeFixture.start();
    expect(await statusFor(agent, { origin: 'https://chatgpt.com' })).toBe(403);
    expect(await statusFor(agent, { origin: ORIGIN }, '/healthz')).toBe(403);
  });

  it('a request is refused unless its Host is a loopback name with the server’s port', async () => {
    const agent = await BridgeFixture.start();
    const { port } = new URL(agent.url);
    expect(await statusFor(agent, { host: `rebound.example:${port}` })).toBe(403);
    expect(await statusFor(agent, { host: 'localhost:1' })).toBe(403);
    expect(await statusFor(agent, { host: `localhost:${port}` })).toBe(200);
    expect(await statusFor(agent, { host: `[::1]:${port}` })).toBe(200);
  });

  it('the error for a bad body names the field, and nothing is stored', async () => {
    const agent = await BridgeFixture.start();
    const body = { origin: 'https://chatgpt.com', client_id: 'firefox-1', token: 'x'.repeat(20) };
    const response = await agent.http('POST', '/v1/pairings', body);
    expect(response).toMatchObject({ status: 400, json: { error: 'invalid_request', details: { field: 'origin' } } });
    expect(agent.store.pairings.list()).toEqual([]);
  });

  it.each([
    ['an unknown path', 'GET', '/v1/nothing', undefined, 404, 'not_found'],
    ['a wrong method', 'GET', '/v1/pairings', undefined, 405, 'method_not_allowed'],
    ['an unknown field', 'POST', '/v1/pairing', { minutes: 60 }, 400, 'invalid_request'],
    ['a wrong query', 'GET', '/v1/pairing?wait_ms=soon', undefined, 400, 'invalid_request'],
    [
      'an oversized body',
      'POST',
      '/v1/pairings',
      { origin: 'x'.repeat(BRIDGE.max_body_bytes) },
      413,
      'payload_too_large',
    ],
  ])('a request with %s gets its error code', async (_what, method, path, body, status, error) => {
    const agent = await BridgeFixture.start();
    expect(await agent.http(method, path, body)).toMatchObject({ status, json: { error } });
  });

  it('too many wrong tokens get 429, while the right token still passes', async () => {
    const agent = await BridgeFixture.start();
    const guess = () => agent.http('GET', '/v1/status', undefined, { authorization: 'Bearer guess' });
    const statuses = [];
    for (let n = 0; n <= BRIDGE.auth_failures_per_min; n += 1) statuses.push((await guess()).status);
    expect(statuses.slice(0, -1).every((status) => status === 401)).toBe(true);
    expect(statuses.at(-1)).toBe(429);
    expect(await agent.http('GET', '/v1/status')).toMatchObject({ status: 200 });
    agent.clock.advance(60_000 / BRIDGE.auth_failures_per_min);
    expect(await guess()).toMatchObject({ status: 401 });
  });

  it('GET /v1/browser responds with the browsers and the pacing of their deliveries', async () => {
    const agent = await BridgeFixture.start();
    const client = await agent.browser();
    const { json } = await agent.http('GET', '/v1/browser');
    expect(json).toMatchObject({
      data: {
        clients: [{ client_id: 'firefox-1', origin: ORIGIN, connected: true }],
        policy: { defaults: { breaker_failures: 5, per_platform_in_flight: 2 }, targets: [] },
      },
    });
    await client.close();
  });
});

describe('a request body', () => {
  it('a body in chunks is read like one with a length', async () => {
    const api = await start([echo]);
    const { text } = await send(api, { method: 'POST', path: '/v1/echo' }, '{"a":', '1}');
    expect(JSON.parse(text)).toMatchObject({ ok: true, data: { a: 1 } });
  });

  it('a body in chunks is refused beyond the limit, and the connection is closed', async () => {
    const api = await start([echo]);
    const chunk = 'x'.repeat(BRIDGE.max_body_bytes / 2 + 1);
    const { status, headers, text } = await send(api, { method: 'POST', path: '/v1/echo' }, chunk, chunk);
    expect([status, headers.connection, JSON.parse(text).error]).toEqual([413, 'close', 'payload_too_large']);
  });

  it('a missing body counts as an empty object, and one that is not JSON is refused', async () => {
    const api = await start([echo]);
    const empty = await send(api, { method: 'POST', path: '/v1/echo' });
    expect(JSON.parse(empty.text)).toMatchObject({ ok: true, data: {} });
    const broken = await send(api, { method: 'POST', path: '/v1/echo' }, '{');
    expect(JSON.parse(broken.text)).toMatchObject({ error: 'invalid_request', details: { field: 'body' } });
  });

  it('a body that nests too deep is refused, and one that is compressed or in another charset is 415', async () => {
    const api = await start([echo]);
    const post = { method: 'POST', path: '/v1/echo' };
    const deep = await send(api, post, `{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}`);
    expect(JSON.parse(deep.text)).toMatchObject({
      error: 'invalid_request',
      details: { field: expect.stringMatching(/^a\.0/) },
    });
    for (const headers of [{ 'content-encoding': 'gzip' }, { 'content-type': 'application/json; charset=utf-16' }]) {
      const { status, text } = await send(api, { ...post, headers }, '{}');
      expect([status, JSON.parse(text).error]).toEqual([415, 'unsupported_media_type']);
    }
  });

  it('a body is not read before the token is checked', async () => {
    const api = await start([echo]);
    const headers = { authorization: 'Bearer guess' };
    const { status } = await send(
      api,
      { method: 'POST', path: '/v1/echo', headers },
      'x'.repeat(BRIDGE.max_body_bytes + 1),
    );
    expect(status).toBe(401);
  });
});

describe('a request that fails', () => {
  it('an unexpected failure is logged in full and sent without its message or stack', async () => {
    const run = () => {
      throw new Error('the secret path /srv/x');
    };
    const api = await start([{ method: 'GET', path: '/v1/status', run }]);
    logged.length = 0;
    const { status, text } = await send(api, { headers: { 'x-request-id': 'mine' } });
    expect(status).toBe(500);
    expect(JSON.parse(text)).toEqual({
      ok: false,
      request_id: 'mine',
      error: 'internal',
      message: 'something went wrong in the agent',
      details: {},
    });
    expect(logged).toEqual([[{ err: expect.any(Error), request_id: 'mine' }, expect.any(String)]]);
  });

  it('a wrong method is refused with the methods that the path takes', async () => {
    const api = await start([echo, { method: 'GET', path: '/v1/echo', run: () => 1 }]);
    const { status, headers } = await send(api, { method: 'DELETE', path: '/v1/echo', headers: { authorization: '' } });
    expect([status, headers.allow]).toEqual([405, 'POST, GET, HEAD']);
  });

  it.each([
    ['an absolute URL', { path: 'http://127.0.0.1/v1/status' }],
    ['a backslash', { path: '/v1\\status' }],
    ['a Host header that is no host', { headers: { host: '127.0.0.1@evil.example' } }],
  ])('a request with %s is refused and does not reach its route', async (_what, options) => {
    const api = await start([{ method: 'GET', path: '/v1/status', run: () => 1 }]);
    const { status, text, headers } = await send(api, options);
    expect([400, 403]).toContain(status);
    expect(JSON.parse(text)).toMatchObject({ ok: false, request_id: headers['x-request-id'] });
  });
});

describe('the connections of the local API', () => {
  /** A route that responds only when its caller has gone. */
  function waiting() {
    const { promise: called, resolve: call } = Promise.withResolvers<void>();
    const { promise: aborted, resolve: abort } = Promise.withResolvers<void>();
    const run = async ({ signal }: { signal: AbortSignal }) => {
      signal.addEventListener('abort', () => abort());
      call();
      await aborted;
    };
    return { called, aborted, route: { method: 'GET', path: '/v1/wait', run } satisfies LocalRoute };
  }

  it('a route is aborted when its caller disconnects', async () => {
    const { route, called, aborted } = waiting();
    const api = await start([route]);
    const caller = new AbortController();
    const headers = { authorization: `Bearer ${SHARED_TOKEN}` };
    const gone = fetch(`${api.url}/v1/wait`, { headers, signal: caller.signal }).catch(() => 'gone');
    await called;
    caller.abort();
    await aborted;
    expect(await gone).toBe('gone');
  });

  it('close ends an open request and frees the port', async () => {
    const { route, called } = waiting();
    const api = await startLocalApi({ ...deps, routes: [route] });
    const lost = send(api, { path: '/v1/wait' }).catch((error: NodeJS.ErrnoException) => error.code);
    await called;
    await api.close();
    expect(await lost).toBe('ECONNRESET');
    await (await startLocalApi({ ...deps, address: api.url })).close();
  });

  it('Node’s own Request and Response stay global', async () => {
    await start([]);
    expect(globalThis.Request).toBe(NATIVE.Request);
    expect(globalThis.Response).toBe(NATIVE.Response);
  });
});

describe('the address of the local API', () => {
  it.each([
    'http://0.0.0.0:4317',
    'http://192.168.1.2:4317',
    'https://127.0.0.1:4317',
    'http://127.0.0.1.example.com',
    '',
    'nonsense',
  ])('the local API does not start on %j and says in one line what to set', async (address) => {
    await expect(startLocalApi({ ...deps, address })).rejects.toThrow(
      /^BAA_CONDUCTOR_LOCAL_API is .* must be http:\/\/ on [^\n]*$/,
    );
  });

  it('the local API says in one line that its port is taken', async () => {
    const agent = await BridgeFixture.start();
    await expect(startLocalApi({ ...deps, address: agent.url })).rejects.toThrow(
      `${agent.url} is in use by another program`,
    );
  });

  it.each([null, '', 'replace-me'])(
    'a node with the token %j refuses every route but /healthz',
    async (sharedToken) => {
      const api = await start([{ method: 'GET', path: '/v1/status', run: () => 1 }], { sharedToken });
      const { status, text } = await send(api, {});
      expect([status, JSON.parse(text).error]).toEqual([503, 'auth_not_configured']);
      expect((await send(api, { path: '/healthz' })).status).toBe(200);
    },
  );

  it('a Host header is ours only with a loopback name and the port, spelt as itself', () => {
    expect(parseLocalApi('http://[::1]:4317')).toEqual({ hostname: '::1', port: 4317 });
    expect(isOwnHost('LOCALHOST:4317', 4317)).toBe(true);
    for (const host of [
      undefined,
      '',
      'localhost',
      '127.0.0.1@evil.example:4317',
      '127.1:4317',
      '2130706433:4317',
      'localhost:4317/x',
    ]) {
      expect(isOwnHost(host, 4317)).toBe(false);
    }
  });
});
