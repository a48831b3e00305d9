/** What a program that listens at the agent's address achieves without being the agent. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { startBackground } from '../../../../extension/background/background.ts';
import { newNonce, prove } from '../../../../local-agent/lib/bridge-proof.ts';
import type { BridgeHandshake } from '../../../../schema/domain/bridge-proof.ts';
import { AGENT_URL, SNAPSHOT, TestEnv } from '../../../support/extension/test-env.ts';
import { until } from '../../../support/until.ts';

const TOKEN = 'the-token';
const HASH = createHash('sha256').update(TOKEN).digest('hex');

/** A paired browser that has sent its challenge to the program that listens there. */
async function challenged() {
  const env = new TestEnv().pair();
  const { bridge } = startBackground(env.env);
  await env.clock.flush();
  env.socket.accept();
  return { env, bridge };
}

type Scene = Awaited<ReturnType<typeof challenged>>;

/** Nothing but the challenge was sent, the socket is closed, and the agent is looked for again. */
async function expectRefused({ env, bridge }: Scene, socket = env.socket): Promise<void> {
  await until(() => socket.isClosed);
  expect(socket.sent.map(({ type }) => type)).toEqual(['challenge']);
  expect(bridge.status).toEqual({ state: 'unproven', reason: null, retryAt: env.clock.now() + 15_000 });
  await env.clock.elapse(15_000);
  await env.greet();
  expect(bridge.status.state).toBe('connected');
}

const wrongProof = (env: TestEnv, change: Partial<BridgeHandshake>, by: 'agent' | 'browser' = 'agent', key = HASH) => {
  const nonce = newNonce();
  return { type: 'agent_proof', nonce, proof: prove(key, by, { ...env.handshake(nonce), ...change }) };
};

describe('a program at the address of the agent', () => {
  it('gets a fresh challenge in each attempt, and neither the token nor its hash at any time', async () => {
    const { env } = await challenged();
    env.proveAgent();
    await until(() => env.socket.frames('hello').length > 0);
    env.socket.end(1006);
    await env.clock.elapse(1_000);
    await env.greet();
    const sent = env.sockets.map((socket) => socket.sent);
    expect(sent).toHaveLength(2);
    expect(new Set(env.sockets.flatMap((socket) => socket.frames('challenge')).map(({ nonce }) => nonce)).size).toBe(2);
    for (const secret of [TOKEN, HASH]) expect(JSON.stringify(sent)).not.toContain(secret);
  });

  it.each<[string, (env: TestEnv) => object]>([
    ['a proof by another key', (env) => wrongProof(env, {}, 'agent', 'ab'.repeat(32))],
    ['a proof for another challenge', (env) => wrongProof(env, { browser_nonce: newNonce() })],
    ['a proof for another origin', (env) => wrongProof(env, { origin: 'moz-extension://other' })],
    ['a proof for another browser', (env) => wrongProof(env, { client_id: 'firefox-2' })],
    ['the proof of the agent on another port, passed on', (env) => wrongProof(env, { port: 4318 })],
    ['a proof of a browser, as one that this browser has made', (env) => wrongProof(env, {}, 'browser')],
    ['a greeting without a proof', () => ({ type: 'hello_ack', connection_id: 'c1', snapshot: SNAPSHOT })],
    ['a token', () => ({ type: 'paired', token: 'theirs' })],
    ['something unknown', () => ({ type: 'from_the_future' })],
  ])('that sends %s gets nothing more', async (_what, frame) => {
    const scene = await challenged();
    scene.env.socket.receive(frame(scene.env));
    await expectRefused(scene);
  });

  it('that sends a proof which the agent gave in an earlier connection gets nothing more', async () => {
    const scene = await challenged();
    const { env } = scene;
    const recorded = env.proveAgent();
    await until(() => env.socket.frames('hello').length > 0);
    env.socket.end(1006);
    await env.clock.elapse(1_000);
    env.socket.accept();
    env.socket.receive(recorded);
    await expectRefused(scene);
  });

  it('that sends two proofs at once gets nothing more, so that it cannot have any number of them checked', async () => {
    const scene = await challenged();
    scene.env.proveAgent();
    scene.env.proveAgent();
    await expectRefused(scene);
  });

  it('that greets before the browser has proved itself is not connected, and its orders are not taken', async () => {
    const scene = await challenged();
    const frames: string[] = [];
    scene.bridge.frames.on(({ type }) => frames.push(type));
    const { socket } = scene.env;
    scene.env.proveAgent();
    socket.receive({ type: 'hello_ack', connection_id: 'c1', snapshot: SNAPSHOT });
    socket.receive({ type: 'browser.cancel', request_id: 'r1' });
    await until(() => socket.isClosed);
    expect(frames).toEqual([]);
    expect(scene.bridge.status.state).toBe('unproven');
  });

  it.each([
    [4401, 'token_refused'],
    [4409, 'closed'],
  ])('that closes with %i before its proof does not end the attempts', async (code, state) => {
    const { env, bridge } = await challenged();
    env.socket.end(code, 'because');
    expect(bridge.status).toEqual({ state, reason: 'because', retryAt: env.clock.now() + 60_000 });
    await env.clock.elapse(60_000);
    await env.greet();
    expect(bridge.status.state).toBe('connected');
  });

  it('is another one than the agent of the pairing when the pairing names another port', async () => {
    const env = new TestEnv();
    env.storage.items.set('pairing', { agent_url: `${AGENT_URL}1`, client_id: 'firefox-1', token: TOKEN });
    const { bridge } = startBackground(env.env);
    await env.clock.flush();
    env.socket.accept();
    env.proveAgent();
    await until(() => env.socket.isClosed);
    expect(bridge.status.state).toBe('unproven');
  });
});
