/**
 * The lease under clients that behave as agents do: each trusts its lease only from before it asked, by its own clock, and
 * requests and responses are delayed, lost or repeated. At no instant do two clients trust that they lead, no term has two
 * holders, and terms only grow.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LeaderAcquireResponse, LeaseRecord } from '../../../schema/contracts/leader.ts';
import type { LeaseDecision, LeaseRequest } from '../../../schema/domain/lease.ts';
import { decideLease, leaseResponse, newLease } from '../../../schema/domain/lease.ts';
import { Coverage } from '../../support/coverage.ts';

const TTL = 15_000;
const MARGIN = 5_000;
const NODES = ['a', 'b', 'p'] as const;
const PREFERRED: ReadonlySet<string> = new Set(['p']);

type Fate = 'arrives' | 'request lost' | 'response lost';
interface Step {
  node: (typeof NODES)[number];
  kind: LeaseRequest['kind'];
  waitMs: number;
  travelMs: number;
  responseMs: number;
  /** Added to the term that the node knows: an old or an invented one. */
  termOff: number;
  fate: Fate;
  restart: boolean;
}
/** Mostly short, sometimes long enough to lose the lease. */
const delay = (max: number) =>
  fc.oneof(
    { weight: 25, arbitrary: fc.integer({ min: 0, max: 1_200 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max }) },
  );
const rarely = (weight: number) =>
  fc.oneof({ weight, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) });
const step: fc.Arbitrary<Step> = fc.record({
  node: fc.constantFrom(...NODES),
  kind: fc.oneof(
    { weight: 30, arbitrary: fc.constantFrom('acquire', 'renew') },
    { weight: 1, arbitrary: fc.constant('release' as const) },
  ),
  waitMs: delay(40_000),
  travelMs: delay(20_000),
  responseMs: delay(20_000),
  termOff: fc.constantFrom(...new Array<number>(18).fill(0), -1, 1),
  fate: fc.constantFrom<Fate>(...new Array<Fate>(14).fill('arrives'), 'request lost', 'response lost'),
  restart: rarely(25),
});

/** What the runs have to reach: outcomes, faults, and the branches that a short history never comes to. */
const REACHED = [
  'acquired',
  'renewed',
  'refused',
  'released',
  'ignored',
  'taken over after a lapse',
  'asked to yield',
  'refused for a reservation',
  'another term',
  'trusted',
  'trusted too late',
  'request lost',
  'response lost',
  'restarted',
] as const;

/** While one node trusts that it leads, by the object's time. */
interface TrustedSpan {
  node: string;
  from: number;
  until: number;
}

function requestOf({ node, termOff }: Step, kind: Step['kind'], term: number): LeaseRequest {
  const controller_id = node;
  if (kind === 'acquire') return { kind, controller_id, host: 'h', preferred: PREFERRED.has(node), ttl_ms: TTL };
  if (kind === 'renew') return { kind, controller_id, term: Math.max(0, term + termOff), ttl_ms: TTL };
  return { kind, controller_id, term: Math.max(0, term + termOff) };
}

describe('any history of the lease', () => {
  it('has one leader at a time, one holder a term, and terms that only grow', () => {
    const reached = new Coverage<(typeof REACHED)[number]>();
    const history = fc.array(step, { minLength: 40, maxLength: 120, size: 'max' });
    fc.assert(
      fc.property(history, fc.boolean(), (steps, isPatient) => {
        let record: LeaseRecord = newLease('global');
        let now = 0;
        const holders = new Map<number, string>();
        const known: Record<string, number> = {};
        /** Nodes that have to yield: their next request is the release. */
        const yields = new Set<string>();
        const spans: TrustedSpan[] = [];
        for (const current of steps) {
          // In half of the runs the preferred node asks for the lease only while another one holds it.
          if (isPatient && PREFERRED.has(current.node) && record.holder_id === null) continue;
          now += current.waitMs;
          if (current.restart) {
            known[current.node] = 0;
            reached.reach('restarted');
          }
          if (current.fate !== 'arrives') reached.reach(current.fate);
          if (current.fate === 'request lost') continue;
          const sentAt = now;
          const decidedAt = sentAt + current.travelMs;
          // The object's time is that of its decisions: the next request is not decided before this one.
          now = decidedAt;
          const kind = yields.delete(current.node) ? 'release' : current.kind;
          const request = requestOf(current, kind, known[current.node] ?? 0);
          if (request.kind === 'release') {
            // An agent stops leading before it sends its release, and believes no grant that comes after it.
            for (const span of spans) if (span.node === current.node) span.until = Math.min(span.until, sentAt);
          }
          const before = record;
          const decision = decideLease(record, request, decidedAt);
          record = decision.next;
          reached.reach(decision.outcome);
          noteBranch(reached, before, request, decision, decidedAt);
          expect(record.term).toBeGreaterThanOrEqual(before.term);
          if (decision.outcome === 'acquired') {
            expect(record.term).toBe(before.term + 1);
            expect(holders.has(record.term)).toBe(false);
            holders.set(record.term, current.node);
          } else {
            expect(record.term).toBe(before.term);
          }
          if (decision.outcome === 'renewed') expect(holders.get(record.term)).toBe(current.node);
          if (decision.outcome === 'ignored') expect(record).toBe(before);
          if (request.kind !== 'acquire' && request.term !== before.term) {
            reached.reach('another term');
            expect(decision.outcome).toBe(request.kind === 'renew' ? 'refused' : 'ignored');
          }
          if (request.kind === 'release' || current.fate === 'response lost') continue;
          const response: LeaderAcquireResponse = leaseResponse(record, request, decision, decidedAt);
          known[current.node] = response.term;
          if (!response.is_leader) continue;
          if (response.yield_to !== null) yields.add(current.node);
          const receivedAt = decidedAt + current.responseMs;
          const trustedUntil = sentAt + TTL - MARGIN;
          reached.reach(receivedAt >= trustedUntil ? 'trusted too late' : 'trusted');
          if (receivedAt >= trustedUntil) continue;
          spans.push({ node: current.node, from: receivedAt, until: trustedUntil });
        }
        for (const [index, one] of spans.entries()) {
          for (const other of spans.slice(index + 1)) {
            if (one.node === other.node) continue;
            const overlap = Math.min(one.until, other.until) - Math.max(one.from, other.from);
            expect(overlap).toBeLessThanOrEqual(0);
          }
        }
      }),
      { numRuns: 500 },
    );
    reached.expectEach(REACHED, 25);
  });

  it('hands over once to a preferred node that keeps asking, and never back', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ gapMs: fc.integer({ min: 1_000, max: 10_000 }), jitterMs: fc.integer({ min: 0, max: 900 }) }),
          {
            minLength: 40,
            maxLength: 80,
          },
        ),
        (rounds) => {
          let record = decideLease(
            newLease('global'),
            { kind: 'acquire', controller_id: 'a', host: 'h', preferred: false, ttl_ms: TTL },
            0,
          ).next;
          let now = 0;
          let changes = 0;
          const act = (request: LeaseRequest): boolean => {
            const decision = decideLease(record, request, now);
            record = decision.next;
            if (decision.outcome === 'acquired') changes += 1;
            if (decision.yield_to === null || request.kind === 'release') return decision.outcome === 'acquired';
            return act({ kind: 'release', controller_id: request.controller_id, term: record.term });
          };
          for (const { gapMs, jitterMs } of rounds) {
            now += gapMs;
            for (const controller_id of NODES) {
              now += jitterMs;
              act({ kind: 'acquire', controller_id, host: 'h', preferred: PREFERRED.has(controller_id), ttl_ms: TTL });
            }
          }
          const lasted = now >= 90_000;
          expect(changes).toBeLessThanOrEqual(1);
          if (lasted) expect(record.holder_id).toBe('p');
        },
      ),
      { numRuns: 200 },
    );
  });
});

function noteBranch(
  reached: Coverage<(typeof REACHED)[number]>,
  before: LeaseRecord,
  request: LeaseRequest,
  decision: LeaseDecision,
  now: number,
): void {
  const { outcome, yield_to } = decision;
  const lapsed = before.holder_id !== null && now >= before.lease_expires_at;
  if (outcome === 'acquired' && lapsed) reached.reach('taken over after a lapse');
  if (yield_to !== null) reached.reach('asked to yield');
  const reserved = before.reserved_until !== null && now < before.reserved_until;
  if (outcome === 'refused' && request.kind === 'acquire' && before.holder_id === null && reserved) {
    reached.reach('refused for a reservation');
  }
}
