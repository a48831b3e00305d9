/**
 * The lease against clients that behave as agents do: they trust their lease only from before they asked, by their own
 * skewed clock, and their requests and answers are delayed, lost or repeated. Whatever happens, never do two of them
 * believe at one instant that they lead, no term has two holders, and terms only grow.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LeaderAcquireResponse, LeaseRecord } from '../../../schema/contracts/leader.ts';
import type { LeaseRequest } from '../../../schema/domain/lease.ts';
import { decideLease, freshLease, leaseResponse } from '../../../schema/domain/lease.ts';

const TTL = 30_000;
const MARGIN = 5_000;
const NODES = ['a', 'b', 'p'] as const;
const PREFERRED: ReadonlySet<string> = new Set(['p']);

type Fate = 'arrives' | 'request lost' | 'answer lost';
interface Step {
  node: (typeof NODES)[number];
  kind: LeaseRequest['kind'];
  waitMs: number;
  travelMs: number;
  answerMs: number;
  /** Added to the term the node knows, as an old or invented one. */
  termOff: number;
  fate: Fate;
  restart: boolean;
}
const step: fc.Arbitrary<Step> = fc.record({
  node: fc.constantFrom(...NODES),
  kind: fc.constantFrom('acquire', 'acquire', 'renew', 'renew', 'release'),
  waitMs: fc.oneof(fc.integer({ min: 0, max: 6_000 }), fc.integer({ min: 0, max: 40_000 })),
  travelMs: fc.integer({ min: 0, max: 20_000 }),
  answerMs: fc.integer({ min: 0, max: 20_000 }),
  termOff: fc.constantFrom(0, 0, 0, 0, -1, 1),
  fate: fc.constantFrom<Fate>('arrives', 'arrives', 'arrives', 'request lost', 'answer lost'),
  restart: fc.boolean(),
});

/** What one node believes: until when it trusts its lease, by the object's time line. */
interface Belief {
  term: number;
  trustedFrom: number;
  trustedUntil: number;
}

function requestOf({ node, kind, termOff }: Step, term: number): LeaseRequest {
  const controller_id = node;
  if (kind === 'acquire') return { kind, controller_id, host: 'h', preferred: PREFERRED.has(node), ttl_ms: TTL };
  if (kind === 'renew') return { kind, controller_id, term: Math.max(0, term + termOff), ttl_ms: TTL };
  return { kind, controller_id, term: Math.max(0, term + termOff) };
}

describe('any history of the lease', () => {
  it('has one leader at a time, one holder a term, and terms that only grow', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        let record: LeaseRecord = freshLease('global');
        let now = 0;
        const holders = new Map<number, string>();
        const known: Record<string, number> = {};
        const spans: { node: string; from: number; until: number }[] = [];
        const beliefs = new Map<string, Belief>();
        for (const current of steps) {
          now += current.waitMs;
          if (current.restart) known[current.node] = 0;
          if (current.fate === 'request lost') continue;
          const sentAt = now;
          const decidedAt = sentAt + current.travelMs;
          // The object's time line is that of the decisions: the next request cannot be decided before this one.
          now = decidedAt;
          const request = requestOf(current, known[current.node] ?? 0);
          if (request.kind === 'release') {
            // An agent stops leading before it asks to be released.
            const belief = beliefs.get(current.node);
            if (belief) endBelief(spans, current.node, belief, sentAt);
            beliefs.delete(current.node);
          }
          const before = record;
          const decision = decideLease(record, request, decidedAt);
          record = decision.next;
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
          if (request.kind === 'release' || current.fate === 'answer lost') continue;
          const answer: LeaderAcquireResponse = leaseResponse(record, request, decision, decidedAt);
          known[current.node] = answer.term;
          if (!answer.is_leader) continue;
          const heardAt = decidedAt + current.answerMs;
          const trustedUntil = sentAt + TTL - MARGIN;
          if (heardAt >= trustedUntil) continue;
          spans.push({ node: current.node, from: heardAt, until: trustedUntil });
          beliefs.set(current.node, { term: answer.term, trustedFrom: heardAt, trustedUntil });
        }
        for (const [index, one] of spans.entries()) {
          for (const other of spans.slice(index + 1)) {
            if (one.node === other.node) continue;
            const overlap = Math.min(one.until, other.until) - Math.max(one.from, other.from);
            expect(overlap).toBeLessThanOrEqual(0);
          }
        }
      }),
      { numRuns: 400 },
    );
  });

  it('hands over to a steadily asking preferred node once, and never flaps', () => {
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
            freshLease('global'),
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

/** Shortens the spans in which that node believed to lead beyond `at`. */
function endBelief(
  spans: { node: string; from: number; until: number }[],
  node: string,
  belief: Belief,
  at: number,
): void {
  for (const span of spans) {
    if (span.node === node && span.until === belief.trustedUntil) span.until = Math.min(span.until, at);
  }
}
