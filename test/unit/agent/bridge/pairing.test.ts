import { describe, expect, it } from 'vitest';
import { BridgeClient } from '../../../../local-agent/stack/bridge-client.ts';
import { BRIDGE } from '../../../../schema/defaults.ts';
import { BridgeFixture, CLIENT_TOKEN, STRANGER } from './fixture.ts';

async function openWindow(agent: BridgeFixture): Promise<string> {
  const { json } = await agent.http('POST', '/v1/pairing', {});
  return (json as { data: { code: string } }).data.code;
}

function wrong(code: string): string {
  return String((Number(code) + 1) % 100_000_000).padStart(8, '0');
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

  it('the window closes after five wrong codes, and the right one is then refused', async () => {
    const agent = await BridgeFixture.start();
    const code = await openWindow(agent);
    for (let tries = BRIDGE.pairing_tries; tries > 0; tries -= 1) {
      expect(await agent.http('GET', '/v1/pairing')).toMatchObject({
        json: { data: { state: 'open', tries_left: tries } },
      });
      const guess = await agent.connect(STRANGER);
      guess.send({ type: 'pair', code: wrong(code), client_id: 'firefox-7' });
      expect(await guess.next('error')).toMatchObject({ code: 'forbidden' });
      expect(await guess.closed).toMatchObject({ code: 4401 });
    }
    expect(await agent.http('GET', '/v1/pairing')).toMatchObject({ json: { data: { state: 'closed' } } });
    await expect(agent.connect(STRANGER)).rejects.toMatchObject({ status: 403 });
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
