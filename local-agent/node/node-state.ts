/**
 * What this node believes about the lease: a pure function of its requests, their responses and the edge's notices. It
 * trusts a granted lease from the moment before it sent the request, for the TTL less a margin, so it has stopped leading
 * before the edge can grant the lease to another node. All times are cautious time (cautious-clock.ts).
 */

import type { LeaderAcquireResponse, LeaseView } from '../../schema/contracts/leader.ts';
import type { NodeState } from '../../schema/contracts/nodes.ts';
import { LEASE } from '../../schema/defaults.ts';

export interface LeaseRules {
  nodeId: string;
  preferred: boolean;
  ttlMs: number;
  renewIntervalMs: number;
  renewFailureThreshold: number;
}

export interface NodeView {
  state: NodeState;
  term: number;
  holderId: string | null;
  /** Whether the holder is preferred: another preferred node then waits for the end of the lease. */
  holderPreferred: boolean;
  /** Until when this node may act as leader; null when it does not lead. */
  trustedUntil: number | null;
  /** When another node's lease ends, as last reported; null when that is not known. */
  leaseEndsAt: number | null;
  /** The preferred node that the edge wants this leader to yield to. */
  yieldTo: string | null;
  failures: number;
  candidate: boolean;
  /** A person drains this node: it leads no more, and requests no lease. */
  draining: boolean;
  /** When the last request was sent; null when none was, or the next is due at once. */
  requestedAt: number | null;
}

export type NodeEvent =
  | { type: 'requested' }
  | { type: 'response'; sentAt: number; response: LeaderAcquireResponse }
  /** A request got no response. */
  | { type: 'failed' }
  /** The edge has reported who leads, unasked or in a response to a reading. */
  | { type: 'notice'; lease: LeaseView; candidate: boolean }
  | { type: 'released'; lease: LeaseView | null }
  | { type: 'draining'; draining: boolean }
  | { type: 'time_passed' }
  | { type: 'stopping' };

/** What is due next. `check`: only look whether the trust has ended. */
export type LeaseAction = { do: 'renew' | 'acquire' | 'release' | 'check'; at: number } | { do: 'nothing' };

export const INITIAL_NODE_VIEW: NodeView = {
  state: 'standby',
  term: 0,
  holderId: null,
  holderPreferred: false,
  trustedUntil: null,
  leaseEndsAt: null,
  yieldTo: null,
  failures: 0,
  candidate: false,
  draining: false,
  requestedAt: null,
};

/** How long a leader trusts a lease of `ttlMs`. */
export function trustMs(ttlMs: number): number {
  return ttlMs - Math.min(LEASE.trust_margin_max_ms, ttlMs / LEASE.trust_margin_divisor);
}

/** Whether the node may act as leader at `now`. */
export function leads(view: NodeView, now: number): boolean {
  return view.state === 'leader' && view.trustedUntil !== null && now < view.trustedUntil;
}

/** Stops leading when the trust has ended; the next request is then due at once. */
function demoteExpired(view: NodeView, now: number): NodeView {
  if (view.trustedUntil === null || now < view.trustedUntil) return view;
  const state = view.state === 'leader' ? 'standby' : view.state;
  return { ...view, state, trustedUntil: null, holderId: null, yieldTo: null, leaseEndsAt: now, requestedAt: null };
}

function afterResponse(
  view: NodeView,
  { response, sentAt }: Extract<NodeEvent, { type: 'response' }>,
  rules: LeaseRules,
  now: number,
): NodeView {
  const { term, holder_id, lease, is_leader, expires_in_ms, yield_to } = response;
  // A late response about an older term says nothing about the present.
  if (term < view.term) return { ...view, failures: 0 };
  const holder = { holderId: holder_id, holderPreferred: lease.holder_preferred };
  const known = { ...view, ...holder, failures: 0, term, requestedAt: sentAt };
  if (!is_leader) {
    return { ...known, state: 'standby', trustedUntil: null, yieldTo: null, leaseEndsAt: now + expires_in_ms };
  }
  const trustedUntil = sentAt + trustMs(Math.min(rules.ttlMs, expires_in_ms));
  const leader: NodeView = { ...known, state: 'leader', trustedUntil, leaseEndsAt: null, yieldTo: yield_to };
  return demoteExpired(leader, now);
}

function afterNotice(
  view: NodeView,
  { lease, candidate }: Extract<NodeEvent, { type: 'notice' }>,
  rules: LeaseRules,
  now: number,
): NodeView {
  if (lease.term < view.term) return { ...view, candidate };
  // About its own lease a node believes only responses to its own requests. A lease that it does not know of is requested.
  if (lease.holder_id === rules.nodeId) {
    return view.trustedUntil !== null ? { ...view, candidate } : { ...view, candidate: true, leaseEndsAt: now };
  }
  const holder = { holderId: lease.holder_id, holderPreferred: lease.holder_preferred };
  const known = { ...view, ...holder, candidate, term: lease.term };
  const state = view.state === 'leader' ? 'standby' : view.state;
  // A free lease is requested at once, however recent the last request is.
  const requestedAt = lease.expires_in_ms === 0 ? null : view.requestedAt;
  return { ...known, state, requestedAt, trustedUntil: null, yieldTo: null, leaseEndsAt: now + lease.expires_in_ms };
}

function afterFailure(view: NodeView, rules: LeaseRules): NodeView {
  const failures = view.failures + 1;
  // A node that has never had a response has no lease to keep: it becomes degraded on its first failure.
  const isUnknown = view.term === 0 && view.holderId === null;
  const state = isUnknown || failures >= rules.renewFailureThreshold ? 'degraded' : view.state;
  return { ...view, failures, state };
}

/** A stopping node does not lead, but notes a lease that it is granted meanwhile, because it must release it. */
function whileStopping(view: NodeView, event: NodeEvent): NodeView {
  if (event.type === 'released') return { ...view, trustedUntil: null, holderId: null };
  if (event.type !== 'response' || !event.response.is_leader) return view;
  return { ...view, term: event.response.term, trustedUntil: event.sentAt + event.response.expires_in_ms };
}

/** The belief after an event. A lease whose trust has ended is given up before the event is applied. */
export function nextNodeView(before: NodeView, event: NodeEvent, rules: LeaseRules, now: number): NodeView {
  const view = demoteExpired(before, now);
  if (view.state === 'stopping') return whileStopping(view, event);
  switch (event.type) {
    case 'requested':
      return { ...view, requestedAt: now };
    case 'response':
      return afterResponse(view, event, rules, now);
    case 'failed':
      return afterFailure(view, rules);
    case 'notice':
      return afterNotice(view, event, rules, now);
    case 'released': {
      const endsAt = event.lease?.holder_id ? now + event.lease.expires_in_ms : null;
      return {
        ...view,
        state: 'standby',
        trustedUntil: null,
        holderId: null,
        yieldTo: null,
        leaseEndsAt: endsAt,
        requestedAt: now,
      };
    }
    case 'draining':
      return view.draining === event.draining ? view : { ...view, draining: event.draining };
    case 'time_passed':
      return view;
    case 'stopping':
      return { ...view, state: 'stopping' };
    default:
      return event satisfies never;
  }
}

/** What is due next. Without notices, a node never learns that it is a candidate, so it acts as one. */
export function leaseAction(view: NodeView, rules: LeaseRules, now: number, hasNotices: boolean): LeaseAction {
  const after = (intervalMs: number) => (view.requestedAt === null ? now : view.requestedAt + intervalMs);
  switch (view.state) {
    case 'stopping':
      return { do: 'nothing' };
    case 'degraded':
      return { do: view.trustedUntil === null ? 'acquire' : 'renew', at: after(rules.renewIntervalMs) };
    case 'leader': {
      if (view.yieldTo !== null || view.draining) return { do: 'release', at: now };
      const renewAt = after(rules.renewIntervalMs);
      const trustEnd = view.trustedUntil ?? now;
      return renewAt <= trustEnd ? { do: 'renew', at: renewAt } : { do: 'check', at: trustEnd };
    }
    case 'standby':
      // A degraded one still requests it: only a response says that the edge takes its requests again.
      if (view.draining) return { do: 'nothing' };
      return standbyAction(view, rules, after, hasNotices);
    default:
      return view.state satisfies never;
  }
}

function standbyAction(
  view: NodeView,
  rules: LeaseRules,
  after: (intervalMs: number) => number,
  hasNotices: boolean,
): LeaseAction {
  const wantsYield = rules.preferred && !view.holderPreferred;
  const forYield = wantsYield ? after(rules.ttlMs / YIELD_REQUESTS_PER_TTL) : Number.POSITIVE_INFINITY;
  const isCandidate = view.candidate || !hasNotices || rules.preferred;
  // At most once a second for the same end: the edge's clock may be some milliseconds behind.
  const atEnd =
    view.leaseEndsAt === null ? after(rules.renewIntervalMs) : Math.max(view.leaseEndsAt, after(MIN_REQUEST_GAP_MS));
  const at = Math.min(forYield, isCandidate ? atEnd : Number.POSITIVE_INFINITY);
  return Number.isFinite(at) ? { do: 'acquire', at } : { do: 'nothing' };
}

const MIN_REQUEST_GAP_MS = 1_000;
/** How often a preferred node requests the lease while a node that is not preferred leads. */
const YIELD_REQUESTS_PER_TTL = 3;
