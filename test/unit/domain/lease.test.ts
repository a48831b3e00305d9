import { describe, expect, it } from 'vitest';
import type { LeaseRecord } from '../../../schema/contracts/leader.ts';
import type { LeaseDecision, LeaseRequest } from '../../../schema/domain/lease.ts';
import { adoptTerm, decideLease, leaseResponse, newLease, viewLease } from '../../../schema/domain/lease.ts';

const TTL = 30_000;
const T0 = 1_000_000;

type Acquire = LeaseRequest & { kind: 'acquire' };
const acquire = (controller_id: string, more: Partial<Acquire> = {}): Acquire => ({
  kind: 'acquire',
  controller_id,
  host: `${controller_id}-host`,
  preferred: false,
  ttl_ms: TTL,
  ...more,
});
const renew = (controller_id: string, term: number) => ({ kind: 'renew', controller_id, term, ttl_ms: TTL }) as const;
const release = (controller_id: string, term: number) => ({ kind: 'release', controller_id, term }) as const;

/** A lease that `a` holds since T0 with term 1. */
const heldByA = (): LeaseRecord => decideLease(newLease('global'), acquire('a'), T0).next;

/** Applies requests at their times; returns the decision of the last one. */
function play(record: LeaseRecord, ...steps: [at: number, request: LeaseRequest][]): LeaseDecision {
  let decision: LeaseDecision = { next: record, outcome: 'ignored', yield_to: null };
  for (const [at, request] of steps) decision = decideLease(decision.next, request, at);
  return decision;
}

/** The preferred node `p` asks every ten seconds for 60 s while `a` renews every ten: a streak that is long enough. */
const STREAK: [number, LeaseRequest][] = [0, 10, 20, 30, 40, 50, 60].flatMap((sec): [number, LeaseRequest][] => [
  [T0 + sec * 1_000, renew('a', 1)],
  [T0 + sec * 1_000 + 1, acquire('p', { preferred: true })],
]);

describe('a free lease', () => {
  it('is granted to the first node that asks, under the first term', () => {
    const { next, outcome } = decideLease(newLease('global'), acquire('a', { metadata: { v: 1 } }), T0);
    expect(outcome).toBe('acquired');
    expect(next).toMatchObject({
      holder_id: 'a',
      holder_host: 'a-host',
      term: 1,
      lease_expires_at: T0 + TTL,
      metadata: { v: 1 },
    });
  });

  it('is granted to another node after it has lapsed, under a new term', () => {
    const { next, outcome } = decideLease(heldByA(), acquire('b'), T0 + TTL);
    expect(outcome).toBe('acquired');
    expect(next).toMatchObject({ holder_id: 'b', term: 2 });
  });

  it('is granted to its previous holder after a lapse under a new term too', () => {
    expect(decideLease(heldByA(), acquire('a'), T0 + TTL).next.term).toBe(2);
  });

  it('is not revived by a renewal after its lapse', () => {
    const record = heldByA();
    expect(decideLease(record, renew('a', 1), T0 + TTL)).toEqual({ next: record, outcome: 'refused', yield_to: null });
  });
});

describe('a held lease', () => {
  it.each([
    ['acquire', acquire('a')],
    ['renew', renew('a', 1)],
  ])('is renewed by its holder with %s: same term, later expiry', (_name, request) => {
    const { next, outcome } = decideLease(heldByA(), request, T0 + TTL - 1);
    expect(outcome).toBe('renewed');
    expect(next).toMatchObject({ holder_id: 'a', term: 1, lease_expires_at: T0 + TTL - 1 + TTL });
  });

  it('keeps its metadata when a renewal has none', () => {
    const record = decideLease(newLease('global'), acquire('a', { metadata: { v: 1 } }), T0).next;
    expect(decideLease(record, acquire('a'), T0 + 1).next.metadata).toEqual({ v: 1 });
    expect(decideLease(record, renew('a', 1), T0 + 1).next.metadata).toEqual({ v: 1 });
  });

  it('is refused to other nodes with a response that names the holder and the time left', () => {
    const record = heldByA();
    const request = acquire('b');
    const decision = decideLease(record, request, T0 + 10_000);
    expect(decision.next).toBe(record);
    expect(leaseResponse(record, request, decision, T0 + 10_000)).toMatchObject({
      is_leader: false,
      operation: 'acquire',
      holder_id: 'a',
      term: 1,
      expires_in_ms: 20_000,
      yield_to: null,
    });
  });

  it.each([
    ['an old term', renew('a', 0)],
    ['a future term', renew('a', 2)],
    ['another node', renew('b', 1)],
  ])('is not renewed by %s', (_name, request) => {
    const record = heldByA();
    const decision = decideLease(record, request, T0 + 1);
    expect(decision).toEqual({ next: record, outcome: 'refused', yield_to: null });
    expect(leaseResponse(record, request, decision, T0 + 1)).toMatchObject({ is_leader: false, operation: 'renew' });
  });
});

describe('a release', () => {
  it('frees the lease at once, and the next holder gets a new term', () => {
    const { next, outcome } = decideLease(heldByA(), release('a', 1), T0 + 1);
    expect(outcome).toBe('released');
    expect(viewLease(next, T0 + 1)).toMatchObject({ holder_id: null, term: 1, expires_in_ms: 0 });
    expect(decideLease(next, acquire('b'), T0 + 1).next).toMatchObject({ holder_id: 'b', term: 2 });
  });

  it.each([
    ['an old term', release('a', 0), 1],
    ['another node', release('b', 1), 1],
    ['its holder after the lapse', release('a', 1), TTL],
  ])('by %s changes nothing', (_name, request, afterMs) => {
    const record = heldByA();
    expect(decideLease(record, request, T0 + afterMs)).toEqual({ next: record, outcome: 'ignored', yield_to: null });
  });
});

describe('a preferred node', () => {
  it('that has asked for two TTLs is stored, and the next renewal of the holder, which still leads, names it to yield to', () => {
    const early = play(heldByA(), ...STREAK.slice(0, -2));
    expect(early.next.preferred_holder_id).toBeNull();
    const { next } = play(heldByA(), ...STREAK);
    expect(next.preferred_holder_id).toBe('p');
    const decision = decideLease(next, renew('a', 1), T0 + 65_000);
    expect(leaseResponse(decision.next, renew('a', 1), decision, T0 + 65_000)).toMatchObject({
      is_leader: true,
      yield_to: 'p',
    });
  });

  it('alone may acquire the lease for a third of a TTL after the holder released it for it', () => {
    const { next } = play(heldByA(), ...STREAK, [T0 + 65_000, renew('a', 1)], [T0 + 65_100, release('a', 1)]);
    const others = decideLease(next, acquire('b'), T0 + 65_200);
    expect(others.outcome).toBe('refused');
    expect(leaseResponse(others.next, acquire('b'), others, T0 + 65_200)).toMatchObject({
      holder_id: null,
      expires_in_ms: 9_900,
    });
    expect(decideLease(next, acquire('a'), T0 + 65_200).outcome).toBe('refused');
    expect(decideLease(next, acquire('p', { preferred: true }), T0 + 65_200).next).toMatchObject({
      holder_id: 'p',
      term: 2,
    });
    expect(decideLease(next, acquire('b'), T0 + 75_100).outcome).toBe('acquired');
  });

  it('gets no reservation from a release of a holder that did not have to yield', () => {
    const { next } = play(heldByA(), ...STREAK, [T0 + 61_000, release('a', 1)]);
    expect(decideLease(next, acquire('b'), T0 + 61_001).outcome).toBe('acquired');
  });

  it('loses its streak by a gap of more than two TTLs', () => {
    const gap: [number, LeaseRequest][] = [70, 90, 110].map((sec) => [T0 + sec * 1_000, renew('a', 1)]);
    const { next, yield_to } = play(heldByA(), ...STREAK, ...gap, [T0 + 125_000, renew('a', 1)]);
    expect(yield_to).toBeNull();
    expect(next).toMatchObject({ preferred_holder_id: null, preferred_asker_id: null, preferred_since: null });
  });

  it('has no streak while the holder is preferred too', () => {
    const record = decideLease(newLease('global'), acquire('a', { preferred: true }), T0).next;
    expect(decideLease(record, acquire('p', { preferred: true }), T0 + 1).next).toBe(record);
    expect(play(record, ...STREAK, [T0 + 65_000, renew('a', 1)])).toMatchObject({
      yield_to: null,
      next: { preferred_asker_id: null },
    });
  });

  it('keeps its streak when a second preferred node asks in between', () => {
    const both = STREAK.flatMap(([at, request]): [number, LeaseRequest][] =>
      request.kind === 'renew'
        ? [[at, request]]
        : [
            [at, request],
            [at + 1, acquire('q', { preferred: true })],
          ],
    );
    expect(play(heldByA(), ...both).next.preferred_holder_id).toBe('p');
  });

  it('keeps the lease that it took over while other nodes keep asking', () => {
    const { next } = play(
      heldByA(),
      ...STREAK,
      [T0 + 65_000, renew('a', 1)],
      [T0 + 65_100, release('a', 1)],
      [T0 + 65_200, acquire('p', { preferred: true })],
    );
    let record = next;
    for (let at = T0 + 70_000; at < T0 + 270_000; at += 5_000) {
      record = decideLease(record, acquire('a'), at).next;
      const renewal = decideLease(record, renew('p', 2), at);
      expect(renewal).toMatchObject({ outcome: 'renewed', yield_to: null });
      record = renewal.next;
    }
  });
});

describe('the view of the lease', () => {
  it('has no holder after the lapse', () => {
    expect(viewLease(heldByA(), T0 + TTL)).toMatchObject({
      holder_id: null,
      lease_expires_at: null,
      expires_in_ms: 0,
      term: 1,
    });
  });

  it('does not let a node lead when the record has changed before the response', () => {
    const decision = decideLease(newLease('global'), acquire('a'), T0);
    const released = decideLease(decision.next, release('a', 1), T0 + 1).next;
    expect(leaseResponse(released, acquire('a'), decision, T0 + 2).is_leader).toBe(false);
    expect(leaseResponse(decision.next, acquire('a'), decision, T0 + TTL).is_leader).toBe(false);
  });

  it('has no holder and continues from the term of D1 when that is higher', () => {
    const record = adoptTerm(heldByA(), 7);
    expect(viewLease(record, T0)).toMatchObject({ holder_id: null, term: 7 });
    expect(decideLease(record, acquire('a'), T0).next.term).toBe(8);
  });
});
