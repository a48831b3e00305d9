import { describe, expect, it } from 'vitest';
import type { LeaseRules, NodeEvent, NodeView } from '../../../../local-agent/node/node-state.ts';
import {
  INITIAL_NODE_VIEW,
  leads,
  leaseAction,
  nextNodeView,
  trustMs,
} from '../../../../local-agent/node/node-state.ts';
import { leaseResponse, leaseView } from '../../../support/fake-edge.ts';

const rules: LeaseRules = {
  nodeId: 'node-a',
  preferred: false,
  ttlMs: 30_000,
  renewIntervalMs: 5_000,
  renewFailureThreshold: 2,
};

/** Applies events, each at its time. */
function viewAfter(...steps: [at: number, event: NodeEvent][]): NodeView {
  return steps.reduce((view, [at, event]) => nextNodeView(view, event, rules, at), INITIAL_NODE_VIEW);
}
const granted = (sentAt: number, over = {}): NodeEvent => ({ type: 'answered', sentAt, answer: leaseResponse(over) });
const NOT_MINE = { is_leader: false, holder_id: 'node-b', expires_in_ms: 20_000 };
const refused = (sentAt: number, expires_in_ms = 20_000): NodeEvent => granted(sentAt, { ...NOT_MINE, expires_in_ms });
const told = (over = {}, candidate = false): NodeEvent => ({
  type: 'told',
  lease: leaseView({ holder_id: 'node-b', term: 1, expires_in_ms: 20_000, ...over }),
  candidate,
});

describe('a leader', () => {
  it('trusts its lease from before it asked, for the TTL less the margin', () => {
    expect(trustMs(30_000)).toBe(25_000);
    expect(trustMs(15_000)).toBe(10_000);
    const view = viewAfter([1_000, { type: 'asked' }], [4_000, granted(1_000)]);
    expect(leads(view, 25_999)).toBe(true);
    expect(leads(view, 26_000)).toBe(false);
  });

  it('renews each interval, counted from when it asked', () => {
    const view = viewAfter([1_000, { type: 'asked' }], [4_000, granted(1_000)]);
    expect(leaseAction(view, rules, 4_000, false)).toEqual({ do: 'renew', at: 6_000 });
  });

  it('is standby once its trust has run out, and asks again at once', () => {
    const view = viewAfter([0, granted(0)], [25_000, { type: 'looked' }]);
    expect(view).toMatchObject({ state: 'standby', trustedUntil: null });
    expect(leaseAction(view, rules, 25_000, true)).toMatchObject({ do: 'acquire' });
  });

  it('is not made leader by an answer that came too late', () => {
    expect(viewAfter([0, { type: 'asked' }], [26_000, granted(0)]).state).toBe('standby');
  });

  it('releases at once when it is asked to yield', () => {
    const view = viewAfter([0, granted(0, { yield_to: 'node-b' })]);
    expect(leads(view, 1)).toBe(true);
    expect(leaseAction(view, rules, 1, false)).toEqual({ do: 'release', at: 1 });
  });

  it('stands down when it is told of another holder, and never for an older term', () => {
    const leader = viewAfter([0, granted(0, { term: 4 })]);
    expect(nextNodeView(leader, told({ term: 5 }), rules, 10).state).toBe('standby');
    expect(nextNodeView(leader, told({ term: 3 }), rules, 10).state).toBe('leader');
  });

  it('degrades after the threshold of failures in a row, and leads again after an answer', () => {
    const once = viewAfter([0, granted(0)], [5_000, { type: 'failed' }]);
    expect(once.state).toBe('leader');
    const twice = nextNodeView(once, { type: 'failed' }, rules, 10_000);
    expect(twice.state).toBe('degraded');
    expect(leads(twice, 10_000)).toBe(false);
    expect(nextNodeView(twice, granted(11_000), rules, 11_100)).toMatchObject({ state: 'leader', failures: 0 });
  });
});

describe('a standby', () => {
  it('degrades at its first failure when it was never registered', () => {
    expect(viewAfter([0, { type: 'failed' }]).state).toBe('degraded');
  });

  it('asks nothing while it is not a candidate', () => {
    const view = viewAfter([0, refused(0)], [1_000, told()]);
    expect(leaseAction(view, rules, 1_000, false)).toEqual({ do: 'nothing' });
  });

  it('asks when the lease has ended, being a candidate or without a channel', () => {
    const candidate = viewAfter([0, told({}, true)]);
    expect(leaseAction(candidate, rules, 0, false)).toEqual({ do: 'acquire', at: 20_000 });
    expect(leaseAction(viewAfter([0, told()]), rules, 0, true)).toEqual({ do: 'acquire', at: 20_000 });
  });

  it('asks at once when it is told of a release, however short ago it asked', () => {
    const view = viewAfter(
      [0, told({}, true)],
      [900, { type: 'asked' }],
      [950, refused(900)],
      [1_000, told({ holder_id: null, expires_in_ms: 0 }, true)],
    );
    expect(leaseAction(view, rules, 1_000, false)).toEqual({ do: 'acquire', at: 1_000 });
  });

  it('asks each third of a TTL when it is preferred', () => {
    const preferred = { ...rules, preferred: true };
    const view = viewAfter([0, { type: 'asked' }], [100, refused(0)]);
    expect(leaseAction(view, preferred, 100, false)).toEqual({ do: 'acquire', at: 10_000 });
  });

  it('asks a preferred holder for nothing, being preferred itself, until that lease ends', () => {
    const preferred = { ...rules, preferred: true };
    const lease = leaseView({ holder_id: 'node-b', holder_preferred: true, expires_in_ms: 20_000 });
    const asked = viewAfter([0, { type: 'asked' }], [100, granted(0, { ...NOT_MINE, lease })]);
    expect(leaseAction(asked, preferred, 100, false)).toEqual({ do: 'acquire', at: 20_100 });
    const heard = nextNodeView(asked, told({ holder_preferred: false }), preferred, 200);
    expect(leaseAction(heard, preferred, 200, false)).toEqual({ do: 'acquire', at: 10_000 });
  });

  it('takes up a lease of its own that it did not know of', () => {
    const view = viewAfter([0, { type: 'failed' }], [10, refused(5)], [20, told({ holder_id: 'node-a', term: 3 })]);
    expect(leaseAction(view, rules, 20, false)).toMatchObject({ do: 'acquire' });
  });
});

describe('a node that stops', () => {
  it('leads no more but remembers what it has to give back', () => {
    const view = viewAfter([0, { type: 'asked' }], [10, { type: 'stopping' }], [20, granted(0, { term: 7 })]);
    expect(leads(view, 20)).toBe(false);
    expect(view).toMatchObject({ state: 'stopping', term: 7 });
    expect(view.trustedUntil).not.toBeNull();
    expect(leaseAction(view, rules, 20, false)).toEqual({ do: 'nothing' });
    expect(nextNodeView(view, { type: 'released', lease: null }, rules, 30).trustedUntil).toBeNull();
  });
});
