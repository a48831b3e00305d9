import { evictDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { leaderLease } from '../../../durable-objects/stubs.ts';
import type { LeaderAcquireBody, LeaderAcquireResponse, LeaderTerm } from '../../../schema/contracts/leader.ts';
import { fenceRow, freshEdge, jobsStub, leaseStub, TestNode, withBackend, withoutFence } from './support.ts';

const TTL_SEC = 30;
const lease = leaderLease(env);

type Acquired = Awaited<ReturnType<typeof lease.acquire>>;
const ask = (controller_id: string, more: Partial<LeaderAcquireBody> = {}): Promise<Acquired> =>
  lease.acquire({ controller_id, host: `${controller_id}-host`, ttl_sec: TTL_SEC, ...more });

/** The answer of a call that must not have met a lagging fence. */
async function answered(asked: Promise<Acquired>): Promise<LeaderAcquireResponse> {
  const result = await asked;
  if (result.status !== 'ok') throw new Error(`expected an answer, got ${result.status}`);
  return result.answer;
}

async function history(): Promise<LeaderTerm[]> {
  const { results } = await env.DB.prepare('SELECT * FROM leader_terms ORDER BY term').all<LeaderTerm>();
  return results;
}

beforeEach(freshEdge);
afterEach(() => {
  vi.useRealTimers();
});

/** Ahead of the real clock: the alarm that a new leader sets must not ring, again and again, meanwhile. */
const T0 = Date.UTC(2100, 0, 1);

function atTime(now: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now });
}

describe('LeaderLease', () => {
  it('keeps the lease through an eviction', async () => {
    const first = await answered(ask('a', { metadata: { v: 1 } }));
    expect(first).toMatchObject({ is_leader: true, operation: 'acquire', term: 1, holder_host: 'a-host' });
    await evictDurableObject(leaseStub());
    expect(await lease.read()).toMatchObject({ holder_id: 'a', term: 1, metadata: { v: 1 } });
    expect(await answered(lease.renew('a', 1, TTL_SEC))).toMatchObject({
      is_leader: true,
      operation: 'renew',
      term: 1,
    });
    expect(await answered(ask('b'))).toMatchObject({ is_leader: false, holder_id: 'a', term: 1 });
  });

  it('has raised the fence in D1 before it says "you lead", and writes history on change only', async () => {
    atTime(T0);
    await answered(ask('a'));
    expect(await fenceRow()).toMatchObject({ term: 1, holder_id: 'a' });
    await answered(lease.renew('a', 1, TTL_SEC));
    await answered(ask('a'));
    await lease.release({ controller_id: 'a', term: 1 });
    atTime(T0 + 5_000);
    await answered(ask('b'));
    expect(await fenceRow()).toMatchObject({ term: 2, holder_id: 'b' });
    expect(await history()).toEqual([
      { term: 1, holder_id: 'a', holder_host: 'a-host', acquired_at: T0 },
      { term: 2, holder_id: 'b', holder_host: 'b-host', acquired_at: T0 + 5_000 },
    ]);
  });

  it('grants a lapsed lease under a new term, also to the previous holder', async () => {
    atTime(T0);
    await answered(ask('a'));
    atTime(T0 + TTL_SEC * 1_000);
    expect((await lease.read()).holder_id).toBeNull();
    expect(await answered(lease.renew('a', 1, TTL_SEC))).toMatchObject({ is_leader: false, operation: 'renew' });
    expect(await answered(ask('a'))).toMatchObject({ is_leader: true, operation: 'acquire', term: 2 });
  });

  it('grants one of many that ask at once', async () => {
    const answers = await Promise.all(Array.from({ length: 30 }, (_, index) => answered(ask(`n${index}`))));
    expect(answers.filter((answer) => answer.is_leader)).toHaveLength(1);
    expect(new Set(answers.map((answer) => `${answer.term} ${answer.holder_id}`)).size).toBe(1);
    expect(await history()).toHaveLength(1);
  });

  it('answers the renewals of one turn in their order', async () => {
    await answered(ask('a'));
    const result = await lease.renewAll([
      { controller_id: 'b', term: 1, ttl_sec: TTL_SEC },
      { controller_id: 'a', term: 1, ttl_sec: TTL_SEC },
      { controller_id: 'a', term: 0, ttl_sec: TTL_SEC },
    ]);
    expect(result).toMatchObject({
      status: 'ok',
      answers: [{ is_leader: false }, { is_leader: true }, { is_leader: false }],
    });
  });

  it('frees the lease by its holder’s release, and by nothing older', async () => {
    await answered(ask('a'));
    expect(await lease.release({ controller_id: 'a', term: 0 })).toMatchObject({
      released: false,
      lease: { holder_id: 'a' },
    });
    expect(await lease.release({ controller_id: 'b', term: 1 })).toMatchObject({ released: false });
    expect(await lease.release({ controller_id: 'a', term: 1 })).toMatchObject({
      released: true,
      lease: { holder_id: null },
    });
    expect(await answered(ask('b'))).toMatchObject({ is_leader: true, term: 2 });
  });

  it.each([14, 301, 20.5])('refuses a TTL of %d s and changes nothing', async (ttl_sec) => {
    const refused = async () => ask('a', { ttl_sec });
    await expect(refused).rejects.toThrow();
    expect(await lease.read()).toMatchObject({ holder_id: null, term: 0 });
  });

  it('tells a holder to yield to the preferred node, which alone may follow it', async () => {
    const start = T0;
    atTime(start);
    await answered(ask('a'));
    for (let sec = 0; sec <= 60; sec += 10) {
      atTime(start + sec * 1_000);
      await answered(lease.renew('a', 1, TTL_SEC));
      expect(await answered(ask('p', { preferred: true }))).toMatchObject({ is_leader: false });
    }
    await evictDurableObject(leaseStub());
    expect(await answered(lease.renew('a', 1, TTL_SEC))).toMatchObject({ is_leader: true, yield_to: 'p' });
    await lease.release({ controller_id: 'a', term: 1 });
    expect(await answered(ask('b'))).toMatchObject({ is_leader: false, holder_id: null, expires_in_ms: 10_000 });
    expect(await answered(ask('p', { preferred: true }))).toMatchObject({ is_leader: true, term: 2 });
  });

  it('tells the nodes when its holder comes back as a preferred one, or as one that is not', async () => {
    await answered(ask('a', { preferred: true }));
    const node = await TestNode.connect('b');
    expect((await node.hello()).lease).toMatchObject({ holder_id: 'a', holder_preferred: true });
    await answered(ask('a'));
    expect((await node.next('lease.changed')).lease).toMatchObject({ term: 1, holder_preferred: false });
  });

  it('has the timed jobs look at what is due when somebody begins to lead', async () => {
    const tick = vi.fn(async () => ({ batch_id: 'tick_1', decision: 'scheduled' as const }));
    await withBackend(jobsStub(), { tick });
    await answered(ask('a'));
    await vi.waitFor(() => expect(tick).toHaveBeenCalledWith('alarm'), { timeout: 5_000 });
  });
});

describe('LeaderLease while D1 fails', () => {
  it('says nothing as granted until the fence stands, a repeat included, and then goes on', async () => {
    await withoutFence(async () => {
      expect(await ask('a')).toEqual({ status: 'fence_lag' });
      expect(await ask('a')).toEqual({ status: 'fence_lag' });
      expect(await lease.renew('a', 1, TTL_SEC)).toEqual({ status: 'fence_lag' });
      expect(await lease.ensureFence()).toBe(false);
      await evictDurableObject(leaseStub());
      expect(await ask('b')).toEqual({ status: 'fence_lag' });
    });
    expect(await fenceRow()).toMatchObject({ term: 0 });
    expect(await answered(lease.renew('a', 1, TTL_SEC))).toMatchObject({ is_leader: true, term: 1 });
    expect(await fenceRow()).toMatchObject({ term: 1, holder_id: 'a' });
    expect(await history()).toMatchObject([{ term: 1, holder_id: 'a' }]);
  });

  it('goes on renewing a lease whose fence stands', async () => {
    await answered(ask('a'));
    await withoutFence(async () => {
      expect(await answered(lease.renew('a', 1, TTL_SEC))).toMatchObject({ is_leader: true });
    });
  });

  it('still releases, and fences the released term before it grants the next', async () => {
    await withoutFence(async () => {
      expect(await ask('a')).toEqual({ status: 'fence_lag' });
      expect(await lease.release({ controller_id: 'a', term: 1 })).toMatchObject({ released: true });
      expect(await ask('b')).toEqual({ status: 'fence_lag' });
    });
    expect(await answered(ask('b'))).toMatchObject({ is_leader: true, term: 2 });
    expect((await history()).map(({ term, holder_id }) => [term, holder_id])).toEqual([
      [1, 'a'],
      [2, 'b'],
    ]);
  });

  it.each([
    ['a later term', 7],
    ['another holder of the same term', 1],
  ])('leads nobody under a term that D1 knows otherwise: %s', async (_name, term) => {
    await env.DB.batch([
      env.DB.prepare('UPDATE fence SET term = ?').bind(term),
      env.DB.prepare("INSERT INTO leader_terms VALUES (?, 'x', 'x-host', 5)").bind(term),
    ]);
    expect(await ask('a')).toEqual({ status: 'fence_lag' });
    expect(await answered(ask('a'))).toMatchObject({ is_leader: true, term: term + 1 });
    expect(await fenceRow()).toMatchObject({ term: term + 1, holder_id: 'a' });
  });
});
