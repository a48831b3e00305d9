/**
 * What this node believes about the lease, as a pure function of what it asked and what it was told. It counts its
 * trust from before it sent the request that was granted, and shortens it by a margin, so that it has stopped
 * leading before the edge can give the lease away. All times are cautious time (`cautious-clock.ts`).
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
  /** Whether somebody else who is preferred holds it: then a preferred node only waits for the end. */
  holderPreferred: boolean;
  /** The leader's: until when it may believe in its lease. */
  trustedUntil: number | null;
  /** When somebody else's lease ends, as far as was told; null when nothing is known. */
  leaseEndsAt: number | null;
  /** Asked to give the lease to a preferred node. */
  yieldTo: string | null;
  failures: number;
  candidate: boolean;
  /** When the last request was sent; null when none was, or the next is due at once. */
  askedAt: number | null;
}

export type NodeEvent =
  | { type: 'asked' }
  | { type: 'answered'; sentAt: number; answer: LeaderAcquireResponse }
  | { type: 'failed' }
  | { type: 'told'; lease: LeaseView; candidate: boolean }
  | { type: 'released'; lease: LeaseView | null }
  | { type: 'looked' }
  | { type: 'stopping' };

/** What the node has to do about the lease, and when. */
export type LeaseAction = { do: 'renew' | 'acquire' | 'release' | 'look'; at: number } | { do: 'nothing' };

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
  askedAt: null,
};

/** For how long a holder believes in a lease of `ttlMs`. */
export function trustMs(ttlMs: number): number {
  return ttlMs - Math.min(LEASE.trust_margin_max_ms, ttlMs / LEASE.trust_margin_divisor);
}

/** Whether the node may act as leader at `now`. */
export function leads(view: NodeView, now: number): boolean {
  return view.state === 'leader' && view.trustedUntil !== null && now < view.trustedUntil;
}

/** Gives up a lease that can be trusted no longer; whoever lapsed asks again at once. */
function demoted(view: NodeView, now: number): NodeView {
  if (view.trustedUntil === null || now < view.trustedUntil) return view;
  const state = view.state === 'leader' ? 'standby' : view.state;
  return { ...view, state, trustedUntil: null, holderId: null, yieldTo: null, leaseEndsAt: now, askedAt: null };
}

function answered(
  view: NodeView,
  event: Extract<NodeEvent, { type: 'answered' }>,
  rules: LeaseRules,
  now: number,
): NodeView {
  const { answer, sentAt } = event;
  // A late answer about a term that has passed says nothing about now.
  if (answer.term < view.term) return { ...view, failures: 0 };
  const holder = { holderId: answer.holder_id, holderPreferred: answer.lease.holder_preferred };
  const known = { ...view, ...holder, failures: 0, term: answer.term, askedAt: sentAt };
  if (!answer.is_leader) {
    return { ...known, state: 'standby', trustedUntil: null, yieldTo: null, leaseEndsAt: now + answer.expires_in_ms };
  }
  const trustedUntil = sentAt + trustMs(Math.min(rules.ttlMs, answer.expires_in_ms));
  const leader: NodeView = { ...known, state: 'leader', trustedUntil, leaseEndsAt: null, yieldTo: answer.yield_to };
  return demoted(leader, now);
}

function told(view: NodeView, lease: LeaseView, candidate: boolean, rules: LeaseRules, now: number): NodeView {
  if (lease.term < view.term) return { ...view, candidate };
  // Of its own lease a node believes only the answers to its own requests: it asks, if it does not know of it.
  if (lease.holder_id === rules.nodeId) {
    return view.trustedUntil !== null ? { ...view, candidate } : { ...view, candidate: true, leaseEndsAt: now };
  }
  const holder = { holderId: lease.holder_id, holderPreferred: lease.holder_preferred };
  const known = { ...view, ...holder, candidate, term: lease.term };
  const state = view.state === 'leader' ? 'standby' : view.state;
  // A lease that is free is asked for at once, however short ago the last request was.
  const askedAt = lease.expires_in_ms === 0 ? null : view.askedAt;
  return { ...known, state, askedAt, trustedUntil: null, yieldTo: null, leaseEndsAt: now + lease.expires_in_ms };
}

function failed(view: NodeView, rules: LeaseRules): NodeView {
  const failures = view.failures + 1;
  // Who was never registered has no lease to keep: its first failure already says that the edge is away.
  const never = view.term === 0 && view.holderId === null;
  const state = never || failures >= rules.renewFailureThreshold ? 'degraded' : view.state;
  return { ...view, failures, state };
}

/** A node that stops leads no more, but must know what it was granted meanwhile: it has to give it back. */
function whileStopping(view: NodeView, event: NodeEvent): NodeView {
  if (event.type === 'released') return { ...view, trustedUntil: null, holderId: null };
  if (event.type !== 'answered' || !event.answer.is_leader) return view;
  return { ...view, term: event.answer.term, trustedUntil: event.sentAt + event.answer.expires_in_ms };
}

/** The next belief. Whatever happens, a lease that has run out is given up first. */
export function nextNodeView(before: NodeView, event: NodeEvent, rules: LeaseRules, now: number): NodeView {
  const view = demoted(before, now);
  if (view.state === 'stopping') return whileStopping(view, event);
  switch (event.type) {
    case 'asked':
      return { ...view, askedAt: now };
    case 'answered':
      return answered(view, event, rules, now);
    case 'failed':
      return failed(view, rules);
    case 'told':
      return told(view, event.lease, event.candidate, rules, now);
    case 'released': {
      const endsAt = event.lease?.holder_id ? now + event.lease.expires_in_ms : null;
      return {
        ...view,
        state: 'standby',
        trustedUntil: null,
        holderId: null,
        yieldTo: null,
        leaseEndsAt: endsAt,
        askedAt: now,
      };
    }
    case 'looked':
      return view;
    case 'stopping':
      return { ...view, state: 'stopping' };
    default:
      return event satisfies never;
  }
}

/** What to do next. `alone`: without a channel nobody tells this node that it is a candidate, so it asks itself. */
export function leaseAction(view: NodeView, rules: LeaseRules, now: number, alone: boolean): LeaseAction {
  const after = (intervalMs: number) => (view.askedAt === null ? now : view.askedAt + intervalMs);
  switch (view.state) {
    case 'stopping':
      return { do: 'nothing' };
    case 'degraded':
      return { do: view.trustedUntil === null ? 'acquire' : 'renew', at: after(rules.renewIntervalMs) };
    case 'leader': {
      if (view.yieldTo !== null) return { do: 'release', at: now };
      const renewAt = after(rules.renewIntervalMs);
      const lookAt = view.trustedUntil ?? now;
      return renewAt <= lookAt ? { do: 'renew', at: renewAt } : { do: 'look', at: lookAt };
    }
    case 'standby':
      return standbyAction(view, rules, after, alone);
    default:
      return view.state satisfies never;
  }
}

function standbyAction(
  view: NodeView,
  rules: LeaseRules,
  after: (intervalMs: number) => number,
  alone: boolean,
): LeaseAction {
  const wantsIt = rules.preferred && !view.holderPreferred;
  const asPreferred = wantsIt ? after(rules.ttlMs / PREFERRED_ASK_DIVISOR) : Number.POSITIVE_INFINITY;
  const asksAtEnd = view.candidate || alone || rules.preferred;
  // Never twice within a second for the same end: the edge's clock may run behind by some milliseconds.
  const atEnd =
    asksAtEnd && view.leaseEndsAt !== null ? Math.max(view.leaseEndsAt, after(MIN_ASK_MS)) : Number.POSITIVE_INFINITY;
  const unknown = view.leaseEndsAt === null && asksAtEnd ? after(rules.renewIntervalMs) : Number.POSITIVE_INFINITY;
  const at = Math.min(asPreferred, atEnd, unknown);
  return Number.isFinite(at) ? { do: 'acquire', at } : { do: 'nothing' };
}

const MIN_ASK_MS = 1_000;
/** A preferred node asks each third of a TTL while another leads. */
const PREFERRED_ASK_DIVISOR = 3;
