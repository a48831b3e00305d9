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
const granted = (sentAt: number, over = {}): NodeEvent => ({ type: 'response', sentAt, response: leaseResponse(over) });
const NOT_MINE = { is_leader: false, holder_id: 'node-b', expires_in_ms: 20_000 };
const refused = (sentAt: number, expires_in_ms = 20_000): NodeEvent => granted(sentAt, { ...NOT_MINE, expires_in_ms });
const notice = (over = {}, candidate = false): NodeEvent => ({
  type: 'notice',
  lease: leaseView({ holder_id: 'node-b', term: 1, expires_in_ms: 20_000, ...over }),
  candidate,
});

describe('a leader', () => {
  it('a leader trusts its lease from before its request, for the TTL less the margin', () => {
    expect(trustMs(30_000)).toBe(25_000);
    expect(trustMs(15_000)).toBe(10_000);
    const view = viewAfter([1_000, { type: 'requested' }], [4_000, granted(1_000)]);
    expect(leads(view, 25_999)).toBe(true);
    expect(leads(view, 26_000)).toBe(false);
  });

  it('a leader renews one interval after its last request', () => {
    const view = viewAfter([1_000, { type: 'requested' }], [4_000, granted(1_000)]);
    expect(leaseAction(view, rules, 4_000, true)).toEqual({ do: 'renew', at: 6_000 });
  });

  it('a leader whose trust has ended is standby and requests the lease at once', () => {
    const view = viewAfter([0, granted(0)], [25_000, { type: 'time_passed' }]);
    expect(view).toMatchObject({ state: 'standby', trustedUntil: null });
    expect(leaseAction(view, rules, 25_000, false)).toMatchObject({ do: 'acquire' });
  });

  it('a response that comes too late makes no leader', () => {
    expect(viewAfter([0, { type: 'requested' }], [26_000, granted(0)]).state).toBe('standby');
  });

  it('a leader that is asked to yield releases at once', () => {
    const view = viewAfter([0, granted(0, { yield_to: 'node-b' })]);
    expect(leads(view, 1)).toBe(true);
    expect(leaseAction(view, rules, 1, true)).toEqual({ do: 'release', at: 1 });
  });

  it('a leader stops at a notice of another holder, but not at one of an older term', () => {
    const leader = viewAfter([0, granted(0, { term: 4 })]);
    expect(nextNodeView(leader, notice({ term: 5 }), rules, 10).state).toBe('standby');
    expect(nextNodeView(leader, notice({ term: 3 }), rules, 10).state).toBe('leader');
  });

  it('a leader is degraded after the threshold of failures in a row, and leads again after a response', () => {
    const once = viewAfter([0, granted(0)], [5_000, { type: 'failed' }]);
    expect(once.state).toBe('leader');
    const twice = nextNodeView(once, { type: 'failed' }, rules, 10_000);
    expect(twice.state).toBe('degraded');
    expect(leads(twice, 10_000)).toBe(false);
    expect(nextNodeView(twice, granted(11_000), rules, 11_100)).toMatchObject({ state: 'leader', failures: 0 });
  });
});

describe('a standby', () => {
  it('a node that has never had a response is degraded at its first failure', () => {
    expect(viewAfter([0, { type: 'failed' }]).state).toBe('degraded');
  });

  it('a standby that is no candidate requests nothing', () => {
    const view = viewAfter([0, refused(0)], [1_000, notice()]);
    expect(leaseAction(view, rules, 1_000, true)).toEqual({ do: 'nothing' });
  });

  it('a candidate, or a standby without a channel, requests the lease when it has ended', () => {
    const candidate = viewAfter([0, notice({}, true)]);
    expect(leaseAction(candidate, rules, 0, true)).toEqual({ do: 'acquire', at: 20_000 });
    expect(leaseAction(viewAfter([0, notice()]), rules, 0, false)).toEqual({ do: 'acquire', at: 20_000 });
  });

  it('a candidate requests the lease at once when a release is reported, however recent its last request', () => {
    const view = viewAfter(
      [0, notice({}, true)],
      [900, { type: 'requested' }],
      [950, refused(900)],
      [1_000, notice({ holder_id: null, expires_in_ms: 0 }, true)],
    );
    expect(leaseAction(view, rules, 1_000, true)).toEqual({ do: 'acquire', at: 1_000 });
  });

  it('a preferred standby requests the lease every third of a TTL', () => {
    const preferred = { ...rules, preferred: true };
    const view = viewAfter([0, { type: 'requested' }], [100, refused(0)]);
    expect(leaseAction(view, preferred, 100, true)).toEqual({ do: 'acquire', at: 10_000 });
  });

  it('a preferred standby waits for the end of the lease of a preferred holder', () => {
    const preferred = { ...rules, preferred: true };
    const lease = leaseView({ holder_id: 'node-b', holder_preferred: true, expires_in_ms: 20_000 });
    const requested = viewAfter([0, { type: 'requested' }], [100, granted(0, { ...NOT_MINE, lease })]);
    expect(leaseAction(requested, preferred, 100, true)).toEqual({ do: 'acquire', at: 20_100 });
    const noticed = nextNodeView(requested, notice({ holder_preferred: false }), preferred, 200);
    expect(leaseAction(noticed, preferred, 200, true)).toEqual({ do: 'acquire', at: 10_000 });
  });

  it('a standby requests a lease that the edge reports as its own', () => {
    const view = viewAfter([0, { type: 'failed' }], [10, refused(5)], [20, notice({ holder_id: 'node-a', term: 3 })]);
    expect(leaseAction(view, rules, 20, true)).toMatchObject({ do: 'acquire' });
  });
});

describe('a stopping node', () => {
  it('a stopping node does not lead, and remembers the lease that it must release', () => {
    const view = viewAfter([0, { type: 'requested' }], [10, { type: 'stopping' }], [20, granted(0, { term: 7 })]);
    expect(leads(view, 20)).toBe(false);
    expect(view).toMatchObject({ state: 'stopping', term: 7 });
    expect(view.trustedUntil).not.toBeNull();
    expect(leaseAction(view, rules, 20, true)).toEqual({ do: 'nothing' });
    expect(nextNodeView(view, { type: 'released', lease: null }, rules, 30).trustedUntil).toBeNull();
  });
});
