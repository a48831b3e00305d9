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

describe('an upgrade to the bridge', () => {
  it.each([
    ['a page’s origin', 'https://chatgpt.com'],
    ['no origin', undefined],
    ['an extension that is not paired', STRANGER],
    ['another spelling of a paired origin', ORIGIN.toUpperCase()],
    ['a paired origin with a suffix', `${ORIGIN}.example.com`],
    ['the origin null', 'null'],
  ])('an upgrade from %s is refused with 403', async (_what, origin) => {
    const agent = await BridgeFixture.start();
    await agent.pin();
    const options = { agentUrl: agent.url, ...(origin !== undefined && { origin }) };
    await expect(BridgeClient.connect(options)).rejects.toMatchObject({ status: 403 });
  });

  it.each([
    ['a foreign name', (host: string) => `evil.example:${new URL(`http://${host}`).port}`],
    ['another port', () => '127.0.0.1:1'],
    ['a name that begins with 127.0.0.1', (host: string) => `127.0.0.1.example.com:${new URL(`http://${host}`).port}`],
  ])('an upgrade with %s in its Host header is refused with 403', async (_what, foreign) => {
    const agent = await BridgeFixture.start();
    await agent.pin();
    await expect(agent.connect(ORIGIN, { host: foreign(agent.host) })).rejects.toMatchObject({ status: 403 });
  });

  it('an upgrade with the loopback name localhost is accepted', async () => {
    const agent = await BridgeFixture.start();
    await agent.pin();
    const client = await agent.connect(ORIGIN, { host: agent.host.replace('127.0.0.1', 'localhost') });
    await client.close();
  });

  it('an upgrade on another path is refused with 404', async () => {
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

describe('the first frame of a connection', () => {
  it.each([
    ['not JSON', '{'],
    ['another type', JSON.stringify({ type: 'diagnostic', level: 'info', message: 'hi' })],
    ['a hello without a token', JSON.stringify({ type: 'hello', client_id: 'firefox-1' })],
  ])('a first frame that is %s closes the connection with 4400', async (_what, text) => {
    const agent = await BridgeFixture.start();
    await agent.pin();
    const client = await agent.connect();
    client.sendText(text);
    expect(await client.closed).toMatchObject({ code: 4400 });
  });

  it.each([
    ['a wrong token', { token: 'another-token-altogether' }],
    ['a browser that was never paired', { client_id: 'firefox-9' }],
  ])('a hello with %s closes the connection with 4401', async (_what, change) => {
    const agent = await BridgeFixture.start();
    await agent.pin();
    const client = await agent.connect();
    client.sendText(hello(change));
    expect(await client.closed).toMatchObject({ code: 4401 });
  });

  it('a hello with the token of another origin closes the connection with 4401', async () => {
    const agent = await BridgeFixture.start();
    await agent.pin();
    await agent.pin('firefox-2', 'x'.repeat(20), STRANGER);
    const client = await agent.connect(STRANGER);
    client.sendText(hello());
    expect(await client.closed).toMatchObject({ code: 4401 });
  });

  it('a connection without a first frame is closed with 4408 in time', async () => {
    const agent = await BridgeFixture.start();
    await agent.pin();
    const client = await agent.connect();
    agent.clock.advance(BRIDGE.hello_timeout_ms);
    expect(await client.closed).toMatchObject({ code: 4408 });
  });

  it('a connection after its hello is not closed with 4408', async () => {
    const agent = await BridgeFixture.start();
    const { client } = await agent.browser();
    agent.clock.advance(BRIDGE.hello_timeout_ms);
    client.send({ type: 'diagnostic', request_id: 'd1', level: 'info', message: 'still here' });
    expect(await client.next('message_ack')).toMatchObject({ request_id: 'd1' });
  });
});

describe('a connection', () => {
  it('a newer connection of the same browser replaces the older one and stays connected', async () => {
    const agent = await BridgeFixture.start();
    const { client: older } = await agent.browser();
    const { client: newer } = await agent.browser('firefox-1', 'paired already');
    expect(await older.closed).toMatchObject({ code: 4409 });
    newer.send({ type: 'diagnostic', request_id: 'd1', level: 'info', message: 'here' });
    await newer.next('message_ack');
    expect(agent.reported('client_put').at(-1)?.body).toMatchObject({ connected: true });
  });

  it('pairing a browser again closes the connection under its old token', async () => {
    const agent = await BridgeFixture.start();
    const { client } = await agent.browser();
    await agent.pin('firefox-1', 'another-token-altogether');
    expect(await client.closed).toMatchObject({ code: 4401 });
  });

  it('a connection whose browser does not answer pings is terminated', async () => {
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

  it('a frame over the size limit closes the connection with 1009', async () => {
    const agent = await BridgeFixture.start();
    const { client } = await agent.browser();
    client.sendText('x'.repeat(BRIDGE.max_frame_bytes + 1));
    expect(await client.closed).toMatchObject({ code: 1009 });
  });

  it('a browser that connects and disconnects is reported to the edge both times', async () => {
    const agent = await BridgeFixture.start();
    const { client } = await agent.browser();
    await client.close();
    await expect.poll(() => agent.reported('client_put').map((row) => row.body.connected)).toEqual([true, false]);
  });
});
