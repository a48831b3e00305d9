import { describe, expect, it } from 'vitest';
import { startBackground } from '../../../../extension/background/background.ts';
import { buildParts } from '../../../../extension/background/parts.ts';
import { AGENT_URL, TestEnv } from '../../../support/extension/test-env.ts';

async function connected(env = new TestEnv().pair()) {
  const background = startBackground(env.env);
  await env.greet();
  return { env, background, bridge: background.bridge };
}

describe('the connection to the agent', () => {
  it('greets the agent of the pairing with a challenge, and then with its proof and the sealed token', async () => {
    const { env, bridge } = await connected();
    expect(env.socket.url).toBe('ws://127.0.0.1:4317/ws/firefox');
    const hex = (chars: number) => expect.stringMatching(new RegExp(`^[0-9a-f]{${chars}}$`));
    expect(env.socket.sent.slice(0, 2)).toEqual([
      { type: 'challenge', client_id: 'firefox-1', nonce: hex(64) },
      {
        type: 'hello',
        client_id: 'firefox-1',
        browser: 'Firefox 140',
        extension_version: '1.2.3',
        platforms: ['claude'],
        proof: hex(64),
        sealed_token: expect.any(String),
      },
    ]);
    expect(env.tokenOfHello).toBe('the-token');
    expect(bridge.status).toEqual({ state: 'connected', reason: null, retryAt: null });
  });

  it('is not tried without a pairing', async () => {
    const env = new TestEnv();
    const { bridge } = startBackground(env.env);
    await env.clock.flush();
    expect(env.sockets).toEqual([]);
    expect(bridge.status.state).toBe('unpaired');
  });

  it.each([
    'http://192.168.1.5:4317',
    'https://127.0.0.1:4317',
    'http://agent.example:4317',
    'http://127.0.0.1.evil.example',
  ])('is never opened to %s, which is not on this machine', async (agent_url) => {
    const env = new TestEnv();
    env.storage.items.set('pairing', { agent_url, client_id: 'firefox-1', token: 'the-token' });
    const { bridge } = startBackground(env.env);
    await env.clock.flush();
    expect(env.sockets).toEqual([]);
    expect(bridge.status.state).toBe('bad_address');
  });

  it('comes back within 30 s of the agent’s restart, however long the agent was away', async () => {
    const { env, bridge } = await connected();
    env.socket.end(1006);
    const waits: number[] = [];
    for (let n = 0; n < 12; n += 1) {
      waits.push((bridge.status.retryAt ?? Number.NaN) - env.clock.now());
      await env.clock.elapse(15_000);
      env.socket.end(1006);
    }
    expect(bridge.status.state).toBe('unreachable');
    expect(waits[0]).toBeLessThan(1_000);
    expect(Math.max(...waits)).toBe(15_000);
    await env.clock.elapse(15_000);
    await env.greet();
    expect(bridge.status.state).toBe('connected');
  });

  it.each([
    [4400, 'closed', 15_000],
    [4408, 'closed', 500],
    [4429, 'closed', 60_000],
    [1001, 'closed', 500],
  ])('is tried again after close code %i', async (code, state, waitMs) => {
    const { env, bridge } = await connected();
    env.socket.end(code, 'because');
    expect(bridge.status).toEqual({ state, reason: 'because', retryAt: env.clock.now() + waitMs });
    await env.clock.elapse(waitMs);
    expect(env.sockets).toHaveLength(2);
  });

  it.each([
    [4401, 'token_refused'],
    [4409, 'replaced'],
  ])('waits for a person after close code %i', async (code, state) => {
    const { env, bridge } = await connected();
    env.socket.end(code, 'because');
    await env.clock.elapse(3_600_000);
    env.alarm.fire();
    await env.clock.flush();
    expect(env.sockets).toHaveLength(1);
    expect(bridge.status).toEqual({ state, reason: 'because', retryAt: null });
  });

  it('is made again at once with a new pairing', async () => {
    const { env } = await connected();
    env.socket.end(4401);
    env.storage.items.set('pairing', { agent_url: AGENT_URL, client_id: 'firefox-1', token: 'another' });
    env.storageChanged('pairing');
    await env.greet();
    expect(env.tokenOfHello).toBe('another');
  });

  it('is given up when the agent does not greet', async () => {
    const env = new TestEnv().pair();
    startBackground(env.env);
    await env.clock.flush();
    env.socket.accept();
    await env.clock.elapse(10_000);
    expect(env.sockets[0]?.isClosed).toBe(true);
    await env.clock.elapse(1_000);
    expect(env.sockets).toHaveLength(2);
  });

  it('is made by an alarm when the timer was lost with a suspended background page', async () => {
    const { env } = await connected();
    env.socket.end(1006);
    env.clock.dropTimers();
    env.clock.advance(20_000);
    env.alarm.fire();
    await env.clock.flush();
    expect(env.sockets).toHaveLength(2);
  });

  it.each(['not JSON', '{"type":"from_the_future"}', '{"type":"message_ack"}'])(
    'is not broken by the frame %s',
    async (text) => {
      const { env, bridge, background } = await connected();
      env.socket.receiveText(text);
      expect(bridge.status.state).toBe('connected');
      expect(background.diagnostics.all()).toHaveLength(1);
    },
  );
});

describe('a pairing in the archive', () => {
  const provision = (token: string) => JSON.stringify({ agent_url: AGENT_URL, client_id: 'firefox-p', token });

  async function tokenAt(env: TestEnv): Promise<string | null> {
    startBackground(env.env);
    await env.greet();
    return env.tokenOfHello;
  }

  it('counts at the first start, and again when it has changed', async () => {
    const env = new TestEnv();
    env.provision = provision('first');
    expect(await tokenAt(env)).toBe('first');
    const later = new TestEnv({ storage: env.storage });
    later.provision = provision('second');
    expect(await tokenAt(later)).toBe('second');
  });

  it('does not replace a later pairing while it is the same', async () => {
    const env = new TestEnv();
    env.provision = provision('first');
    await tokenAt(env);
    const later = new TestEnv({ storage: env.storage }).pair();
    later.provision = provision('first');
    expect(await tokenAt(later)).toBe('the-token');
  });

  it.each([
    [true, null, false],
    [true, true, true],
    [false, null, true],
    [false, false, false],
  ])(
    'of a Firefox that is headless (%s), where a person chose %s: it notifies %s',
    async (headless, notices, isShown) => {
      const env = new TestEnv();
      env.provision = JSON.stringify({ agent_url: AGENT_URL, client_id: 'firefox-p', token: 'first', headless });
      env.storage.items.set('settings', { notices });
      const parts = buildParts(env.env);
      await parts.readSettings();
      expect(parts.notices()).toBe(isShown);
    },
  );

  it.each(['', '{', '{"agent_url":1}'])('is ignored when it is %j', async (text) => {
    const env = new TestEnv().pair();
    env.provision = text;
    expect(await tokenAt(env)).toBe('the-token');
  });
});
