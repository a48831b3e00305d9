/**
 * The rules of the leader lease, as a function of (record, request, now). `now` is the object's clock; no other clock
 * counts. Terms only grow and each has one holder; after a lapse even the same holder gets a new term. A preferred node
 * takes over only after it has asked for two TTLs without a gap of two TTLs, and then the holder releases the lease by
 * itself, so leadership does not flap. All times are Unix milliseconds, all spans milliseconds.
 */
import type { LeaderAcquireResponse, LeaseRecord, LeaseView } from '../contracts/leader.ts';

export type LeaseRequest =
  | {
      kind: 'acquire';
      controller_id: string;
      host: string;
      preferred: boolean;
      ttl_ms: number;
      /** Absent: the holder's metadata does not change. */
      metadata?: Record<string, unknown> | undefined;
    }
  | { kind: 'renew'; controller_id: string; term: number; ttl_ms: number }
  | { kind: 'release'; controller_id: string; term: number };

export interface LeaseDecision {
  /** The record to store; the same object when nothing changed. */
  next: LeaseRecord;
  outcome: 'acquired' | 'renewed' | 'refused' | 'released' | 'ignored';
  /** The node for which the holder, which still leads, has to release the lease. */
  yield_to: string | null;
}

/** A preferred node's streak of requests counts after this many TTLs, and breaks after a gap of as many. */
const PREFERENCE_TTLS = 2;
/** After a release that followed `yield_to`, the lease is reserved for a TTL divided by this. */
const RESERVED_TTL_DIVISOR = 3;

const NO_PREFERENCE = {
  preferred_holder_id: null,
  preferred_asker_id: null,
  preferred_since: null,
  preferred_seen_at: null,
  reserved_for: null,
  reserved_until: null,
} as const;

export function newLease(name: string): LeaseRecord {
  return {
    lease_name: name,
    holder_id: null,
    holder_host: null,
    holder_preferred: false,
    term: 0,
    lease_expires_at: 0,
    renewed_at: 0,
    ...NO_PREFERENCE,
    metadata: {},
  };
}

export function decideLease(record: LeaseRecord, request: LeaseRequest, now: number): LeaseDecision {
  switch (request.kind) {
    case 'acquire':
      if (!isHeld(record, now))
        return isReservedForOther(record, request.controller_id, now) ? refused(record) : grant(record, request, now);
      if (record.holder_id === request.controller_id) return renew(record, request, now);
      return refused(request.preferred ? notePreference(record, request.controller_id, now) : record);
    case 'renew':
      return holds(record, request, now) ? renew(record, request, now) : refused(record);
    case 'release':
      return holds(record, request, now) ? release(record, now) : { next: record, outcome: 'ignored', yield_to: null };
    default:
      return request satisfies never;
  }
}

/** Whether a node leads at `now`. */
function isHeld(record: LeaseRecord, now: number): boolean {
  return record.holder_id !== null && now < record.lease_expires_at;
}

/** Whether that node leads at `now`, with that term. */
function holds(record: LeaseRecord, who: { controller_id: string; term: number }, now: number): boolean {
  return isHeld(record, now) && record.holder_id === who.controller_id && record.term === who.term;
}

function reservedMs(record: LeaseRecord, now: number): number {
  return Math.max(0, (record.reserved_until ?? 0) - now);
}

function isReservedForOther(record: LeaseRecord, nodeId: string, now: number): boolean {
  return record.reserved_for !== nodeId && reservedMs(record, now) > 0;
}

/** TTL of the current lease, as its holder requested it. */
function ttlOf(record: LeaseRecord): number {
  return record.lease_expires_at - record.renewed_at;
}

function refused(next: LeaseRecord): LeaseDecision {
  return { next, outcome: 'refused', yield_to: null };
}

function grant(record: LeaseRecord, request: LeaseRequest & { kind: 'acquire' }, now: number): LeaseDecision {
  const next: LeaseRecord = {
    lease_name: record.lease_name,
    holder_id: request.controller_id,
    holder_host: request.host,
    holder_preferred: request.preferred,
    term: record.term + 1,
    lease_expires_at: now + request.ttl_ms,
    renewed_at: now,
    ...NO_PREFERENCE,
    metadata: request.metadata ?? {},
  };
  return { next, outcome: 'acquired', yield_to: null };
}

function renew(record: LeaseRecord, request: LeaseRequest & { kind: 'acquire' | 'renew' }, now: number): LeaseDecision {
  const changes =
    request.kind === 'acquire'
      ? {
          holder_host: request.host,
          holder_preferred: request.preferred,
          metadata: request.metadata ?? record.metadata,
        }
      : {};
  const renewed: LeaseRecord = { ...record, ...changes, lease_expires_at: now + request.ttl_ms, renewed_at: now };
  if (renewed.holder_preferred || !isAsking(record, now)) {
    return { next: { ...renewed, ...NO_PREFERENCE }, outcome: 'renewed', yield_to: null };
  }
  const yieldTo = record.preferred_holder_id;
  return { next: { ...renewed, reserved_for: yieldTo }, outcome: 'renewed', yield_to: yieldTo };
}

/** Whether a preferred node's streak is unbroken. */
function isAsking(record: LeaseRecord, now: number): boolean {
  return record.preferred_seen_at !== null && now - record.preferred_seen_at <= PREFERENCE_TTLS * ttlOf(record);
}

/** A preferred node was refused: its streak begins or continues. Another node's unbroken streak takes precedence. */
function notePreference(record: LeaseRecord, nodeId: string, now: number): LeaseRecord {
  if (record.holder_preferred) return record;
  if (!isAsking(record, now)) {
    return {
      ...record,
      ...NO_PREFERENCE,
      preferred_asker_id: nodeId,
      preferred_since: now,
      preferred_seen_at: now,
    };
  }
  if (record.preferred_asker_id !== nodeId) return record;
  const longEnough = now - (record.preferred_since ?? now) >= PREFERENCE_TTLS * ttlOf(record);
  return {
    ...record,
    preferred_seen_at: now,
    preferred_holder_id: longEnough ? nodeId : record.preferred_holder_id,
  };
}

function release(record: LeaseRecord, now: number): LeaseDecision {
  const reserved =
    record.reserved_for === null
      ? {}
      : { reserved_for: record.reserved_for, reserved_until: now + Math.floor(ttlOf(record) / RESERVED_TTL_DIVISOR) };
  return {
    next: { ...newLease(record.lease_name), term: record.term, renewed_at: now, lease_expires_at: now, ...reserved },
    outcome: 'released',
    yield_to: null,
  };
}

/** D1 has a higher term, or this term with another holder: drop the holder and continue from D1's term. */
export function adoptTerm(record: LeaseRecord, term: number): LeaseRecord {
  return { ...newLease(record.lease_name), term: Math.max(record.term, term) };
}

/** The lease as others see it: a lapsed lease has no holder. The only place that decides who leads. */
export function viewLease(record: LeaseRecord, now: number): LeaseView {
  const held = isHeld(record, now);
  return {
    lease_name: record.lease_name,
    holder_id: held ? record.holder_id : null,
    holder_host: held ? record.holder_host : null,
    holder_preferred: held && record.holder_preferred,
    term: record.term,
    lease_expires_at: held ? record.lease_expires_at : null,
    renewed_at: held ? record.renewed_at : null,
    expires_in_ms: held ? record.lease_expires_at - now : 0,
    preferred_holder_id: held ? record.preferred_holder_id : null,
    metadata: held ? record.metadata : {},
  };
}

/**
 * The response to an acquire or a renewal, made from the record at the time it is sent. The record may have changed since
 * the decision: a node that no longer holds the decided term does not lead. `lease` is the view of that record at `now`,
 * passed in by a caller that responds to many requests from one view.
 */
export function leaseResponse(
  record: LeaseRecord,
  request: LeaseRequest & { kind: 'acquire' | 'renew' },
  decision: LeaseDecision,
  now: number,
  lease: LeaseView = viewLease(record, now),
): LeaderAcquireResponse {
  const granted = decision.outcome === 'acquired' || decision.outcome === 'renewed';
  const isLeader = granted && holds(record, { controller_id: request.controller_id, term: decision.next.term }, now);
  return {
    holder_id: lease.holder_id,
    holder_host: lease.holder_host,
    term: lease.term,
    lease_expires_at: lease.lease_expires_at,
    renewed_at: lease.renewed_at,
    // While the lease is free but reserved: when another node may acquire it.
    expires_in_ms: lease.holder_id === null ? reservedMs(record, now) : lease.expires_in_ms,
    is_leader: isLeader,
    operation: decision.outcome === 'renewed' || request.kind === 'renew' ? 'renew' : 'acquire',
    yield_to: isLeader ? decision.yield_to : null,
    lease,
  };
}
