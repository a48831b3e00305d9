import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { RateLimiter } from '../../../../local-agent/lib/rate-limit.ts';
import { isOwnHost, parseLocalApi } from '../../../../local-agent/local-api/address.ts';
import { startLocalApi } from '../../../../local-agent/local-api/server.ts';
import { BRIDGE } from '../../../../schema/defaults.ts';
import { BridgeFixture, ORIGIN, SHARED_TOKEN } from '../bridge/fixture.ts';

/** A request with headers that fetch does not let through. */
function raw(agent: BridgeFixture, headers: Record<string, string>, path = '/v1/status'): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const url = new URL(path, agent.url);
    const authorization = `Bearer ${SHARED_TOKEN}`;
    const sent = request(url, { headers: { authorization, ...headers } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on('error', reject);
    sent.end();
  });
}

describe('the local API', () => {
  it('answers /healthz without a token, as text', async () => {
    const agent = await BridgeFixture.start();
    const response = await fetch(`${agent.url}/healthz`);
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      200,
      'text/plain',
      'ok',
    ]);
  });

  it('shows the runtime’s snapshot in the envelope, under the caller’s request id', async () => {
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
  ])('refuses %s', async (_what, headers, status, error) => {
    const agent = await BridgeFixture.start();
    const response = await fetch(`${agent.url}/v1/status`, { headers });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ ok: false, error });
  });

  it('refuses a page, whatever token it has', async () => {
    const agent = await BridgeFixture.start();
    expect(await raw(agent, { origin: 'https://chatgpt.com' })).toBe(403);
    expect(await raw(agent, { origin: ORIGIN }, '/healthz')).toBe(403);
  });

  it('refuses a Host that is not a loopback name with its port', async () => {
    const agent = await BridgeFixture.start();
    const { port } = new URL(agent.url);
    expect(await raw(agent, { host: `rebound.example:${port}` })).toBe(403);
    expect(await raw(agent, { host: 'localhost:1' })).toBe(403);
    expect(await raw(agent, { host: `localhost:${port}` })).toBe(200);
    expect(await raw(agent, { host: `[::1]:${port}` })).toBe(200);
  });

  it('names the field of a bad body and changes nothing', async () => {
    const agent = await BridgeFixture.start();
    const body = { origin: 'https://chatgpt.com', client_id: 'firefox-1', token: 'x'.repeat(20) };
    const answer = await agent.http('POST', '/v1/pairings', body);
    expect(answer).toMatchObject({ status: 400, json: { error: 'invalid_request', details: { field: 'origin' } } });
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
  ])('answers %s with its code', async (_what, method, path, body, status, error) => {
    const agent = await BridgeFixture.start();
    expect(await agent.http(method, path, body)).toMatchObject({ status, json: { error } });
  });

  it('tells whoever fails too often to wait, and lets the right token pass all the same', async () => {
    const agent = await BridgeFixture.start();
    const guess = () => agent.http('GET', '/v1/status', undefined, { authorization: 'Bearer guess' });
    const answers = [];
    for (let n = 0; n <= BRIDGE.auth_failures_per_min; n += 1) answers.push((await guess()).status);
    expect(answers.slice(0, -1).every((status) => status === 401)).toBe(true);
    expect(answers.at(-1)).toBe(429);
    expect(await agent.http('GET', '/v1/status')).toMatchObject({ status: 200 });
    agent.clock.advance(60_000 / BRIDGE.auth_failures_per_min);
    expect(await guess()).toMatchObject({ status: 401 });
  });

  it('shows browsers and the pacing of their deliveries', async () => {
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

describe('where it listens', () => {
  const deps = {
    sharedToken: null,
    routes: [],
    onUpgrade: () => undefined,
    newRequestId: () => 'r',
    failures: new RateLimiter({ perSec: 1, burst: 20 }, () => 0),
    log: { warn() {}, error() {} },
  };

  it.each([
    'http://0.0.0.0:4317',
    'http://192.168.1.2:4317',
    'https://127.0.0.1:4317',
    'http://127.0.0.1.example.com',
    '',
    'nonsense',
  ])('refuses to start on %j, in one line that says what to set', async (address) => {
    await expect(startLocalApi({ ...deps, address })).rejects.toThrow(
      /^BAA_CONDUCTOR_LOCAL_API is .* must be http:\/\/ on [^\n]*$/,
    );
  });

  it('says in one line that its port is taken', async () => {
    const agent = await BridgeFixture.start();
    await expect(startLocalApi({ ...deps, address: agent.url })).rejects.toThrow(
      `${agent.url} is in use by another program`,
    );
  });

  it('answers nothing but its health without a token', async () => {
    const api = await startLocalApi({
      ...deps,
      address: 'http://127.0.0.1:0',
      routes: [{ method: 'GET', path: '/v1/status', run: () => 1 }],
    });
    const response = await fetch(`${api.url}/v1/status`, { headers: { authorization: 'Bearer x' } });
    expect(await response.json()).toMatchObject({ error: 'auth_not_configured' });
    expect(response.status).toBe(503);
    await api.close();
  });

  it('reads addresses and Host headers', () => {
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
