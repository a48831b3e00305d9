import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { nodeHub } from '../../../durable-objects/stubs.ts';
import { CLOSE } from '../../../schema/contracts/channel-frames.ts';
import { BOOT_ALIVE_MS } from '../../../schema/domain/boots.ts';
import { NODE, TestEdge } from '../support/edge.ts';
import { freshEdge, TestNode } from './support.ts';

const hub = nodeHub(env, 'any');
const boot = (boot_id: string, previous_boot_id: string | null = null) => ({ boot_id, previous_boot_id });

beforeEach(freshEdge);
afterEach(() => {
  vi.useRealTimers();
});

describe('a second agent under one node id', () => {
  it('is refused while the first lives, which keeps its channel', async () => {
    const first = await TestNode.connect('a');
    await first.hello(boot('first'));
    const second = await TestNode.connect('a');
    second.sayHello(boot('second'));
    expect(await second.next('error')).toEqual({ type: 'error', re: 'hello', code: 'duplicate_node' });
    expect(await second.closed).toBe(CLOSE.duplicate);
    expect(await hub.push('a', { type: 'changed', topic: 'approvals', ids: [] })).toBe(true);
    expect(await first.next('changed')).toMatchObject({ topic: 'approvals' });
  });

  it('gets nothing of what is sent to the node before it is refused', async () => {
    const first = await TestNode.connect('a');
    await first.hello(boot('first'));
    const second = await TestNode.connect('a');
    await hub.push('a', { type: 'changed', topic: 'approvals', ids: [] });
    second.sayHello(boot('second'));
    expect(JSON.parse(await second.text())).toMatchObject({ type: 'error', code: 'duplicate_node' });
  });

  it('is admitted once the first was silent for three pings, and the first is then refused when it wakes', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 2 * BOOT_ALIVE_MS });
    const hung = await TestNode.connect('a');
    await hung.hello(boot('first'));
    vi.useRealTimers();
    const second = await TestNode.connect('a');
    await second.hello(boot('second'));
    expect(await hung.closed).toBe(CLOSE.replaced);
    const woken = await TestNode.connect('a');
    woken.sayHello(boot('first'));
    expect(await woken.next('error')).toMatchObject({ code: 'duplicate_node' });
  });

  it('is refused after the channel of the first was cut, which may come back', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 2 * BOOT_ALIVE_MS });
    const first = await TestNode.connect('a');
    await first.hello(boot('first'));
    vi.useRealTimers();
    first.send({ type: 'lease.renew', term: 1, ttl_sec: 15 });
    await first.next('lease.result');
    first.close();
    await first.closed;
    const second = await TestNode.connect('a');
    second.sayHello(boot('second'));
    expect(await second.next('error')).toMatchObject({ code: 'duplicate_node' });
    const again = await TestNode.connect('a');
    await again.hello(boot('first'));
  });
});

describe('the next process of an agent', () => {
  it('takes over at once, though the socket of the killed one is still open', async () => {
    const killed = await TestNode.connect('a');
    await killed.hello(boot('first'));
    const next = await TestNode.connect('a');
    await next.hello(boot('second', 'first'));
    expect(await killed.closed).toBe(CLOSE.replaced);
  });

  it('of an older version, which names no boot, is admitted as before', async () => {
    const newer = await TestNode.connect('a');
    await newer.hello(boot('first'));
    const older = await TestNode.connect('a');
    await older.hello();
    expect(await newer.closed).toBe(CLOSE.replaced);
    const other = await TestNode.connect('a');
    await other.hello(boot('third'));
  });
});

it('sockets of one node that are opened at the same moment: each that is replaced is closed with the code for that', async () => {
  const nodes = await Promise.all(Array.from({ length: 6 }, () => TestNode.connect('a')));
  for (const node of nodes) node.sayHello(boot('one'));
  const closed = nodes.map((node) => node.closed);
  const replaced: number[] = [];
  for (const code of closed) void code.then((value) => replaced.push(value));
  await expect.poll(() => replaced).toHaveLength(5);
  expect(new Set(replaced)).toEqual(new Set([CLOSE.replaced]));
  expect(await hub.push('a', { type: 'changed', topic: 'approvals', ids: [] })).toBe(true);
});

describe('a request of a second agent', () => {
  it.each([
    ['POST', '/v1/controllers/heartbeat', { host: 'b', role: 'primary', priority: 1, status: 'standby' }],
    ['POST', '/v1/leader/acquire', { host: 'b', ttl_sec: 30 }],
    ['GET', `/v1/controllers/${NODE}/commands`, undefined],
  ] as const)(
    '%s %s is refused with words while the first is in contact, and accepted without a boot',
    async (method, path, part) => {
      const edge = new TestEdge();
      const { token } = await edge.mint('controller');
      const body = part === undefined ? undefined : { controller_id: NODE, ...part };
      const call = (headers: Record<string, string>) => ({ token, headers, ...(body && { body }) });
      const headers = { 'x-baa-boot-id': 'first' };
      await edge.data(method, path, call(headers));
      const refusal = await edge.error(method, path, call({ 'x-baa-boot-id': 'second' }));
      expect(refusal).toMatchObject({ status: 409, error: 'duplicate_node' });
      expect(refusal.message).toContain('stop it, or start this one with its own node id');
      await edge.data(method, path, call({ 'x-baa-boot-id': 'third', 'x-baa-previous-boot-id': 'first' }));
      await edge.data(method, path, call({}));
    },
  );
});
