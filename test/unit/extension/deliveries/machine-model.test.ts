/** The machine of a delivery under random events: what holds for every sequence, and that each step is reached. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  Delivery,
  DeliveryEffect,
  DeliveryEvent,
  Step,
} from '../../../../extension/background/deliveries/delivery-state.ts';
import { beginDelivery, STEPS } from '../../../../extension/background/deliveries/delivery-state.ts';
import { endOf } from '../../../../extension/background/deliveries/end.ts';
import { moveDelivery } from '../../../../extension/background/deliveries/machine.ts';
import type { TrafficEvent } from '../../../../extension/background/traffic.ts';
import { seenLook, seenSend } from '../../../support/extension/delivery-scene.ts';

const START = 1_800_000_000_000;
const source = { platform: 'chatgpt' as const, tabId: 17, role: 'send' as const, at: START };
const requestId = fc.constantFrom('a', 'b');

const traffic: fc.Arbitrary<TrafficEvent> = fc.oneof(
  fc.record({ requestId, text: fc.constantFrom('carry on', 'other') }).map(({ requestId: id, text }) => ({
    ...source,
    requestId: id,
    type: 'send' as const,
    send: { ...seenSend(), text },
  })),
  fc.record({ requestId, status: fc.constantFrom(200, 200, 403, 429, 503), isChallenge: fc.boolean() }).map((head) => ({
    ...source,
    ...head,
    type: 'status' as const,
    retryAfterMs: null,
  })),
  requestId.map((id) => ({ ...source, requestId: id, type: 'ended' as const, error: null })),
);
const look = fc.constantFrom(
  seenLook('c1'),
  seenLook('c1'),
  seenLook('c1', { shownConversation: null }),
  seenLook('c1', { composer: 'loading' }),
  seenLook('c2'),
  seenLook(null),
  seenLook('c1', { isAnswering: true }),
);
const event: fc.Arbitrary<DeliveryEvent> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<DeliveryEvent>({ type: 'stored' }) },
  { weight: 2, arbitrary: fc.constant<DeliveryEvent>({ type: 'tab_found', tabId: 17 }) },
  fc.constant<DeliveryEvent>({ type: 'no_tab', end: endOf('deferred', 'no_tab', { retryAfterMs: 1 }) }),
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('looked' as const), look, account: fc.constantFrom(null, 'f1', 'f2') }),
  },
  fc.record({ type: fc.constant('not_looked' as const), isTabGone: fc.boolean() }),
  fc.record({ type: fc.constant('identified' as const), as: fc.constantFrom('same', 'same', 'other', 'unknown') }),
  {
    weight: 3,
    arbitrary: fc.constantFrom<DeliveryEvent>(
      { type: 'composed', outcome: { typed: true, detail: {} } },
      { type: 'composed', outcome: { typed: true, detail: {} } },
      { type: 'composed', outcome: { typed: false, refusal: 'draft_in_composer', detail: {}, look: seenLook('c1') } },
    ),
  },
  fc.constantFrom<DeliveryEvent>(
    { type: 'pressed', outcome: { pressed: true, detail: {} } },
    { type: 'pressed', outcome: { pressed: false, refusal: 'timeout', detail: {}, look: seenLook('c1') } },
  ),
  fc.constant<DeliveryEvent>({ type: 'call_lost' }),
  fc.constantFrom<DeliveryEvent>(
    { type: 'withdrawn', outcome: null },
    { type: 'withdrawn', outcome: { wasThere: true, isCleared: true } },
  ),
  fc.record({ type: fc.constant('confirmed' as const), isSeen: fc.boolean() }),
  { weight: 2, arbitrary: traffic.map((one): DeliveryEvent => ({ type: 'traffic', event: one })) },
  fc.constant<DeliveryEvent>({ type: 'canceled', reason: 'canceled' }),
  { weight: 3, arbitrary: fc.constant<DeliveryEvent>({ type: 'time' }) },
);
/** The way to a press, of which a script begins with some part, since chance alone seldom gets there. */
const WAY: readonly DeliveryEvent[] = [
  { type: 'stored' },
  { type: 'tab_found', tabId: 17 },
  { type: 'looked', look: seenLook('c1'), account: 'f1' },
  { type: 'composed', outcome: { typed: true, detail: {} } },
  { type: 'stored' },
  { type: 'pressed', outcome: { pressed: true, detail: {} } },
];
type Script = [DeliveryEvent, number][];
const random = fc.array(fc.tuple(event, fc.constantFrom(0, 10, 400, 3_000)), { minLength: 1, maxLength: 30 });
const steps = fc
  .tuple(fc.integer({ min: 0, max: WAY.length }), random)
  .map(([length, rest]): Script => [...WAY.slice(0, length).map((one): Script[number] => [one, 0]), ...rest]);

interface Ran {
  delivery: Delivery;
  effects: { effect: DeliveryEffect; after: DeliveryEvent | null; from: Step; at: number }[];
  seen: Set<Step>;
}

function run(script: readonly (readonly [DeliveryEvent, number])[], account: string | null): Ran {
  const order = { planId: 'p', conversationId: 'c1', text: 'carry on', account, timeoutMs: 20_000 };
  const begun = beginDelivery(order, START);
  let delivery = begun.next;
  let now = START;
  const effects: Ran['effects'] = begun.effects.map((effect) => ({ effect, after: null, from: 'ended', at: now }));
  const seen = new Set<Step>([delivery.step]);
  for (const [one, passed] of script) {
    now += passed;
    const from = delivery.step;
    const moved = moveDelivery(delivery, one, now);
    delivery = moved.next;
    seen.add(delivery.step);
    effects.push(...moved.effects.map((effect) => ({ effect, after: one, from, at: now })));
  }
  return { delivery, effects, seen };
}

describe('a delivery under any sequence of events', () => {
  const reached = new Set<Step>();
  const ends = new Set<string>();

  it('presses at most once, after the mark was stored and before its time is over, and ends once', () => {
    fc.assert(
      fc.property(steps, fc.constantFrom(null, 'f1'), (script, account) => {
        const { delivery, effects, seen } = run(script, account);
        for (const step of seen) reached.add(step);
        const presses = effects.filter(({ effect }) => effect.type === 'press');
        const endings = effects.filter(({ effect }) => effect.type === 'end');
        expect(presses.length).toBeLessThanOrEqual(1);
        for (const { after, from, at } of presses) {
          expect([after?.type, from]).toEqual(['stored', 'storing_press']);
          expect(at).toBeLessThan(delivery.times.pressBy);
        }
        expect(endings.length).toBe(delivery.step === 'ended' ? 1 : 0);
        if (delivery.end && delivery.step === 'ended') ends.add(delivery.end.outcome);
        if (delivery.step !== 'ended') return;
        // What was not sent is never uncertain; what was sent, by the button or by the person, never comes again.
        const isRequested = (delivery.evidence?.requests.length ?? 0) > 0;
        if (isRequested) expect(['delivered', 'failed', 'uncertain']).toContain(delivery.end?.outcome);
        else if (presses.length === 0) expect(['refused', 'deferred']).toContain(delivery.end?.outcome);
      }),
      { numRuns: 5_000, seed: 7 },
    );
    expect([...reached].sort()).toEqual([...STEPS].sort());
    expect([...ends].sort()).toEqual(['deferred', 'delivered', 'failed', 'refused', 'uncertain']);
  });

  it('ends by time alone, before the deadline of the agent', () => {
    fc.assert(
      fc.property(steps, (script) => {
        let { delivery } = run(script, null);
        for (let turns = 0; delivery.step !== 'ended'; turns += 1) {
          expect(turns).toBeLessThan(200);
          const now = delivery.wakeAt ?? Number.NaN;
          delivery = moveDelivery(delivery, { type: 'time' }, now).next;
          if (delivery.step !== 'looking') expect(now).toBeLessThan(START + 20_000 + 30 * 3_000);
        }
      }),
      { numRuns: 1_000, seed: 7 },
    );
  });

  it('is not pressed after it was canceled', () => {
    fc.assert(
      fc.property(steps, random, (before, after) => {
        const canceled: [DeliveryEvent, number] = [{ type: 'canceled', reason: 'canceled' }, 0];
        const { effects } = run([...before, canceled, ...after], null);
        const at = effects.findIndex((one) => one.after === canceled[0]);
        if (at === -1) return;
        expect(effects.slice(at).some(({ effect }) => effect.type === 'press')).toBe(false);
      }),
      { numRuns: 1_000, seed: 7 },
    );
  });
});
