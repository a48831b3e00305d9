import { evictDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { leaderLease, timedJobs } from '../../../durable-objects/stubs.ts';
import type { LeaderAcquireBody, LeaderAcquireResponse, LeaderTerm } from '../../../schema/contracts/leader.ts';
import {
  fenceRow,
  freshEdge,
  holdBackD1,
  jobsStub,
  leaseStub,
  TestNode,
  until,
  withBackend,
  withoutFence,
} from './support.ts';

const TTL_SEC = 30;
const lease = leaderLease(env);

type Acquired = Awaited<ReturnType<typeof lease.acquire>>;
const ask = (controller_id: string, more: Partial<LeaderAcquireBody> = {}): Promise<Acquired> =>
  lease.acquire({ controller_id, host: `${controller_id}-host`, ttl_sec: TTL_SEC, ...more });

/** The response to a call; fails when the fence lags. */
async function responseOf(asked: Promise<Acquired>): Promise<LeaderAcquireResponse> {
  const result = await asked;
  if (result.status !== 'ok') throw new Error(`expected a response, got ${result.status}`);
  return result.response;
}

async function history(): Promise<LeaderTerm[]> {
  const { results } = await env.DB.prepare('SELECT * FROM leader_terms ORDER BY term').all<LeaderTerm>();
  return results;
}

beforeEach(freshEdge);
afterEach(() => {
  vi.useRealTimers();
});

/** Ahead of the real clock, so that the alarm that a new leader sets does not fire during a test. */
const T0 = Date.UTC(2100, 0, 1);

function atTime(now: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now });
}

describe('LeaderLease', () => {
  it('keeps the lease through an eviction', async () => {
    const first = await responseOf(ask('a', { metadata: { v: 1 } }));
    expect(first).toMatchObject({ is_leader: true, operation: 'acquire', term: 1, holder_host: 'a-host' });
    await evictDurableObject(leaseStub());
    expect(await lease.read()).toMatchObject({ holder_id: 'a', term: 1, metadata: { v: 1 } });
    expect(await responseOf(lease.renew('a', 1, TTL_SEC))).toMatchObject({
      is_leader: true,
      operation: 'renew',
      term: 1,
    });
    expect(await responseOf(ask('b'))).toMatchObject({ is_leader: false, holder_id: 'a', term: 1 });
  });

  it('raises the fence in D1 before it grants a term, and writes history on a new term only', async () => {
    atTime(T0);
    await responseOf(ask('a'));
    expect(await fenceRow()).toMatchObject({ term: 1, holder_id: 'a' });
    await responseOf(lease.renew('a', 1, TTL_SEC));
    await responseOf(ask('a'));
    await lease.release({ controller_id: 'a', term: 1 });
    atTime(T0 + 5_000);
    await responseOf(ask('b'));
    expect(await fenceRow()).toMatchObject({ term: 2, holder_id: 'b' });
    expect(await history()).toEqual([
      { term: 1, holder_id: 'a', holder_host: 'a-host', acquired_at: T0 },
      { term: 2, holder_id: 'b', holder_host: 'b-host', acquired_at: T0 + 5_000 },
    ]);
  });

  it('grants a lapsed lease under a new term, also to the previous holder', async () => {
    atTime(T0);
    await responseOf(ask('a'));
    atTime(T0 + TTL_SEC * 1_000);
    expect((await lease.read()).holder_id).toBeNull();
    expect(await responseOf(lease.renew('a', 1, TTL_SEC))).toMatchObject({ is_leader: false, operation: 'renew' });
    expect(await responseOf(ask('a'))).toMatchObject({ is_leader: true, operation: 'acquire', term: 2 });
  });

  it('grants one of many requests that arrive at once', async () => {
    const responses = await Promise.all(Array.from({ length: 30 }, (_, index) => responseOf(ask(`n${index}`))));
    expect(responses.filter((one) => one.is_leader)).toHaveLength(1);
    expect(new Set(responses.map((one) => `${one.term} ${one.holder_id}`)).size).toBe(1);
    expect(await history()).toHaveLength(1);
  });

  it('responds to the renewals of one turn in their order', async () => {
    await responseOf(ask('a'));
    const result = await lease.renewAll([
      { controller_id: 'b', term: 1, ttl_sec: TTL_SEC },
      { controller_id: 'a', term: 1, ttl_sec: TTL_SEC },
      { controller_id: 'a', term: 0, ttl_sec: TTL_SEC },
    ]);
    expect(result).toMatchObject({
      status: 'ok',
      responses: [{ is_leader: false }, { is_leader: true }, { is_leader: false }],
    });
  });

  it('is freed by a release of its holder and term, and by no other release', async () => {
    await responseOf(ask('a'));
    expect(await lease.release({ controller_id: 'a', term: 0 })).toMatchObject({
      released: false,
      lease: { holder_id: 'a' },
    });
    expect(await lease.release({ controller_id: 'b', term: 1 })).toMatchObject({ released: false });
    expect(await lease.release({ controller_id: 'a', term: 1 })).toMatchObject({
      released: true,
      lease: { holder_id: null },
    });
    expect(await responseOf(ask('b'))).toMatchObject({ is_leader: true, term: 2 });
  });

  it.each([14, 301, 20.5])('refuses a TTL of %d s without changing the lease', async (ttl_sec) => {
    const refused = async () => ask('a', { ttl_sec });
    await expect(refused).rejects.toThrow();
    expect(await lease.read()).toMatchObject({ holder_id: null, term: 0 });
  });

  it('asks a holder to yield to the preferred node, which alone may acquire the lease next', async () => {
    const start = T0;
    atTime(start);
    await responseOf(ask('a'));
    for (let sec = 0; sec <= 60; sec += 10) {
      atTime(start + sec * 1_000);
      await responseOf(lease.renew('a', 1, TTL_SEC));
      expect(await responseOf(ask('p', { preferred: true }))).toMatchObject({ is_leader: false });
    }
    await evictDurableObject(leaseStub());
    expect(await responseOf(lease.renew('a', 1, TTL_SEC))).toMatchObject({ is_leader: true, yield_to: 'p' });
    await lease.release({ controller_id: 'a', term: 1 });
    expect(await responseOf(ask('b'))).toMatchObject({ is_leader: false, holder_id: null, expires_in_ms: 10_000 });
    expect(await responseOf(ask('p', { preferred: true }))).toMatchObject({ is_leader: true, term: 2 });
  });

  it('notifies the nodes when its holder restarts with another preferred flag', async () => {
    await responseOf(ask('a', { preferred: true }));
    const node = await TestNode.connect('b');
    expect((await node.hello()).lease).toMatchObject({ holder_id: 'a', holder_preferred: true });
    await responseOf(ask('a'));
    expect((await node.next('lease.changed')).lease).toMatchObject({ term: 1, holder_preferred: false });
  });

  it('starts a tick of the timed jobs when a node begins to lead', async () => {
    const alarmTick = vi.fn(async () => ({ decision: 'scheduled' as const, next_due_at: null }));
    await withBackend(jobsStub(), { alarmTick });
    await responseOf(ask('a'));
    // Due until its alarm fires, which the tick of an earlier test may hold up on a busy machine.
    await until(async () => (await timedJobs(env).read()).next_due_at !== null || alarmTick.mock.calls.length > 0);
  });
});

describe('LeaderLease while D1 fails', () => {
  it('grants nothing until the fence is raised, a repeat included, and then continues', async () => {
    await withoutFence(async () => {
      expect(await ask('a')).toEqual({ status: 'fence_lag' });
      expect(await ask('a')).toEqual({ status: 'fence_lag' });
      expect(await lease.renew('a', 1, TTL_SEC)).toEqual({ status: 'fence_lag' });
      expect(await lease.ensureFence()).toBe(false);
      await evictDurableObject(leaseStub());
      expect(await ask('b')).toEqual({ status: 'fence_lag' });
    });
    expect(await fenceRow()).toMatchObject({ term: 0 });
    expect(await responseOf(lease.renew('a', 1, TTL_SEC))).toMatchObject({ is_leader: true, term: 1 });
    expect(await fenceRow()).toMatchObject({ term: 1, holder_id: 'a' });
    expect(await history()).toMatchObject([{ term: 1, holder_id: 'a' }]);
  });

  it('keeps renewing a lease whose fence is raised', async () => {
    await responseOf(ask('a'));
    await withoutFence(async () => {
      expect(await responseOf(lease.renew('a', 1, TTL_SEC))).toMatchObject({ is_leader: true });
    });
  });

  it('still releases, and raises the fence to the released term before it grants the next', async () => {
    await withoutFence(async () => {
      expect(await ask('a')).toEqual({ status: 'fence_lag' });
      expect(await lease.release({ controller_id: 'a', term: 1 })).toMatchObject({ released: true });
      expect(await ask('b')).toEqual({ status: 'fence_lag' });
    });
    expect(await responseOf(ask('b'))).toMatchObject({ is_leader: true, term: 2 });
    expect((await history()).map(({ term, holder_id }) => [term, holder_id])).toEqual([
      [1, 'a'],
      [2, 'b'],
    ]);
  });

  it.each([
    ['a later term', 7],
    ['another holder of the same term', 1],
  ])('grants no term that D1 has otherwise: %s', async (_name, term) => {
    await env.DB.batch([
      env.DB.prepare('UPDATE fence SET term = ?').bind(term),
      env.DB.prepare("INSERT INTO leader_terms VALUES (?, 'x', 'x-host', 5)").bind(term),
    ]);
    expect(await ask('a')).toEqual({ status: 'fence_lag' });
    expect(await responseOf(ask('a'))).toMatchObject({ is_leader: true, term: term + 1 });
    expect(await fenceRow()).toMatchObject({ term: term + 1, holder_id: 'a' });
  });

  it('does not let a node lead that released its term while D1 was asked', async () => {
    const { isAsked, release } = await holdBackD1(leaseStub());
    const acquiring = responseOf(ask('a'));
    await until(isAsked);
    expect(await lease.release({ controller_id: 'a', term: 1 })).toMatchObject({ released: true });
    release();
    expect(await acquiring).toMatchObject({ is_leader: false, holder_id: null, term: 1 });
  });
});
