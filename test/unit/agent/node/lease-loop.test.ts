import { describe, expect, it } from 'vitest';
import type { LeaseTransport } from '../../../../local-agent/node/lease-loop.ts';
import { LeaseLoop } from '../../../../local-agent/node/lease-loop.ts';
import type { LeaseRules } from '../../../../local-agent/node/node-state.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { leaseResponse, leaseView } from '../../../support/fake-edge.ts';

const standard: LeaseRules = {
  nodeId: 'node-a',
  preferred: false,
  ttlMs: 30_000,
  renewIntervalMs: 5_000,
  renewFailureThreshold: 2,
};

function setUp(over: Partial<LeaseTransport> = {}, rules = standard) {
  const clock = new FakeClock();
  const calls: string[] = [];
  const transport: LeaseTransport = {
    acquire: async () => leaseResponse({ operation: 'acquire' }),
    renew: async () => leaseResponse(),
    release: async () => ({ released: true, lease: leaseView({ term: 1 }) }),
    alone: () => false,
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
    alone: () => transport.alone(),
  };
  const states: string[] = [];
  const loop = new LeaseLoop({ clock, rules, transport: recorded, onFailure: () => undefined });
  loop.changed.on(({ state }) => states.push(state));
  return { clock, calls, states, loop };
}

const away = () => Promise.reject(new Error('away'));
const never = () => new Promise<never>(() => undefined);

describe('the lease loop', () => {
  it('renews each interval while it leads', async () => {
    const { clock, calls, loop } = setUp();
    await loop.acquireOnce();
    loop.start();
    await clock.advance(16_000);
    expect(calls).toEqual(['acquire@0', 'renew@5000', 'renew@10000', 'renew@15000']);
    expect(loop.isLeader()).toBe(true);
  });

  it('degrades after two failures, tries on, and recovers', async () => {
    let isAway = false;
    const { clock, states, loop } = setUp({ renew: async () => (isAway ? away() : leaseResponse()) });
    await loop.acquireOnce();
    loop.start();
    isAway = true;
    await clock.advance(10_000);
    expect(states).toEqual(['leader', 'degraded']);
    isAway = false;
    await clock.advance(5_000);
    expect(states).toEqual(['leader', 'degraded', 'leader']);
  });

  it('gives up by itself when a renewal hangs', async () => {
    const { clock, states, loop } = setUp({ renew: never });
    await loop.acquireOnce();
    loop.start();
    await clock.advance(24_999);
    expect(loop.isLeader()).toBe(true);
    await clock.advance(1);
    expect(states).toEqual(['leader', 'standby']);
  });

  it('knows on waking that it has slept too long, before any timer says so', async () => {
    const { clock, loop } = setUp();
    await loop.acquireOnce();
    clock.wallMs += 25_000;
    expect(loop.isLeader()).toBe(false);
  });

  it('releases at once when asked to yield', async () => {
    const { clock, calls, loop } = setUp({ renew: async () => leaseResponse({ yield_to: 'node-b' }) });
    await loop.acquireOnce();
    loop.start();
    await clock.advance(5_000);
    expect(calls).toEqual(['acquire@0', 'renew@5000', 'release 1@5000']);
    expect(loop.state).toBe('standby');
  });

  it('takes over at once when it is told of a release', async () => {
    const taken = leaseResponse({ is_leader: false, holder_id: 'node-b', expires_in_ms: 20_000 });
    let answer = taken;
    const { clock, calls, loop } = setUp({ acquire: async () => answer });
    await loop.acquireOnce();
    loop.start();
    await clock.advance(500);
    answer = leaseResponse({ term: 2 });
    loop.told(leaseView({ term: 1 }), true);
    await clock.advance(0);
    expect(calls).toEqual(['acquire@0', 'acquire@500']);
    expect(loop.isLeader()).toBe(true);
  });

  it('gives the lease back when it stops', async () => {
    const { calls, loop } = setUp();
    await loop.acquireOnce();
    loop.start();
    await loop.stop(1_000);
    expect(calls).toEqual(['acquire@0', 'release 1@0']);
    expect(loop.state).toBe('stopping');
  });

  it('gives back what it is granted while it stops', async () => {
    let grant: () => void = () => undefined;
    const { clock, calls, loop } = setUp({
      acquire: () =>
        new Promise((resolve) => {
          grant = () => resolve(leaseResponse({ term: 9 }));
        }),
    });
    const asking = loop.acquireOnce();
    await clock.settle();
    const stopping = loop.stop(1_000);
    grant();
    await Promise.all([asking, stopping]);
    expect(calls).toEqual(['acquire@0', 'release 9@0']);
    expect(loop.isLeader()).toBe(false);
  });

  it('stops in time even when the edge does not answer', async () => {
    const { clock, loop } = setUp({ release: never });
    await loop.acquireOnce();
    const stopping = loop.stop(1_000);
    await clock.advance(1_000);
    await stopping;
    expect(clock.pendingTimers).toBe(0);
  });
});
