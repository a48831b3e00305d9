import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChoiceView, Waiting } from '../../../../local-agent/delivery/choose.ts';
import { conversationKey, decide } from '../../../../local-agent/delivery/choose.ts';
import type { Slot, SlotEvent, Verdict } from '../../../../local-agent/delivery/policy.ts';
import { admission, backoffMs, EMPTY_SLOT, nextSlot } from '../../../../local-agent/delivery/policy.ts';
import type { StopReason } from '../../../../schema/contracts/clients.ts';
import { DELIVERY } from '../../../../schema/defaults.ts';

const PLATFORM = 'chatgpt';

type Step =
  | { do: 'enqueue'; kind: 'reply' | 'renewal'; client: number; conversation: number }
  | { do: 'end'; pick: number; verdict: Verdict }
  | { do: 'pass'; ms: number }
  | { do: 'restart' };

const stepArb: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('enqueue' as const),
      kind: fc.constantFrom('reply' as const, 'renewal' as const),
      client: fc.integer({ min: 0, max: 1 }),
      conversation: fc.integer({ min: 0, max: 3 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      pick: fc.nat(3),
      verdict: fc.constantFrom<Verdict>('success', 'failure', 'failure', 'neutral'),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 400_000 }) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'restart' as const }) },
);

/** Replies first, then the older, as the manager asks. */
function inOrder(a: Waiting, b: Waiting): number {
  if (a.kind !== b.kind) return a.kind === 'reply' ? -1 : 1;
  return a.deadline_at - b.deadline_at;
}

/** The policy driven by hand: what the manager does, without disk and sockets. */
class World {
  now = 1_000_000;
  queue: Waiting[] = [];
  inFlight: Waiting[] = [];
  readonly slots = new Map<string, Slot>();
  /** Failures in a row by client, counted apart from the slot. */
  readonly row = new Map<string, number>();
  #made = 0;
  readonly #chance: () => number;

  constructor(chance: () => number) {
    this.#chance = chance;
  }

  slot(client: string): Slot {
    return this.slots.get(client) ?? EMPTY_SLOT;
  }

  view(): ChoiceView {
    return {
      isConnected: () => true,
      backBy: () => 0,
      slot: (client) => this.slot(client),
      isBusy: (key) => this.inFlight.some((item) => conversationKey(item) === key),
    };
  }

  enqueue(step: Extract<Step, { do: 'enqueue' }>): void {
    this.#made += 1;
    this.queue.push({
      plan_id: `plan_${this.#made}`,
      kind: step.kind,
      client_id: `client_${step.client}`,
      platform: PLATFORM,
      conversation_id: `c${step.conversation}`,
      created_at: this.now,
      next_at: this.now,
      deadline_at: this.now + (step.kind === 'reply' ? 600_000 : 5_000),
    });
  }

  end(step: Extract<Step, { do: 'end' }>): void {
    const item = this.inFlight[step.pick % Math.max(1, this.inFlight.length)];
    if (!item) return;
    this.inFlight = this.inFlight.filter((other) => other !== item);
    const before = this.slot(item.client_id);
    const event = {
      type: 'ended',
      plan_id: item.plan_id,
      verdict: step.verdict,
      reason: step.verdict,
      retry_after_ms: null,
      chance: this.#chance(),
    } as const;
    const after = nextSlot(before, event, this.now);
    this.slots.set(item.client_id, after);
    if (step.verdict === 'failure') {
      this.row.set(item.client_id, (this.row.get(item.client_id) ?? 0) + 1);
      const opens = before.breaker === 'half_open' || (this.row.get(item.client_id) ?? 0) >= DELIVERY.breaker_failures;
      if (opens) expect(after.breaker).toBe('open');
      if (opens && before.breaker !== 'open') expect(after.open_until).toBe(this.now + DELIVERY.breaker_open_ms);
    }
    if (step.verdict === 'success' && before.breaker !== 'open') {
      this.row.set(item.client_id, 0);
      expect(after).toMatchObject({ breaker: 'closed', failures: 0 });
    }
  }

  restart(): void {
    this.inFlight = [];
    for (const [client, slot] of this.slots)
      this.slots.set(client, nextSlot(slot, { type: 'swept', all: true }, this.now));
  }

  run(): void {
    for (const item of [...this.queue].sort(inOrder)) {
      const view = this.view();
      const decision = decide(item, view, this.now);
      if (decision.type === 'wait') {
        expect(decision.wakeAt).toBeGreaterThan(this.now);
        continue;
      }
      this.queue = this.queue.filter((other) => other !== item);
      if (decision.type === 'send') this.#send(item, view);
    }
  }

  #send(item: Waiting, view: ChoiceView): void {
    const before = this.slot(item.client_id);
    // Replies first: none that could go now waits behind a renewal.
    if (item.kind === 'renewal') {
      const passedOver = this.queue.filter((other) => other.kind === 'reply' && other.client_id === item.client_id);
      for (const other of passedOver) expect(decide(other, view, this.now).type).not.toBe('send');
    }
    // The breaker: nothing while it is open, one probe when its time is over.
    if (before.breaker === 'open') expect(before.open_until ?? 0).toBeLessThanOrEqual(this.now);
    if (before.breaker !== 'closed') expect(before.in_flight).toEqual([]);
    const event = { type: 'started', plan_id: item.plan_id, timeout_ms: 20_000, chance: this.#chance() } as const;
    const after = nextSlot(before, event, this.now);
    this.slots.set(item.client_id, after);
    this.inFlight.push(item);

    const keys = this.inFlight.map(conversationKey);
    expect(new Set(keys).size).toBe(keys.length);
    expect(after.in_flight.length).toBeLessThanOrEqual(DELIVERY.per_platform_in_flight);
    const previous = before.starts.at(-1);
    if (previous !== undefined) expect(this.now - previous).toBeGreaterThanOrEqual(DELIVERY.min_spacing_ms);
    const window = after.starts.filter((at) => at > this.now - DELIVERY.rate_window_ms);
    expect(window.length).toBeLessThanOrEqual(DELIVERY.rate_max);
  }
}

describe('delivery policy', () => {
  it('keeps its limits whatever happens', () => {
    fc.assert(
      fc.property(
        fc.array(stepArb, { maxLength: 150 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (steps, chance) => {
          const world = new World(() => chance);
          for (const step of steps) {
            if (step.do === 'enqueue') world.enqueue(step);
            else if (step.do === 'end') world.end(step);
            else if (step.do === 'restart') world.restart();
            else world.now += step.ms;
            world.run();
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('keeps a rolling rate', () => {
    let slot = EMPTY_SLOT;
    let now = 0;
    for (let n = 0; n < DELIVERY.rate_max; n += 1) {
      slot = nextSlot(slot, { type: 'started', plan_id: `p${n}`, timeout_ms: 1, chance: 0 }, now);
      const ended = {
        type: 'ended',
        plan_id: `p${n}`,
        verdict: 'success',
        reason: 'ok',
        retry_after_ms: null,
        chance: 0,
      } as const;
      slot = nextSlot(slot, ended, now);
      now += DELIVERY.min_spacing_ms;
    }
    expect(admission(slot, now)).toEqual({ admitted: false, reason: 'rate_limit', at: DELIVERY.rate_window_ms });
    expect(admission(slot, DELIVERY.rate_window_ms)).toEqual({ admitted: true });
  });

  it('takes back a place whose lease has passed, and counts it', () => {
    const started = nextSlot(EMPTY_SLOT, { type: 'started', plan_id: 'p', timeout_ms: 20_000, chance: 0 }, 0);
    const lease = 20_000 + DELIVERY.stale_lease_ms;
    expect(nextSlot(started, { type: 'swept', all: false }, lease - 1)).toBe(started);
    expect(nextSlot(started, { type: 'swept', all: false }, lease)).toMatchObject({
      in_flight: [],
      stale_sweep_count: 1,
    });
  });

  it('backs off twice as long after each failure, with jitter, up to a bound', () => {
    expect([1, 2, 3].map((n) => backoffMs(n, 0.5))).toEqual([5_000, 10_000, 20_000]);
    expect([0, 0.999].map((chance) => backoffMs(1, chance))).toEqual([4_000, 5_998]);
    expect(backoffMs(500, 0.5)).toBe(DELIVERY.retry_max_ms);
  });

  it('lets one probe through when the breaker’s time is over, and no second one beside it', () => {
    const open: Slot = { ...EMPTY_SLOT, breaker: 'open', failures: 5, open_until: 60_000 };
    expect(admission(open, 59_999)).toEqual({ admitted: false, reason: 'breaker_open', at: 60_000 });
    expect(admission(open, 60_000)).toEqual({ admitted: true });
    const probing = nextSlot(open, { type: 'started', plan_id: 'probe', timeout_ms: 20_000, chance: 0 }, 60_000);
    expect(probing.breaker).toBe('half_open');
    expect(admission(probing, 79_000)).toEqual({ admitted: false, reason: 'breaker_probing', at: null });
    const end = (verdict: Verdict): Slot =>
      nextSlot(
        probing,
        { type: 'ended', plan_id: 'probe', verdict, reason: verdict, retry_after_ms: null, chance: 0 },
        80_000,
      );
    expect(end('failure')).toMatchObject({ breaker: 'open', open_until: 80_000 + DELIVERY.breaker_open_ms });
    expect(end('success')).toMatchObject({ breaker: 'closed', failures: 0 });
    // It proved nothing, so the next one is a probe again.
    expect(end('neutral')).toMatchObject({ breaker: 'half_open', in_flight: [] });
  });

  it('does not let a straggler close an open breaker', () => {
    const open: Slot = { ...EMPTY_SLOT, breaker: 'open', failures: 5, open_until: 60_000 };
    const event = {
      type: 'ended',
      plan_id: 'p',
      verdict: 'success',
      reason: 'ok',
      retry_after_ms: null,
      chance: 0,
    } as const;
    expect(nextSlot(open, event, 1)).toMatchObject({ breaker: 'open', failures: 5, open_until: 60_000 });
  });

  describe('a stop', () => {
    const ended = (stops: StopReason): SlotEvent => ({
      type: 'ended',
      plan_id: 'p',
      verdict: 'failure',
      reason: stops,
      retry_after_ms: null,
      chance: 0,
      stops,
    });

    it('admits nothing, however long one waits, until a person resumes', () => {
      const stopped = nextSlot(EMPTY_SLOT, ended('signed_out'), 1_000);
      expect(stopped.stopped).toEqual({ reason: 'signed_out', since: 1_000 });
      const refusal = { admitted: false, reason: 'signed_out', at: null, stopped: true };
      expect(admission(stopped, Number.MAX_SAFE_INTEGER)).toEqual(refusal);
      expect(admission(nextSlot(stopped, { type: 'resumed' }, 2_000), 2_000)).toEqual({ admitted: true });
    });

    it('comes when another account is signed in than the one it began with, and a resume takes the new one', () => {
      const seen = (slot: Slot, fingerprint: string | null) =>
        nextSlot(slot, { type: 'account', fingerprint, lost: false }, 1);
      const first = seen(seen(EMPTY_SLOT, 'ann'), null);
      expect(first).toMatchObject({ stopped: null, fingerprint: 'ann' });
      const other = seen(first, 'bob');
      expect(other.stopped?.reason).toBe('account_changed');
      const again = seen(nextSlot(other, { type: 'resumed' }, 2), 'bob');
      expect(again).toMatchObject({ stopped: null, fingerprint: 'bob' });
    });

    it('comes with a sign-out once, so that a resume before the next sign-in holds', () => {
      const lost: SlotEvent = { type: 'account', fingerprint: null, lost: true };
      const stopped = nextSlot(EMPTY_SLOT, lost, 1);
      expect(stopped.stopped?.reason).toBe('signed_out');
      expect(nextSlot(nextSlot(stopped, { type: 'resumed' }, 2), lost, 3).stopped).toBeNull();
    });

    it('keeps its first reason', () => {
      const stopped = nextSlot(EMPTY_SLOT, ended('security_challenge'), 1);
      expect(nextSlot(stopped, ended('signed_out'), 2).stopped?.reason).toBe('security_challenge');
    });
  });
});
