import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CautiousTime } from '../../../../local-agent/node/cautious-clock.ts';
import { advanceCautiousTime } from '../../../../local-agent/node/cautious-clock.ts';
import type { LeaseRules, NodeView } from '../../../../local-agent/node/node-state.ts';
import { INITIAL_NODE_VIEW, leads, nextNodeView } from '../../../../local-agent/node/node-state.ts';
import { leaseResponse } from '../../../support/fake-edge.ts';

/** How the machine's clocks behave while `ms` of true time pass; at any moment at most one of them is wrong. */
const step = fc.oneof(
  fc.record({ fault: fc.constant('none' as const), ms: fc.nat(20_000), jumpMs: fc.constant(0) }),
  fc.record({
    fault: fc.constant('wall' as const),
    ms: fc.nat(20_000),
    jumpMs: fc.integer({ min: -86_400_000, max: 86_400_000 }),
  }),
  fc.record({ fault: fc.constant('asleep' as const), ms: fc.nat(60_000), jumpMs: fc.constant(0) }),
);
const action = fc.record({
  /** Whether a request leaves after the step, how long until the edge takes it, and how long its response takes. */
  request: fc.option(fc.record({ thereMs: fc.nat(9_000), backMs: fc.nat(9_000), isLost: fc.boolean() }), { nil: null }),
  step,
});

interface World {
  trueMs: number;
  wallMs: number;
  monotonicMs: number;
}

/** A node and an edge that grants every request; true time is the edge's clock. */
class Model {
  readonly #rules: LeaseRules;
  #world: World = { trueMs: 0, wallMs: 1_000_000, monotonicMs: 0 };
  #time: CautiousTime = { elapsedMs: 0, last: { wallMs: 1_000_000, monotonicMs: 0 } };
  #view: NodeView = INITIAL_NODE_VIEW;
  readonly #grants: number[] = [];
  #arrivals: { at: number; sentAt: number }[] = [];

  constructor(ttlMs: number) {
    this.#rules = { nodeId: 'node-a', preferred: false, ttlMs, renewIntervalMs: 5_000, renewFailureThreshold: 2 };
  }

  #now(): number {
    this.#time = advanceCautiousTime(this.#time, this.#world);
    return this.#time.elapsedMs;
  }

  send(thereMs: number, backMs: number, isLost: boolean): void {
    const sentAt = this.#now();
    const takenAt = this.#world.trueMs + thereMs;
    this.#grants.push(takenAt);
    if (!isLost) this.#arrivals.push({ at: takenAt + backMs, sentAt });
  }

  /** When the edge may grant the lease to another node, by the requests that it has taken until now. */
  get edgeExpiry(): number {
    const taken = this.#grants.filter((at) => at <= this.#world.trueMs);
    return taken.length === 0 ? 0 : Math.max(...taken) + this.#rules.ttlMs;
  }

  pass({ fault, ms, jumpMs }: { fault: string; ms: number; jumpMs: number }): void {
    const { trueMs, wallMs, monotonicMs } = this.#world;
    this.#world = {
      trueMs: trueMs + ms,
      wallMs: wallMs + ms + (fault === 'wall' ? jumpMs : 0),
      monotonicMs: monotonicMs + (fault === 'asleep' ? 0 : ms),
    };
    const arrived = this.#arrivals.filter(({ at }) => at <= this.#world.trueMs);
    this.#arrivals = this.#arrivals.filter(({ at }) => at > this.#world.trueMs);
    for (const { sentAt } of arrived) {
      const response = leaseResponse({ expires_in_ms: this.#rules.ttlMs });
      this.#view = nextNodeView(this.#view, { type: 'response', sentAt, response }, this.#rules, this.#now());
    }
  }

  leads(): boolean {
    return leads(this.#view, this.#now());
  }

  get trueMs(): number {
    return this.#world.trueMs;
  }
}

describe('self-demotion', () => {
  it('a leader stops leading before the edge can grant its lease to another, under any delays, sleeps and wall-clock jumps', () => {
    let led = 0;
    fc.assert(
      fc.property(fc.integer({ min: 15_000, max: 300_000 }), fc.array(action, { maxLength: 60 }), (ttlMs, actions) => {
        const model = new Model(ttlMs);
        for (const { request, step: passing } of actions) {
          if (request) model.send(request.thereMs, request.backMs, request.isLost);
          model.pass(passing);
          if (!model.leads()) continue;
          led += 1;
          expect(model.trueMs).toBeLessThan(model.edgeExpiry);
        }
      }),
      { numRuns: 2_000 },
    );
    // A node that never leads would pass as well.
    expect(led).toBeGreaterThan(1_000);
  });
});
