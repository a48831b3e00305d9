import { describe, expect, it } from 'vitest';
import type { LeaseTransport } from '../../../../local-agent/node/lease-loop.ts';
import { LeaseLoop } from '../../../../local-agent/node/lease-loop.ts';
import type { LeaseRules } from '../../../../local-agent/node/node-state.ts';
import { leaseResponse, leaseView } from '../../../support/fake-edge.ts';
import { TestClock } from '../../../support/test-clock.ts';

const standard: LeaseRules = {
  nodeId: 'node-a',
  preferred: false,
  ttlMs: 30_000,
  renewIntervalMs: 5_000,
  renewFailureThreshold: 2,
};

function setUp(over: Partial<LeaseTransport> = {}, rules = standard) {
  const clock = new TestClock();
  const calls: string[] = [];
  const transport: LeaseTransport = {
    acquire: async () => leaseResponse({ operation: 'acquire' }),
    renew: async () => leaseResponse(),
    release: async () => ({ released: true, lease: leaseView({ term: 1 }) }),
    hasNotices: () => true,
    ...over,
  };
  const recorded: LeaseTransport = {
    acquire: () => {
      calls.push(`acquire@${clock.monotonicMs}`);
      return transport.acquire();
    },
    renew: (term) => {
      calls.push(`renew@${clock.monotonicMs}`);
      return transport.renew(term);
    },
    release: (term) => {
      calls.push(`release ${term}@${clock.monotonicMs}`);
      return transport.release(term);
    },
    hasNotices: () => transport.hasNotices(),
  };
  const states: string[] = [];
  const loop = new LeaseLoop({ clock, rules, transport: recorded, onFailure: () => undefined });
  loop.changed.on(({ state }) => states.push(state));
  return { clock, calls, states, loop };
}

const away = () => Promise.reject(new Error('away'));
const never = () => new Promise<never>(() => undefined);

describe('the lease loop', () => {
  it('a leader renews at every interval', async () => {
    const { clock, calls, loop } = setUp();
    await loop.acquireOnce();
    loop.start();
    await clock.elapse(16_000);
    expect(calls).toEqual(['acquire@0', 'renew@5000', 'renew@10000', 'renew@15000']);
    expect(loop.isLeader()).toBe(true);
  });

  it('a leader becomes degraded after two failures, retries, and leads again', async () => {
    let isAway = false;
    const { clock, states, loop } = setUp({ renew: async () => (isAway ? away() : leaseResponse()) });
    await loop.acquireOnce();
    loop.start();
    isAway = true;
    await clock.elapse(10_000);
    expect(states).toEqual(['leader', 'degraded']);
    isAway = false;
    await clock.elapse(5_000);
    expect(states).toEqual(['leader', 'degraded', 'leader']);
  });

  it('a leader stops leading when a renewal hangs beyond its trust', async () => {
    const { clock, states, loop } = setUp({ renew: never });
    await loop.acquireOnce();
    loop.start();
    await clock.elapse(24_999);
    expect(loop.isLeader()).toBe(true);
    await clock.elapse(1);
    expect(states).toEqual(['leader', 'standby']);
  });

  it('a leader that has slept too long does not lead, even before a timer fires', async () => {
    const { clock, loop } = setUp();
    await loop.acquireOnce();
    clock.wallMs += 25_000;
    expect(loop.isLeader()).toBe(false);
  });

  it('a leader that is asked to yield releases at once', async () => {
    const { clock, calls, loop } = setUp({ renew: async () => leaseResponse({ yield_to: 'node-b' }) });
    await loop.acquireOnce();
    loop.start();
    await clock.elapse(5_000);
    expect(calls).toEqual(['acquire@0', 'renew@5000', 'release 1@5000']);
    expect(loop.state).toBe('standby');
  });

  it('a leader that a person drains releases at once, and requests no lease until that ends', async () => {
    const { clock, calls, loop } = setUp({}, { ...standard, preferred: true });
    await loop.acquireOnce();
    loop.start();
    loop.setDraining(true);
    await clock.elapse(0);
    loop.notice(leaseView({ term: 1 }), true);
    await clock.elapse(120_000);
    expect(calls).toEqual(['acquire@0', 'release 1@0']);
    expect(loop.state).toBe('standby');
    loop.setDraining(false);
    await clock.elapse(0);
    expect(calls.slice(2)).toEqual(['acquire@120000']);
    expect(loop.isLeader()).toBe(true);
  });

  it('a drained node that is granted a lease all the same releases it at once', async () => {
    let grant: () => void = () => undefined;
    const granted = new Promise<ReturnType<typeof leaseResponse>>((resolve) => {
      grant = () => resolve(leaseResponse());
    });
    const { clock, calls, loop } = setUp({ acquire: () => granted });
    loop.start();
    loop.notice(leaseView(), true);
    await clock.elapse(0);
    loop.setDraining(true);
    grant();
    await clock.elapse(0);
    expect(calls).toEqual(['acquire@0', 'release 1@0']);
  });

  it('a drained node requests no lease at its start', async () => {
    const { calls, loop } = setUp();
    loop.setDraining(true);
    expect(await loop.acquireOnce()).toMatchObject({ state: 'standby', draining: true });
    expect(calls).toEqual([]);
  });

  it('a candidate requests the lease at once when a release is reported', async () => {
    const taken = leaseResponse({ is_leader: false, holder_id: 'node-b', expires_in_ms: 20_000 });
    let response = taken;
    const { clock, calls, loop } = setUp({ acquire: async () => response });
    await loop.acquireOnce();
    loop.start();
    await clock.elapse(500);
    response = leaseResponse({ term: 2 });
    loop.notice(leaseView({ term: 1 }), true);
    await clock.elapse(0);
    expect(calls).toEqual(['acquire@0', 'acquire@500']);
    expect(loop.isLeader()).toBe(true);
  });

  it('a stopping leader releases its lease', async () => {
    const { calls, loop } = setUp();
    await loop.acquireOnce();
    loop.start();
    await loop.stop(1_000);
    expect(calls).toEqual(['acquire@0', 'release 1@0']);
    expect(loop.state).toBe('stopping');
  });

  it('a lease that is granted during the stop is released', async () => {
    let grant: () => void = () => undefined;
    const { clock, calls, loop } = setUp({
      acquire: () =>
        new Promise((resolve) => {
          grant = () => resolve(leaseResponse({ term: 9 }));
        }),
    });
    const asking = loop.acquireOnce();
    await clock.flush();
    const stopping = loop.stop(1_000);
    grant();
    await Promise.all([asking, stopping]);
    expect(calls).toEqual(['acquire@0', 'release 9@0']);
    expect(loop.isLeader()).toBe(false);
  });

  it('a stop ends in time when the edge does not respond', async () => {
    const { clock, loop } = setUp({ release: never });
    await loop.acquireOnce();
    const stopping = loop.stop(1_000);
    await clock.elapse(1_000);
    await stopping;
    expect(clock.pendingTimers).toBe(0);
  });
});
