import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { CLOSE } from '../../../schema/contracts/channel-frames.ts';
import type { Token, TokenCreated } from '../../../schema/contracts/tokens.ts';
import { rowsOf, TestEdge } from '../support/edge.ts';

const edge = new TestEdge();
const DAY_MS = 86_400_000;

async function storedText(): Promise<string> {
  const tables = ['tokens', 'audit', 'event_batches', 'idempotency_keys', 'outbox_marks'];
  const rows = await Promise.all(tables.map((table) => rowsOf(`SELECT * FROM ${table}`)));
  return JSON.stringify(rows);
}

describe('a token', () => {
  it('a secret is shown once and never stored, not even for a repeat', async () => {
    const body = { role: 'readonly', subject: 'a screen' };
    const headers = { 'idempotency-key': 'make-the-screen' };
    const first = await edge.data<TokenCreated>('POST', '/v1/tokens', { body, headers });
    const again = await edge.data<TokenCreated>('POST', '/v1/tokens', { body, headers });
    expect(again).toEqual(first);
    expect(await storedText()).not.toContain(first.token);
    const { items } = await edge.data<{ items: Token[] }>('GET', '/v1/tokens?role=readonly');
    expect(items).toContainEqual(expect.objectContaining({ token_id: first.token_id, subject: 'a screen' }));
    expect(JSON.stringify(items)).not.toContain('token_hash');
    expect(await edge.call('GET', '/v1/leader', { token: first.token })).toMatchObject({ status: 200 });
  });

  it('a token names a node exactly when its role is one of nodes', async () => {
    for (const role of ['controller', 'worker']) {
      expect(await edge.error('POST', '/v1/tokens', { body: { role, subject: 'x' } })).toMatchObject({
        error: 'invalid_request',
        details: { field: 'controller_id' },
      });
    }
    const body = { role: 'ops_admin', subject: 'x', controller_id: 'mini-main' };
    expect(await edge.error('POST', '/v1/tokens', { body })).toMatchObject({ details: { field: 'controller_id' } });
  });

  it('a token expires', async () => {
    const { token } = await edge.mint('readonly', { expires_in_ms: DAY_MS });
    edge.now += DAY_MS - 1;
    expect((await edge.call('GET', '/v1/leader', { token })).status).toBe(200);
    edge.now += 1;
    expect(await edge.error('GET', '/v1/leader', { token })).toMatchObject({ status: 401, error: 'expired_token' });
  });

  it('a rotated token has a new secret, and the old one is refused', async () => {
    const { token: old, token_id } = await edge.mint('readonly');
    const { token, ...rest } = await edge.data<TokenCreated>('POST', `/v1/tokens/${token_id}/rotate`, { body: {} });
    expect(rest).toMatchObject({ token_id, subject: 'a readonly' });
    expect(await edge.error('GET', '/v1/leader', { token: old })).toMatchObject({ error: 'unknown_token' });
    expect((await edge.call('GET', '/v1/leader', { token })).status).toBe(200);
  });

  it('an expired token is rotated only with a new expiry', async () => {
    const { token_id } = await edge.mint('readonly', { expires_in_ms: 1_000 });
    edge.now += 1_000;
    expect(await edge.error('POST', `/v1/tokens/${token_id}/rotate`)).toMatchObject({ error: 'conflict' });
    const { expires_at } = await edge.data<TokenCreated>('POST', `/v1/tokens/${token_id}/rotate`, {
      body: { expires_in_ms: DAY_MS },
    });
    expect(expires_at).toBe(edge.now + DAY_MS);
  });

  it('a revoked token stays revoked', async () => {
    const { token, token_id } = await edge.mint('readonly');
    const { revoked_at } = await edge.data<Token>('DELETE', `/v1/tokens/${token_id}`);
    edge.now += 5;
    expect((await edge.data<Token>('DELETE', `/v1/tokens/${token_id}`)).revoked_at).toBe(revoked_at);
    expect(await edge.error('GET', '/v1/leader', { token })).toMatchObject({ error: 'revoked_token' });
    expect(await edge.error('POST', `/v1/tokens/${token_id}/rotate`)).toMatchObject({ error: 'conflict' });
  });

  it('a token records its last use to the minute', async () => {
    const { token, token_id } = await edge.mint('readonly');
    const lastUse = async () =>
      (await rowsOf<{ last_used_at: number }>('SELECT last_used_at FROM tokens WHERE token_id = ?', token_id))[0]
        ?.last_used_at;
    const first = edge.now;
    await edge.call('GET', '/v1/leader', { token });
    edge.now += 30_000;
    await edge.call('GET', '/v1/leader', { token });
    expect(await lastUse()).toBe(first);
    edge.now += 30_001;
    await edge.call('GET', '/v1/leader', { token });
    expect(await lastUse()).toBe(edge.now);
  });

  it('an unknown token id is not found', async () => {
    const id = `tok_${'0'.repeat(26)}`;
    expect(await edge.error('DELETE', `/v1/tokens/${id}`)).toMatchObject({ status: 404, error: 'token_not_found' });
    expect(await edge.error('DELETE', '/v1/tokens/nonsense')).toMatchObject({
      status: 400,
      details: { in: 'path', field: 'token_id' },
    });
  });
});

describe('the channel of a node', () => {
  async function open(token: string) {
    const { webSocket } = await edge.fetch('/v1/controllers/mini-main/channel', {
      headers: { upgrade: 'websocket', authorization: `Bearer ${token}` },
    });
    if (!webSocket) throw new Error('no socket');
    const closed = new Promise<number>((resolve) => webSocket.addEventListener('close', ({ code }) => resolve(code)));
    webSocket.accept();
    return { closed };
  }

  it.each([
    ['revoked', (id: string) => edge.data('DELETE', `/v1/tokens/${id}`)],
    ['rotated', (id: string) => edge.data('POST', `/v1/tokens/${id}/rotate`, { body: {} })],
  ])('the channel of a node closes when its token is %s', async (_how, end) => {
    const { token, token_id } = await edge.mint('controller');
    const { closed } = await open(token);
    await end(token_id);
    expect(await closed).toBe(CLOSE.token);
  });
});

describe('the token of a browser', () => {
  it.each([
    ['revoked', (id: string) => edge.data('DELETE', `/v1/tokens/${id}`)],
    ['rotated', (id: string) => edge.data('POST', `/v1/tokens/${id}/rotate`, { body: {} })],
  ])('the node of a browser is notified when its token is %s', async (_how, end) => {
    const { token } = await edge.mint('controller');
    const node = 'mini-main';
    const body = { connected: true, platforms: [], tabs: [] };
    await edge.data('PUT', `/v1/controllers/${node}/clients/firefox-1`, { token, body });
    const { token_id } = await edge.mint('browser_admin', { subject: 'firefox-1' });
    const { webSocket } = await edge.fetch(`/v1/controllers/${node}/channel`, {
      headers: { upgrade: 'websocket', authorization: `Bearer ${token}` },
    });
    if (!webSocket) throw new Error('no socket');
    const { promise: notice, resolve } = Promise.withResolvers<unknown>();
    const acknowledged = new Promise<void>((greeted) => {
      webSocket.addEventListener('message', ({ data }) => {
        const frame = JSON.parse(String(data)) as { type: string; hold?: boolean };
        if (frame.type === 'hello_ack') greeted();
        if (frame.type === 'changed') resolve(frame);
      });
    });
    webSocket.accept();
    const identity = { controller_id: node, host: 'h', role: 'standby', preferred: false, priority: 1, version: '1' };
    const boot = { boot_id: 'boot_1', mode_version: 0, term: 0 };
    webSocket.send(JSON.stringify({ type: 'hello', ...identity, ...boot }));
    await acknowledged;
    await end(token_id);
    expect(await notice).toEqual({ type: 'changed', topic: 'tokens', ids: ['firefox-1'] });
    webSocket.close();
  });
});

describe('failed authentication', () => {
  const from = (address: string, token: string) =>
    edge.call('GET', '/v1/leader', { token, headers: { 'cf-connecting-ip': address } });

  it('failed attempts are limited per address, and a valid token is still accepted', async () => {
    let limited = await from('198.51.100.1', 'baa_guess-number-one');
    for (let tries = 0; limited.status === 401 && tries < 300; tries += 1) {
      limited = await from('198.51.100.1', `baa_guess-number-${tries}`);
    }
    expect(limited.status).toBe(429);
    expect(JSON.parse(limited.text)).toMatchObject({ error: 'rate_limited' });
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await from('198.51.100.1', env.BAA_BOOTSTRAP_TOKEN)).status).toBe(200);
    expect((await from('198.51.100.2', 'baa_another-address')).status).toBe(401);
  });
});
