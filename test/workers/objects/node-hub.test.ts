import { evictDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { automationState, leaderLease, nodeHub } from '../../../durable-objects/stubs.ts';
import { CLOSE, PING } from '../../../schema/contracts/channel-frames.ts';
import type { Command } from '../../../schema/contracts/commands.ts';
import { LEASE } from '../../../schema/defaults.ts';
import { newId } from '../../../schema/ids.ts';
import { runTick } from '../../../workers/timed-jobs/run-tick.ts';
import { freshEdge, holdBackD1, hubStub, leaseStub, muteLog, TestNode, until, withBackend } from './support.ts';

const TTL_SEC = 30;
const hub = nodeHub(env, 'any');
const acquire = (controller_id: string) => leaderLease(env).acquire({ controller_id, host: 'h', ttl_sec: TTL_SEC });

const queryBody = { job_id: 'job_1', attempt: 1, plan_id: 'job_1.1', command_id: 'cmd_0' };

/** A pending command, stored as the Worker stores it before it is pushed. */
async function recordCommand(nodeId: string): Promise<string> {
  const id = newId('command', Date.now());
  await env.DB.prepare(
    `INSERT INTO commands (command_id, controller_id, kind, body, status, created_at, expires_at)
     VALUES (?, ?, 'delivery.query', ?, 'pending', ?, ?)`,
  )
    .bind(id, nodeId, JSON.stringify(queryBody), Date.now(), Date.now() + 60_000)
    .run();
  return id;
}

const commandStatus = (id: string) =>
  env.DB.prepare('SELECT status FROM commands WHERE command_id = ?').bind(id).first<string>('status');

beforeEach(freshEdge);
afterEach(() => {
  vi.useRealTimers();
});

describe('the hello of a node', () => {
  it('is acknowledged with the mode, the lease and whether the node is a candidate', async () => {
    await automationState(env).change({ mode: 'paused', requested_by: 'ops', reason: null });
    await acquire('a');
    const ack = await (await TestNode.connect('a')).hello();
    expect(ack).toMatchObject({ mode: 'paused', mode_version: 1, candidate: true, commands: [] });
    expect(ack.lease).toMatchObject({ holder_id: 'a', term: 1 });
  });

  it('that names another node is refused, and does not make that node connected', async () => {
    const node = await TestNode.connect('a');
    node.sayHello({ controller_id: 'b' });
    expect(await node.next('error')).toEqual({ type: 'error', re: 'hello', code: 'not_owner' });
    expect((await hub.presence(['b'])).b).toEqual({ connected: false, contact_age_ms: null });
  });

  it('that cannot be acknowledged closes the socket, so that the node tries again', async () => {
    const log = muteLog();
    await withBackend(hubStub(), {
      pendingCommands: async () => {
        throw new Error('D1 has failed');
      },
    });
    const node = await TestNode.connect('a');
    node.sayHello();
    expect(await node.next('error')).toEqual({ type: 'error', re: 'hello', code: 'internal' });
    expect(await node.closed).toBe(CLOSE.internal);
    expect(log).toHaveBeenCalledOnce();
    log.mockRestore();
  });
});

describe('pending commands', () => {
  it('are in each acknowledged hello until the node has received them', async () => {
    const id = await recordCommand('a');
    await recordCommand('b');
    const first = await TestNode.connect('a');
    expect((await first.hello()).commands.map((command: Command) => command.command_id)).toEqual([id]);
    first.close();
    const second = await TestNode.connect('a');
    expect((await second.hello()).commands).toHaveLength(1);
    second.send({ type: 'receipt', command_id: id, accepted: true });
    await expect.poll(() => commandStatus(id)).toBe('received');
    const third = await TestNode.connect('a');
    expect((await third.hello()).commands).toEqual([]);
  });

  it('are in the acknowledged hello after the object was evicted with its sockets', async () => {
    const first = await TestNode.connect('a');
    await first.hello();
    const id = await recordCommand('a');
    await evictDurableObject(hubStub(), { webSockets: 'close' });
    const second = await TestNode.connect('a');
    expect((await second.hello()).commands.map((command: Command) => command.command_id)).toEqual([id]);
  });

  it('are pushed to the socket of their node only, and a push without a socket returns false', async () => {
    const [a, b] = [await TestNode.connect('a'), await TestNode.connect('b')];
    const command = {
      command_id: newId('command', 1),
      expires_in_ms: 1,
      kind: 'delivery.query',
      body: queryBody,
    } as const;
    expect(await hub.push('a', { type: 'command', command })).toBe(true);
    expect(await a.next('command')).toEqual({ type: 'command', command });
    expect(await hub.push('unknown-node', { type: 'command', command })).toBe(false);
    expect(await hub.broadcast({ type: 'changed', topic: 'conversations', ids: ['lc_1'] })).toBe(2);
    // A command that had been sent to b too would be b's first frame.
    expect(JSON.parse(await b.text())).toEqual({ type: 'changed', topic: 'conversations', ids: ['lc_1'] });
  });
});

describe('renewals over the channel', () => {
  it('renew the lease of its holder, and are refused for another node or an old term', async () => {
    await acquire('a');
    const [a, b] = [await TestNode.connect('a'), await TestNode.connect('b')];
    a.send({ type: 'lease.renew', term: 1, ttl_sec: TTL_SEC });
    expect(await a.next('lease.result')).toMatchObject({ is_leader: true, operation: 'renew', term: 1 });
    b.send({ type: 'lease.renew', term: 1, ttl_sec: TTL_SEC });
    expect(await b.next('lease.result')).toMatchObject({ is_leader: false, holder_id: 'a' });
    a.send({ type: 'lease.renew', term: 0, ttl_sec: TTL_SEC });
    expect(await a.next('lease.result')).toMatchObject({ is_leader: false, term: 1 });
  });

  it('each get a result, in their order, when many arrive at once', async () => {
    await acquire('a');
    const nodes = await Promise.all(['a', 'b', 'c', 'd'].map((id) => TestNode.connect(id)));
    const terms = [1, 0, 1, 0, 1];
    for (const term of terms) for (const node of nodes) node.send({ type: 'lease.renew', term, ttl_sec: TTL_SEC });
    for (const node of nodes) {
      for (const term of terms) {
        expect((await node.next('lease.result')).is_leader).toBe(node.id === 'a' && term === 1);
      }
    }
  });
});

it('each node gets the result of its own renewal when the lease renews several together', async () => {
  const nodes = await Promise.all(['a', 'b', 'c', 'd'].map((id) => TestNode.connect(id)));
  const { isAsked, release } = await holdBackD1(leaseStub());
  const acquiring = acquire('b');
  await until(isAsked);
  // The first renewal waits for the lease, which waits for D1: the others are one batch behind it.
  for (const node of nodes) {
    node.send({ type: 'lease.renew', term: 1, ttl_sec: TTL_SEC });
    node.sendRaw('not a frame');
    await node.next('error');
  }
  release();
  await acquiring;
  const leads = await Promise.all(nodes.map(async (node) => (await node.next('lease.result')).is_leader));
  expect(leads).toEqual([false, true, false, false]);
});

describe('an announcement', () => {
  it('reaches every node: the mode with its version and whether it holds, the lease with the candidacy of the node', async () => {
    const nodes = await Promise.all(['a', 'b', 'c'].map((id) => TestNode.connect(id)));
    for (const node of nodes) await node.hello();
    await hub.announceMode('paused', 4, true);
    for (const node of nodes)
      expect(await node.next('mode.changed')).toMatchObject({ mode: 'paused', mode_version: 4, hold: true });
    await acquire('c');
    for (const node of nodes) {
      const { lease, candidate } = await node.next('lease.changed');
      expect([lease.holder_id, lease.term, candidate]).toEqual(['c', 1, node.id !== 'c']);
    }
    await leaderLease(env).release({ controller_id: 'c', term: 1 });
    for (const node of nodes)
      expect((await node.next('lease.changed')).lease).toMatchObject({ holder_id: null, term: 1 });
  });

  it('makes the next node a candidate when a candidate disconnects', async () => {
    const [a, b, c] = [await TestNode.connect('a'), await TestNode.connect('b'), await TestNode.connect('c')];
    expect((await a.hello({ priority: 50 })).candidate).toBe(true);
    expect((await b.hello({ priority: 100 })).candidate).toBe(true);
    expect((await c.hello({ preferred: true, priority: 1 })).candidate).toBe(true);
    expect((await a.next('lease.changed')).candidate).toBe(false);
    b.close();
    expect((await a.next('lease.changed')).candidate).toBe(true);
  });

  it('makes the next node a candidate when a candidate is drained, and the drained one when that ends', async () => {
    const [a, b, c] = [await TestNode.connect('a'), await TestNode.connect('b'), await TestNode.connect('c')];
    expect((await a.hello({ priority: 50 })).candidate).toBe(true);
    expect((await b.hello({ priority: 100, draining: true })).candidate).toBe(false);
    expect((await c.hello({ preferred: true, priority: 100 })).candidate).toBe(true);
    b.send({ type: 'draining', draining: false });
    expect((await b.next('lease.changed')).candidate).toBe(true);
    expect((await a.next('lease.changed')).candidate).toBe(false);
    c.send({ type: 'draining', draining: true });
    expect((await c.next('lease.changed')).candidate).toBe(false);
    expect((await a.next('lease.changed')).candidate).toBe(true);
  });

  it('makes the next node a candidate by a tick when both candidates have lost contact without closing their sockets', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 10 * LEASE.ttl_sec * 1_000 });
    const [a, b] = [await TestNode.connect('a'), await TestNode.connect('b')];
    for (const node of [a, b]) expect((await node.hello()).candidate).toBe(true);
    const c = await TestNode.connect('c');
    expect((await c.hello()).candidate).toBe(false);
    vi.setSystemTime(Date.now() + LEASE.ttl_sec * 1_000 + 1);
    c.sendRaw(PING);
    expect(await c.text()).toBe('pong 0 0');
    vi.useRealTimers();
    c.sendRaw(PING);
    await c.text();
    const tick = { trigger: 'cron', scheduledTime: Date.now(), now: Date.now() } as const;
    expect((await runTick(env, tick, { log: () => undefined })).decision).toBe('skipped_not_leader');
    const { lease, candidate } = await c.next('lease.changed');
    expect([lease.holder_id, candidate]).toEqual([null, true]);
  });

  it('is in the pong, which does not wake the object', async () => {
    const node = await TestNode.connect('a');
    node.sendRaw(PING);
    expect(await node.text()).toBe('pong 0 0');
    await hub.announceMode('paused', 7);
    await node.next('mode.changed');
    await evictDurableObject(hubStub(), { webSockets: 'hibernate' });
    node.sendRaw(PING);
    expect(await node.text()).toBe('pong 7 0');
  });

  it('is in the pong of a hub that was evicted with its sockets', async () => {
    await hub.announceMode('paused', 7);
    await evictDurableObject(hubStub(), { webSockets: 'close' });
    const node = await TestNode.connect('a');
    node.sendRaw(PING);
    expect(await node.text()).toBe('pong 7 0');
  });

  it('never lowers the numbers of the pong', async () => {
    const node = await TestNode.connect('a');
    await hub.announceMode('paused', 7);
    await hub.announceMode('running', 6);
    await node.next('mode.changed');
    await node.next('mode.changed');
    node.sendRaw(PING);
    expect(await node.text()).toBe('pong 7 0');
  });

  it('is replaced by the state of the objects in a hub that has received none', async () => {
    await automationState(env).change({ mode: 'paused', requested_by: null, reason: null });
    const node = await TestNode.connect('a');
    node.sendRaw(PING);
    expect(await node.text()).toBe('pong 1 0');
  });
});

describe('the presence of a node', () => {
  it('is its contact: a pong counts, an open socket alone does not, and the last contact is stored', async () => {
    expect((await hub.presence(['a'])).a).toEqual({ connected: false, contact_age_ms: null });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 10 * LEASE.ttl_sec * 1_000 });
    const node = await TestNode.connect('a');
    expect((await hub.presence(['a'])).a).toEqual({ connected: true, contact_age_ms: 0 });
    vi.setSystemTime(Date.now() + LEASE.ttl_sec * 1_000 + 1);
    expect((await hub.presence(['a'])).a).toMatchObject({ connected: false });
    vi.useRealTimers();
    node.sendRaw(PING);
    await node.text();
    expect((await hub.presence(['a'])).a).toMatchObject({ connected: true });
    node.close();
    await expect.poll(() => hub.presence(['a'])).toMatchObject({ a: { connected: false } });
    expect((await hub.presence(['a'])).a?.contact_age_ms).toBeLessThan(LEASE.ttl_sec * 1_000);
  });
});

describe('a socket whose token has expired', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: Date.now() }));
  const expire = () => vi.setSystemTime(Date.now() + 60_000);

  it('gets no further frame, and is closed by the next one that would be sent', async () => {
    const node = await TestNode.connect('a', Date.now() + 60_000);
    await node.hello();
    expect(await hub.push('a', { type: 'changed', topic: 'approvals', ids: [] })).toBe(true);
    expire();
    expect(await hub.push('a', { type: 'changed', topic: 'approvals', ids: [] })).toBe(false);
    expect(await node.closed).toBe(CLOSE.token);
  });

  it('is closed by the next frame that it sends, which renews no lease', async () => {
    await acquire('a');
    const node = await TestNode.connect('a', Date.now() + 10_000);
    vi.setSystemTime(Date.now() + 10_000);
    node.send({ type: 'lease.renew', term: 1, ttl_sec: TTL_SEC });
    expect(await node.closed).toBe(CLOSE.token);
    expect((await leaderLease(env).read()).expires_in_ms).toBeLessThanOrEqual(TTL_SEC * 1_000 - 10_000);
  });
});

describe('a second connection of a node', () => {
  it('replaces the first, which is closed with the code for that', async () => {
    const first = await TestNode.connect('a');
    await first.hello();
    const second = await TestNode.connect('a');
    await second.hello();
    expect(await first.closed).toBe(CLOSE.replaced);
    expect(await hub.push('a', { type: 'changed', topic: 'approvals', ids: [] })).toBe(true);
    expect(await second.next('changed')).toMatchObject({ topic: 'approvals' });
    expect((await hub.presence(['a'])).a).toMatchObject({ connected: true });
  });
});
