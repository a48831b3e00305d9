import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChoiceView, QueuedDelivery } from '../../../../local-agent/delivery/choose.ts';
import { conversationKey, decideDelivery } from '../../../../local-agent/delivery/choose.ts';
import type { CountsAs, Slot, SlotEvent } from '../../../../local-agent/delivery/policy.ts';
import {
  admission,
  DELIVERY_BACKOFF,
  EMPTY_SLOT,
  nextSlot,
  onlyAccount,
} from '../../../../local-agent/delivery/policy.ts';
import type { StopReason } from '../../../../schema/contracts/clients.ts';
import { DELIVERY_KINDS } from '../../../../schema/contracts/renewal.ts';
import { DELIVERY } from '../../../../schema/defaults.ts';
import { retryDelayMs } from '../../../../schema/domain/retry.ts';

const PLATFORM = 'chatgpt';

type Step =
  | { do: 'enqueue'; kind: QueuedDelivery['kind']; client: number; conversation: number }
  | { do: 'end'; pick: number; counts_as: CountsAs }
  | { do: 'pass'; ms: number }
  | { do: 'restart' };

const stepArb: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('enqueue' as const),
      kind: fc.constantFrom(...DELIVERY_KINDS),
      client: fc.integer({ min: 0, max: 1 }),
      conversation: fc.integer({ min: 0, max: 3 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      pick: fc.nat(3),
      counts_as: fc.constantFrom<CountsAs>('success', 'failure', 'failure', 'neutral'),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 400_000 }) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'restart' as const }) },
);

/** Replies first, then by deadline, as the scheduler asks. */
function inOrder(a: QueuedDelivery, b: QueuedDelivery): number {
  if ((a.kind === 'reply') !== (b.kind === 'reply')) return a.kind === 'reply' ? -1 : 1;
  return a.deadline_at - b.deadline_at;
}

/** The policy under a scheduler without disk and sockets. */
class World {
  now = 1_000_000;
  queue: QueuedDelivery[] = [];
  inFlight: QueuedDelivery[] = [];
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
      reconnectsUntil: () => 0,
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
      counts_as: step.counts_as,
      reason: step.counts_as,
      retry_after_ms: null,
      chance: this.#chance(),
    } as const;
    const after = nextSlot(before, event, this.now);
    this.slots.set(item.client_id, after);
    if (step.counts_as === 'failure') {
      this.row.set(item.client_id, (this.row.get(item.client_id) ?? 0) + 1);
      const opens = before.breaker === 'half_open' || (this.row.get(item.client_id) ?? 0) >= DELIVERY.breaker_failures;
      if (opens) expect(after.breaker).toBe('open');
      if (opens && before.breaker !== 'open') expect(after.open_until).toBe(this.now + DELIVERY.breaker_open_ms);
    }
    if (step.counts_as === 'success' && before.breaker !== 'open') {
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
      const decision = decideDelivery(item, view, this.now);
      if (decision.type === 'wait') {
        expect(decision.wakeAt).toBeGreaterThan(this.now);
        continue;
      }
      this.queue = this.queue.filter((other) => other !== item);
      if (decision.type === 'send') this.#send(item, view);
    }
  }

  #send(item: QueuedDelivery, view: ChoiceView): void {
    const before = this.slot(item.client_id);
    // Replies first: no reply that could leave now waits behind a renewal or prompt.
    if (item.kind !== 'reply') {
      const passedOver = this.queue.filter((other) => other.kind === 'reply' && other.client_id === item.client_id);
      for (const other of passedOver) expect(decideDelivery(other, view, this.now).type).not.toBe('send');
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
  it('the limits hold in every sequence of deliveries, ends, pauses and restarts', () => {
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

  it('a slot keeps drift and skipped tabs of the newest delivery, cut to what a report takes, and counts restored tabs', () => {
    const end = (drift: string[], skipped: string[]) =>
      ({
        type: 'ended',
        plan_id: 'p',
        counts_as: 'neutral',
        reason: 'ok',
        retry_after_ms: null,
        chance: 0,
        pages: { drift, restored: 1, skipped },
      }) as const;
    const first = nextSlot(EMPTY_SLOT, end(['x'.repeat(400), 'y'.repeat(400)], ['unloaded']), 1);
    expect(first).toMatchObject({ last_skipped: 'unloaded', restored_count: 1 });
    expect(first.last_drift).toHaveLength(500);
    expect(nextSlot(first, end([], []), 2)).toMatchObject({ last_drift: null, last_skipped: null, restored_count: 2 });
  });

  it('a slot admits no more starts in a window than its rate', () => {
    let slot = EMPTY_SLOT;
    let now = 0;
    for (let n = 0; n < DELIVERY.rate_max; n += 1) {
      slot = nextSlot(slot, { type: 'started', plan_id: `p${n}`, timeout_ms: 1, chance: 0 }, now);
      const ended = {
        type: 'ended',
        plan_id: `p${n}`,
        counts_as: 'success',
        reason: 'ok',
        retry_after_ms: null,
        chance: 0,
      } as const;
      slot = nextSlot(slot, ended, now);
      now += DELIVERY.min_spacing_ms;
    }
    expect(admission(slot, now)).toEqual({ admitted: false, reason: 'rate_limit', until: DELIVERY.rate_window_ms });
    expect(admission(slot, DELIVERY.rate_window_ms)).toEqual({ admitted: true });
  });

  it('a sweep removes a delivery in flight whose lease has expired, and counts it', () => {
    const started = nextSlot(EMPTY_SLOT, { type: 'started', plan_id: 'p', timeout_ms: 20_000, chance: 0 }, 0);
    const lease = 20_000 + DELIVERY.stale_lease_ms;
    expect(nextSlot(started, { type: 'swept', all: false }, lease - 1)).toBe(started);
    expect(nextSlot(started, { type: 'swept', all: false }, lease)).toMatchObject({
      in_flight: [],
      stale_sweep_count: 1,
    });
  });

  it('the backoff doubles with each failure, with jitter, up to a bound', () => {
    expect([1, 2, 3].map((n) => retryDelayMs(n, DELIVERY_BACKOFF, 0.5))).toEqual([5_000, 10_000, 20_000]);
    expect([0, 0.999].map((chance) => retryDelayMs(1, DELIVERY_BACKOFF, chance))).toEqual([4_000, 5_998]);
    expect(retryDelayMs(500, DELIVERY_BACKOFF, 0.5)).toBe(DELIVERY.retry_max_ms);
  });

  it('an open breaker admits one probe when its time is over, and no second one beside it', () => {
    const open: Slot = { ...EMPTY_SLOT, breaker: 'open', failures: 5, open_until: 60_000 };
    expect(admission(open, 59_999)).toEqual({ admitted: false, reason: 'breaker_open', until: 60_000 });
    expect(admission(open, 60_000)).toEqual({ admitted: true });
    const probing = nextSlot(open, { type: 'started', plan_id: 'probe', timeout_ms: 20_000, chance: 0 }, 60_000);
    expect(probing.breaker).toBe('half_open');
    expect(admission(probing, 79_000)).toEqual({ admitted: false, reason: 'breaker_probing', until: null });
    const end = (counts_as: CountsAs): Slot =>
      nextSlot(
        probing,
        { type: 'ended', plan_id: 'probe', counts_as, reason: counts_as, retry_after_ms: null, chance: 0 },
        80_000,
      );
    expect(end('failure')).toMatchObject({ breaker: 'open', open_until: 80_000 + DELIVERY.breaker_open_ms });
    expect(end('success')).toMatchObject({ breaker: 'closed', failures: 0 });
    // It proved nothing, so the next delivery is a probe again.
    expect(end('neutral')).toMatchObject({ breaker: 'half_open', in_flight: [] });
  });

  it('the success of a delivery sent before the breaker opened does not close it', () => {
    const open: Slot = { ...EMPTY_SLOT, breaker: 'open', failures: 5, open_until: 60_000 };
    const event = {
      type: 'ended',
      plan_id: 'p',
      counts_as: 'success',
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
      counts_as: 'failure',
      reason: stops,
      retry_after_ms: null,
      chance: 0,
      stops,
    });

    it('a stopped slot admits nothing until a person resumes it', () => {
      const stopped = nextSlot(EMPTY_SLOT, ended('signed_out'), 1_000);
      expect(stopped.stopped).toEqual({ reason: 'signed_out', since: 1_000 });
      const refusal = { admitted: false, reason: 'signed_out', until: null, stopped: true };
      expect(admission(stopped, Number.MAX_SAFE_INTEGER)).toEqual(refusal);
      expect(admission(nextSlot(stopped, { type: 'resumed' }, 2_000), 2_000)).toEqual({ admitted: true });
    });

    it('accounts side by side in two containers stop nothing, and another one in either of them does', () => {
      const seen = (slot: Slot, work: string) =>
        nextSlot(
          slot,
          {
            type: 'accounts',
            accounts: [
              { container: 'firefox-default', fingerprint: 'ann', lost: false },
              { container: 'work', fingerprint: work, lost: false },
            ],
          },
          1,
        );
      // An earlier version has stored the account of the browser without its container.
      const both = seen({ ...EMPTY_SLOT, fingerprint: 'ann' }, 'bob');
      expect(both).toMatchObject({ stopped: null, containers: { work: 'bob' } });
      expect(seen(both, 'bob')).toBe(both);
      expect(onlyAccount(both)).toBeNull();
      expect(seen(both, 'eve').stopped?.reason).toBe('account_changed');
      expect(seen(both, 'ann').stopped?.reason).toBe('account_changed');
      expect(onlyAccount(seen(EMPTY_SLOT, 'ann'))).toBe('ann');
    });

    it('the accounts of the newest containers are kept, and no more', () => {
      let slot: Slot = EMPTY_SLOT;
      for (let n = 0; n < 200; n += 1) {
        const container = `firefox-container-${n}`;
        slot = nextSlot(slot, { type: 'accounts', accounts: [{ container, fingerprint: 'ann', lost: false }] }, 1);
      }
      expect(Object.keys(slot.containers)).toHaveLength(64);
      expect(slot.containers).toHaveProperty('firefox-container-199');
    });

    it('a sign-out stops a slot only when no container has a login any more', () => {
      const seen = (slot: Slot, ...lost: boolean[]) =>
        nextSlot(slot, { type: 'accounts', accounts: lost.map((one) => ({ fingerprint: null, lost: one })) }, 1);
      expect(seen(EMPTY_SLOT, true, false).stopped).toBeNull();
      expect(seen(seen(EMPTY_SLOT, true, false), true, true).stopped?.reason).toBe('signed_out');
    });

    it('another account stops a slot, and a resume accepts the new one', () => {
      const seen = (slot: Slot, fingerprint: string | null) =>
        nextSlot(slot, { type: 'accounts', accounts: [{ fingerprint, lost: false }] }, 1);
      const first = seen(seen(EMPTY_SLOT, 'ann'), null);
      expect(first).toMatchObject({ stopped: null, fingerprint: 'ann' });
      const other = seen(first, 'bob');
      expect(other.stopped?.reason).toBe('account_changed');
      const again = seen(nextSlot(other, { type: 'resumed' }, 2), 'bob');
      expect(again).toMatchObject({ stopped: null, fingerprint: 'bob' });
    });

    it('a sign-out stops a slot once, so a resume before the next sign-in lasts', () => {
      const lost: SlotEvent = { type: 'accounts', accounts: [{ fingerprint: null, lost: true }] };
      const stopped = nextSlot(EMPTY_SLOT, lost, 1);
      expect(stopped.stopped?.reason).toBe('signed_out');
      expect(nextSlot(nextSlot(stopped, { type: 'resumed' }, 2), lost, 3).stopped).toBeNull();
    });

    it('a stopped slot keeps its first reason', () => {
      const stopped = nextSlot(EMPTY_SLOT, ended('security_challenge'), 1);
      expect(nextSlot(stopped, ended('signed_out'), 2).stopped?.reason).toBe('security_challenge');
    });
  });
});
