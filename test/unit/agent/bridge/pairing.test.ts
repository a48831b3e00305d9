import { describe, expect, it } from 'vitest';
import { EdgeError } from '../../../../local-agent/edge/http-client.ts';
import { BridgeClient } from '../../../../local-agent/stack/bridge-client.ts';
import { BRIDGE } from '../../../../schema/defaults.ts';
import { BridgeFixture, CLIENT_TOKEN, ORIGIN, STRANGER } from './fixture.ts';

async function openWindow(agent: BridgeFixture): Promise<string> {
  const { json } = await agent.http('POST', '/v1/pairing', {});
  return (json as { data: { code: string } }).data.code;
}

function wrong(code: string): string {
  return String((Number(code) + 1) % 100_000_000).padStart(8, '0');
}

async function guess(agent: BridgeFixture, origin: string, code: string): Promise<void> {
  const client = await agent.connect(origin);
  client.send({ type: 'pair', code, client_id: 'firefox-7' });
  expect(await client.next('error')).toMatchObject({ code: 'forbidden' });
  expect(await client.closed).toMatchObject({ code: 4401 });
}

describe('pairing a browser', () => {
  it('the browser that sends the code gets the token, and can connect with it', async () => {
    const agent = await BridgeFixture.start();
    const code = await openWindow(agent);
    expect(code).toMatch(/^\d{8}$/);
    const waiting = agent.http('GET', '/v1/pairing?wait_ms=60000');
    const stranger = await agent.connect(STRANGER);
    stranger.send({ type: 'pair', code, client_id: 'firefox-7' });
    expect(await waiting).toMatchObject({
      json: { data: { state: 'claimed', origin: STRANGER, client_id: 'firefox-7' } },
    });

    agent.tokens.set(CLIENT_TOKEN, 'firefox-7');
    const pinned = await agent.http('POST', '/v1/pairings', {
      origin: STRANGER,
      client_id: 'firefox-7',
      token: CLIENT_TOKEN,
    });
    expect(pinned).toMatchObject({ status: 200, json: { data: { waiting_browser_told: true } } });
    expect(await stranger.next('paired')).toEqual({ type: 'paired', token: CLIENT_TOKEN });
    expect(await stranger.closed).toMatchObject({ code: 1000 });

    const paired = { agentUrl: agent.url, origin: STRANGER, clientId: 'firefox-7', token: CLIENT_TOKEN };
    await (await BridgeClient.hello(paired)).close();
    expect(await agent.http('GET', '/v1/pairing')).toMatchObject({ json: { data: { state: 'closed' } } });
  });

  it('the token is stored only as its SHA-256', async () => {
    const agent = await BridgeFixture.start();
    await agent.pin();
    expect(JSON.stringify(agent.store.pairings.list())).not.toContain(CLIENT_TOKEN);
    expect(agent.store.pairings.find('firefox-1')?.token_hash).toMatch(/^[0-9a-f]{64}$/);
  });

  it('an extension that has sent five wrong codes is refused, and another one can still pair', async () => {
    const agent = await BridgeFixture.start();
    const code = await openWindow(agent);
    for (let tries = 0; tries < BRIDGE.pairing_tries; tries += 1) await guess(agent, STRANGER, wrong(code));
    await expect(agent.connect(STRANGER)).rejects.toMatchObject({ status: 403 });
    const claimed = agent.http('GET', '/v1/pairing?wait_ms=60000');
    const person = await agent.connect(ORIGIN);
    person.send({ type: 'pair', code, client_id: 'firefox-7' });
    expect(await claimed).toMatchObject({ json: { data: { state: 'claimed', origin: ORIGIN } } });
    await person.close();
  });

  it('the right code of an extension without a try left is refused', async () => {
    const agent = await BridgeFixture.start();
    const code = await openWindow(agent);
    const waiting = await agent.connect(STRANGER);
    for (let tries = 0; tries < BRIDGE.pairing_tries; tries += 1) await guess(agent, STRANGER, wrong(code));
    waiting.send({ type: 'pair', code, client_id: 'firefox-7' });
    expect(await waiting.next('error')).toMatchObject({
      message: expect.stringMatching('run: npm run conductor -- pair'),
    });
    expect(await waiting.closed).toMatchObject({ code: 4401 });
  });

  it('the window closes after many wrong codes of all extensions, and says why', async () => {
    const agent = await BridgeFixture.start();
    const code = await openWindow(agent);
    for (let tries = 0; tries < BRIDGE.pairing_tries_total; tries += 1) {
      const origin = `moz-extension://aaaaaaaa-1111-4222-8333-${String(Math.floor(tries / 5)).padStart(12, '0')}`;
      await guess(agent, origin, wrong(code));
    }
    expect(await agent.http('GET', '/v1/pairing')).toMatchObject({
      json: { data: { state: 'closed', too_many_wrong_codes: true } },
    });
    expect(agent.logged.length).toBeLessThan(BRIDGE.refusals_logged_burst + 5);
  });

  it('sockets of strangers that send no code do not keep another extension from pairing', async () => {
    const agent = await BridgeFixture.start();
    const code = await openWindow(agent);
    const idle = [];
    for (let count = 0; count <= BRIDGE.pairing_sockets; count += 1) idle.push(await agent.connect(STRANGER));
    expect(await idle[0]?.closed).toMatchObject({ code: 4429 });
    const claimed = agent.http('GET', '/v1/pairing?wait_ms=60000');
    const person = await agent.connect(ORIGIN);
    person.send({ type: 'pair', code, client_id: 'firefox-7' });
    expect(await claimed).toMatchObject({ json: { data: { state: 'claimed', origin: ORIGIN } } });
    await Promise.all([person, ...idle.slice(2)].map((client) => client.close()));
  });

  it('a code is accepted once', async () => {
    const agent = await BridgeFixture.start();
    const code = await openWindow(agent);
    const late = await agent.connect(STRANGER);
    const first = await agent.connect(STRANGER);
    const claimed = agent.http('GET', '/v1/pairing?wait_ms=60000');
    first.send({ type: 'pair', code, client_id: 'firefox-7' });
    await claimed;
    late.send({ type: 'pair', code, client_id: 'firefox-8' });
    expect(await late.closed).toMatchObject({ code: 4401 });
    await expect(agent.connect(STRANGER)).rejects.toMatchObject({ status: 403 });
    await first.close();
  });

  it('an unpaired extension may only send pair', async () => {
    const agent = await BridgeFixture.start();
    await openWindow(agent);
    const stranger = await agent.connect(STRANGER);
    stranger.sendText(
      JSON.stringify({
        type: 'hello',
        client_id: 'x',
        browser: '',
        extension_version: '',
        platforms: [],
        token: 'guess',
      }),
    );
    expect(await stranger.closed).toMatchObject({ code: 4401 });
    const other = await agent.connect(STRANGER);
    other.send({ type: 'diagnostic', level: 'info', message: 'hi' });
    expect(await other.closed).toMatchObject({ code: 4400 });
  });

  it('the window closes when its time is over', async () => {
    const agent = await BridgeFixture.start();
    await openWindow(agent);
    agent.clock.advance(BRIDGE.pairing_window_ms - 1);
    expect(await agent.http('GET', '/v1/pairing')).toMatchObject({
      json: { data: { state: 'open', expires_in_ms: 1 } },
    });
    agent.clock.advance(1);
    expect(await agent.http('GET', '/v1/pairing')).toMatchObject({ json: { data: { state: 'closed' } } });
    await expect(agent.connect(STRANGER)).rejects.toMatchObject({ status: 403 });
  });

  it('a waiting browser is closed with 4408 when the window closes', async () => {
    const agent = await BridgeFixture.start();
    const code = await openWindow(agent);
    const stranger = await agent.connect(STRANGER);
    const claimed = agent.http('GET', '/v1/pairing?wait_ms=60000');
    stranger.send({ type: 'pair', code, client_id: 'firefox-7' });
    await claimed;
    await openWindow(agent);
    expect(await stranger.closed).toMatchObject({ code: 4408 });
    expect(await agent.http('GET', '/v1/pairing')).toMatchObject({ json: { data: { state: 'open' } } });
  });

  it('the window closes when the browser that claimed it disconnects', async () => {
    const agent = await BridgeFixture.start();
    const code = await openWindow(agent);
    const stranger = await agent.connect(STRANGER);
    const claimed = agent.http('GET', '/v1/pairing?wait_ms=60000');
    stranger.send({ type: 'pair', code, client_id: 'firefox-7' });
    await claimed;
    await stranger.close();
    await expect.poll(() => agent.http('GET', '/v1/pairing')).toMatchObject({ json: { data: { state: 'closed' } } });
  });

  it('the token of one origin is not sent to a browser of another', async () => {
    const agent = await BridgeFixture.start();
    const code = await openWindow(agent);
    const stranger = await agent.connect(STRANGER);
    const claimed = agent.http('GET', '/v1/pairing?wait_ms=60000');
    stranger.send({ type: 'pair', code, client_id: 'firefox-1' });
    await claimed;
    const body = { origin: STRANGER.replace('aaaaaaaa', 'bbbbbbbb'), client_id: 'firefox-1', token: CLIENT_TOKEN };
    expect(await agent.http('POST', '/v1/pairings', body)).toMatchObject({ status: 409, json: { error: 'conflict' } });
    expect(agent.store.pairings.list()).toEqual([]);
    await stranger.close();
  });

  it('a long poll ends after its time when nothing changes', async () => {
    const agent = await BridgeFixture.start();
    await openWindow(agent);
    const waiting = agent.http('GET', '/v1/pairing?wait_ms=1000');
    const ticking = setInterval(() => agent.clock.advance(1_000), 5);
    expect(await waiting).toMatchObject({ json: { data: { state: 'open' } } });
    clearInterval(ticking);
  });
});

describe('the token that a browser is paired with', () => {
  const pin = (agent: BridgeFixture) =>
    agent.http('POST', '/v1/pairings', { origin: STRANGER, client_id: 'firefox-9', token: CLIENT_TOKEN });

  it('is refused when the edge does not know it, and the origin stays unpaired', async () => {
    const agent = await BridgeFixture.start();
    const { status, json } = await pin(agent);
    expect(status).toBe(403);
    expect(json).toMatchObject({
      error: 'forbidden',
      message: expect.stringMatching(/firefox-9.*: npm run conductor -- pair$/),
    });
    expect(agent.store.pairings.list()).toEqual([]);
    await expect(agent.connect(STRANGER)).rejects.toMatchObject({ status: 403 });
  });

  it.each([
    ['of another browser', { subject: 'firefox-1', role: 'browser_admin' }],
    ['of a node', { subject: 'firefox-9', role: 'controller' }],
    ['of an operator', { subject: 'firefox-9', role: 'ops_admin' }],
  ] as const)('%s is refused', async (_whose, session) => {
    const agent = await BridgeFixture.start();
    agent.sessionOf = () => session;
    expect(await pin(agent)).toMatchObject({ status: 403 });
    expect(agent.store.pairings.list()).toEqual([]);
  });

  it('is not taken on trust while the edge does not respond, and the error says to try again', async () => {
    const agent = await BridgeFixture.start();
    agent.sessionOf = () => {
      throw new EdgeError('network', 0, 'network', 'http://edge cannot be reached');
    };
    const { status, json } = await pin(agent);
    expect(status).toBe(503);
    expect(json).toMatchObject({
      error: 'edge_unreachable',
      message: expect.stringMatching(/nothing was paired.*[Tt]ry again/),
    });
    expect(agent.store.pairings.list()).toEqual([]);
  });
});
