import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { BridgeClient } from '../../../../local-agent/stack/bridge-client.ts';
import { BRIDGE } from '../../../../schema/defaults.ts';
import { BridgeFixture, CLIENT_TOKEN, ORIGIN, STRANGER } from './fixture.ts';

const hello = (change: object = {}): string =>
  JSON.stringify({
    type: 'hello',
    client_id: 'firefox-1',
    browser: 'Firefox 150',
    extension_version: '1.0.0',
    platforms: ['chatgpt'],
    token: CLIENT_TOKEN,
    ...change,
  });

describe('before the upgrade', () => {
  it.each([
    ['a page’s origin', 'https://chatgpt.com'],
    ['no origin', undefined],
    ['an extension that is not paired', STRANGER],
    ['another spelling of a paired origin', ORIGIN.toUpperCase()],
    ['a paired origin with more behind it', `${ORIGIN}.example.com`],
    ['the origin null', 'null'],
  ])('refuses %s with 403', async (_what, origin) => {
    const agent = await BridgeFixture.start();
    await agent.pin();
    const options = { agentUrl: agent.url, ...(origin !== undefined && { origin }) };
    await expect(BridgeClient.connect(options)).rejects.toMatchObject({ status: 403 });
  });

  it.each([
    ['a foreign name', (host: string) => `evil.example:${new URL(`http://${host}`).port}`],
    ['another port', () => '127.0.0.1:1'],
    ['a name that begins like ours', (host: string) => `127.0.0.1.example.com:${new URL(`http://${host}`).port}`],
  ])('refuses the Host of %s with 403', async (_what, foreign) => {
    const agent = await BridgeFixture.start();
    await agent.pin();
    await expect(agent.connect(ORIGIN, { host: foreign(agent.host) })).rejects.toMatchObject({ status: 403 });
  });

  it('takes the loopback name localhost', async () => {
    const agent = await BridgeFixture.start();
    await agent.pin();
    const client = await agent.connect(ORIGIN, { host: agent.host.replace('127.0.0.1', 'localhost') });
    await client.close();
  });

  it('has no WebSocket elsewhere', async () => {
    const agent = await BridgeFixture.start();
    await agent.pin();
    const ws = new WebSocket(`${agent.url.replace('http', 'ws')}/ws/chrome`, { headers: { origin: ORIGIN } });
    const status = await new Promise((resolve) => {
      ws.on('error', () => undefined);
      ws.on('unexpected-response', (_request, response) => resolve(response.statusCode));
    });
    expect(status).toBe(404);
  });
});

describe('the first frame', () => {
  it.each([
    ['not JSON', '{'],
    ['another type', JSON.stringify({ type: 'diagnostic', level: 'info', message: 'hi' })],
    ['a hello without a token', JSON.stringify({ type: 'hello', client_id: 'firefox-1' })],
  ])('closes with 4400 when it is %s', async (_what, text) => {
    const agent = await BridgeFixture.start();
    await agent.pin();
    const client = await agent.connect();
    client.sendText(text);
    expect(await client.closed).toMatchObject({ code: 4400 });
  });

  it.each([
    ['a wrong token', { token: 'another-token-altogether' }],
    ['a client that was never paired', { client_id: 'firefox-9' }],
  ])('closes with 4401 for %s', async (_what, change) => {
    const agent = await BridgeFixture.start();
    await agent.pin();
    const client = await agent.connect();
    client.sendText(hello(change));
    expect(await client.closed).toMatchObject({ code: 4401 });
  });

  it('closes with 4401 when the token belongs to another origin', async () => {
    const agent = await BridgeFixture.start();
    await agent.pin();
    await agent.http('POST', '/v1/pairings', { origin: STRANGER, client_id: 'firefox-2', token: 'x'.repeat(20) });
    const client = await agent.connect(STRANGER);
    client.sendText(hello());
    expect(await client.closed).toMatchObject({ code: 4401 });
  });

  it('closes with 4408 when none comes in time', async () => {
    const agent = await BridgeFixture.start();
    await agent.pin();
    const client = await agent.connect();
    agent.clock.advance(BRIDGE.hello_timeout_ms);
    expect(await client.closed).toMatchObject({ code: 4408 });
  });

  it('does not close with 4408 after a hello', async () => {
    const agent = await BridgeFixture.start();
    const client = await agent.browser();
    agent.clock.advance(BRIDGE.hello_timeout_ms);
    client.send({ type: 'diagnostic', request_id: 'd1', level: 'info', message: 'still here' });
    expect(await client.next('message_ack')).toMatchObject({ request_id: 'd1' });
  });
});

describe('the connection', () => {
  it('is replaced by a newer one of the same client, which stays connected', async () => {
    const agent = await BridgeFixture.start();
    const older = await agent.browser();
    const newer = await agent.browser('firefox-1', 'paired already');
    expect(await older.closed).toMatchObject({ code: 4409 });
    newer.send({ type: 'diagnostic', request_id: 'd1', level: 'info', message: 'here' });
    await newer.next('message_ack');
    expect(agent.told('client_put').at(-1)?.body).toMatchObject({ connected: true });
  });

  it('ends when the client is paired anew: its old token opens nothing any more', async () => {
    const agent = await BridgeFixture.start();
    const client = await agent.browser();
    await agent.pin('firefox-1', 'another-token-altogether');
    expect(await client.closed).toMatchObject({ code: 4401 });
  });

  it('is dropped when the browser no longer answers pings', async () => {
    const agent = await BridgeFixture.start();
    await agent.pin();
    const ws = new WebSocket(`${agent.url.replace('http', 'ws')}/ws/firefox`, {
      headers: { origin: ORIGIN },
      autoPong: false,
    });
    const acknowledged = new Promise((resolve) => ws.once('message', resolve));
    ws.once('open', () => ws.send(hello()));
    await acknowledged;
    const pinged = new Promise((resolve) => ws.once('ping', resolve));
    const closed = new Promise((resolve) => ws.once('close', resolve));
    agent.clock.advance(BRIDGE.heartbeat_ms);
    await pinged;
    agent.clock.advance(BRIDGE.heartbeat_ms);
    expect(await closed).toBe(1006);
  });

  it('is closed with 1009 for a frame over the limit', async () => {
    const agent = await BridgeFixture.start();
    const client = await agent.browser();
    client.sendText('x'.repeat(BRIDGE.max_frame_bytes + 1));
    expect(await client.closed).toMatchObject({ code: 1009 });
  });

  it('tells the edge when a browser comes and when it goes', async () => {
    const agent = await BridgeFixture.start();
    const client = await agent.browser();
    await client.close();
    await expect.poll(() => agent.told('client_put').map((row) => row.body.connected)).toEqual([true, false]);
  });
});
