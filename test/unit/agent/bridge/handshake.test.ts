/** How an agent and a browser prove themselves to each other, and what a replay or a reflection of proofs achieves. */
import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sealToken } from '../../../../local-agent/lib/bridge-proof.ts';
import type { BridgeClient } from '../../../../local-agent/stack/bridge-client.ts';
import type { ExtensionFrame } from '../../../../schema/contracts/bridge-frames.ts';
import { BRIDGE } from '../../../../schema/defaults.ts';
import { BridgeFixture, CLIENT_TOKEN, ORIGIN, STRANGER } from './fixture.ts';

const NONCE = 'ab'.repeat(32);
const hash = (text: string) => createHash('sha256').update(text).digest('hex');

interface Of {
  purpose?: 'agent' | 'browser';
  token?: string;
  browserNonce?: string;
  agentNonce: string;
  origin?: string;
  clientId?: string;
  port?: number;
}

/** The proof as the protocol defines it, computed here. */
function proofOf(agent: BridgeFixture, of: Of): string {
  const { purpose = 'browser', token = CLIENT_TOKEN, browserNonce = NONCE, agentNonce } = of;
  const { origin = ORIGIN, clientId = 'firefox-1', port = Number(new URL(agent.url).port) } = of;
  const text = JSON.stringify(['baa-bridge-1', purpose, browserNonce, agentNonce, origin, clientId, port]);
  return createHmac('sha256', Buffer.from(hash(token), 'hex'))
    .update(text)
    .digest('hex');
}

function sealed(agent: BridgeFixture, agent_nonce: string, token = CLIENT_TOKEN, key = CLIENT_TOKEN): string {
  const port = Number(new URL(agent.url).port);
  const handshake = { browser_nonce: NONCE, agent_nonce, origin: ORIGIN, client_id: 'firefox-1', port };
  return sealToken(hash(key), handshake, token);
}

type Hello = Extract<ExtensionFrame, { type: 'hello' }>;
const HELLO: Hello = { type: 'hello', client_id: 'firefox-1', browser: 'b', extension_version: '1', platforms: [] };

/** A paired browser that has sent its challenge, and the agent's proof. */
async function challenged(nonce = NONCE) {
  const agent = await BridgeFixture.start();
  await agent.pin();
  return { agent, ...(await challenge(agent, nonce)) };
}

async function challenge(agent: BridgeFixture, nonce = NONCE) {
  const client = await agent.connect();
  client.send({ type: 'challenge', client_id: 'firefox-1', nonce });
  return { client, proof: await client.next('agent_proof') };
}

const helloOf = (agent: BridgeFixture, agentNonce: string): Hello => ({
  ...HELLO,
  proof: proofOf(agent, { agentNonce }),
  sealed_token: sealed(agent, agentNonce),
});

/** The code with which a browser is closed that was never greeted. */
async function closeCode(client: BridgeClient): Promise<number> {
  const { code } = await client.closed;
  expect(client.untaken('hello_ack')).toEqual([]);
  return code;
}

describe('the agent', () => {
  it('proves to a paired browser that it knows the hash of its token, for the nonces of both and its own port', async () => {
    const { agent, proof } = await challenged();
    expect(proof.proof).toBe(proofOf(agent, { purpose: 'agent', agentNonce: proof.nonce }));
  });

  it('has another nonce in each connection', async () => {
    const { agent, proof } = await challenged();
    const other = await challenge(agent);
    expect(other.proof.nonce).not.toBe(proof.nonce);
    expect(other.proof.proof).not.toBe(proof.proof);
  });

  it('proves nothing for a browser that is not paired, or under the origin of another', async () => {
    const agent = await BridgeFixture.start();
    await agent.pin();
    await agent.pin('firefox-2', 'x'.repeat(20), STRANGER);
    for (const [origin, client_id] of [
      [ORIGIN, 'firefox-9'],
      [STRANGER, 'firefox-1'],
    ] as const) {
      const client = await agent.connect(origin);
      client.send({ type: 'challenge', client_id, nonce: NONCE });
      expect(await closeCode(client)).toBe(4401);
      expect(client.untaken('agent_proof')).toEqual([]);
    }
  });
});

describe('a browser', () => {
  it('is connected by its proof and its sealed token, and its actions reach the edge under that token', async () => {
    const { agent, client, proof } = await challenged();
    agent.edge = () => ({ mode: 'paused', version: 2, hold: true, drain_deadline: null });
    client.send(helloOf(agent, proof.nonce));
    await client.next('hello_ack');
    client.send({ type: 'page_control', request_id: 'p1', action: 'system.pause' });
    await client.next('page_control_result');
    expect(agent.calls.find(({ request }) => request === 'POST /v1/system/pause')?.token).toBe(CLIENT_TOKEN);
  });

  it('is refused when its frames of an earlier connection are sent again', async () => {
    const { agent, client, proof } = await challenged();
    const hello = helloOf(agent, proof.nonce);
    client.send(hello);
    await client.next('hello_ack');
    const { client: replaying } = await challenge(agent);
    replaying.send(hello);
    expect(await closeCode(replaying)).toBe(4401);
  });

  it('is refused when the agent’s own proof is sent back', async () => {
    const { agent, client, proof } = await challenged();
    client.send({ ...HELLO, proof: proof.proof, sealed_token: sealed(agent, proof.nonce) });
    expect(await closeCode(client)).toBe(4401);
  });

  it.each<[string, Omit<Of, 'agentNonce'>]>([
    ['another token', { token: 'another-token-altogether' }],
    ['another origin', { origin: STRANGER }],
    ['another browser', { clientId: 'firefox-2' }],
    ['another port, as one that was passed on by a program there', { port: 1 }],
    ['another nonce of its own', { browserNonce: 'cd'.repeat(32) }],
  ])('is refused with a proof for %s', async (_what, of) => {
    const { agent, client, proof } = await challenged();
    const wrong = proofOf(agent, { ...of, agentNonce: proof.nonce });
    client.send({ ...helloOf(agent, proof.nonce), proof: wrong });
    expect(await closeCode(client)).toBe(4401);
  });

  it.each<[string, (agent: BridgeFixture, nonce: string) => string]>([
    ['was sealed in another connection', (agent) => sealed(agent, 'cd'.repeat(32))],
    [
      'has another hash, as of somebody who has read the store of the agent',
      (agent, nonce) => sealed(agent, nonce, 'made-up'),
    ],
    ['was sealed by another key', (agent, nonce) => sealed(agent, nonce, CLIENT_TOKEN, 'another')],
    ['is cut', (agent, nonce) => sealed(agent, nonce).slice(0, 20)],
  ])('is refused when its token %s', async (_what, seal) => {
    const { agent, client, proof } = await challenged();
    client.send({ ...helloOf(agent, proof.nonce), sealed_token: seal(agent, proof.nonce) });
    expect(await closeCode(client)).toBe(4401);
  });

  it('is refused when it was paired again between its challenge and its proof', async () => {
    const { agent, client, proof } = await challenged();
    await agent.pin('firefox-1', 'another-token-altogether');
    client.send(helloOf(agent, proof.nonce));
    expect(await closeCode(client)).toBe(4401);
  });

  it.each<[string, object]>([
    ['a second challenge', { type: 'challenge', client_id: 'firefox-1', nonce: NONCE }],
    ['its token alone', { ...HELLO, token: CLIENT_TOKEN }],
    ['a proof without the token', { ...HELLO, proof: NONCE }],
    ['another frame', { type: 'diagnostic', level: 'info', message: 'hi' }],
  ])('is closed with 4400 when %s follows the challenge', async (_what, frame) => {
    const { client } = await challenged();
    client.sendText(JSON.stringify(frame));
    expect(await closeCode(client)).toBe(4400);
  });

  it('is closed with 4400 when its nonce is too short', async () => {
    const agent = await BridgeFixture.start();
    await agent.pin();
    const client = await agent.connect();
    client.send({ type: 'challenge', client_id: 'firefox-1', nonce: 'ab' });
    expect(await closeCode(client)).toBe(4400);
  });

  it('is closed with 4408 when it sends no hello after its challenge', async () => {
    const { agent, client } = await challenged();
    agent.clock.advance(BRIDGE.hello_timeout_ms);
    expect(await closeCode(client)).toBe(4408);
  });

  it('stays connected when the time for its hello is over', async () => {
    const { agent, client, proof } = await challenged();
    client.send(helloOf(agent, proof.nonce));
    await client.next('hello_ack');
    agent.clock.advance(BRIDGE.hello_timeout_ms);
    client.send({ type: 'diagnostic', request_id: 'd1', level: 'info', message: 'still here' });
    expect(await client.next('message_ack')).toMatchObject({ request_id: 'd1' });
  });

  it('is closed with 4429 after too many wrong proofs', async () => {
    const agent = await BridgeFixture.start();
    await agent.pin();
    const codes: number[] = [];
    for (let n = 0; n <= BRIDGE.auth_failures_per_min; n += 1) {
      const { client, proof } = await challenge(agent);
      client.send({ ...helloOf(agent, proof.nonce), proof: NONCE });
      codes.push(await closeCode(client));
    }
    expect(new Set(codes.slice(0, -1))).toEqual(new Set([4401]));
    expect(codes.at(-1)).toBe(4429);
  });
});
