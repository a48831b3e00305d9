import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Deliveries } from '../../../../local-agent/delivery/deliveries.ts';
import type { DeliveryState } from '../../../../local-agent/delivery/delivery-machine.ts';
import { DELIVERY_STATES, DELIVERY_TRANSITIONS } from '../../../../local-agent/delivery/delivery-machine.ts';
import type { DeliveryResult } from '../../../../schema/contracts/renewal.ts';
import { openTestStore } from '../../../support/agent-store.ts';
import { reply } from '../../../support/delivery-builders.ts';
import { TestClock } from '../../../support/test-clock.ts';

const RESULT: DeliveryResult = { outcome: 'uncertain', reason: null, method: null };
const isAllowed = (from: DeliveryState, to: DeliveryState) =>
  (DELIVERY_TRANSITIONS[from] as readonly DeliveryState[]).includes(to);
const moves = DELIVERY_STATES.flatMap((from) => DELIVERY_STATES.map((to) => [from, to] as const));

/** A stored delivery in that state. */
function deliveryIn(state: DeliveryState): Deliveries {
  const deliveries = new Deliveries(openTestStore(new TestClock()).db);
  deliveries.add({ ...reply('msg_1'), kind: 'reply', subject_kind: 'message', deadline_at: 100 }, 1);
  if (state !== 'queued') deliveries.markSending('reply:msg_1', 2);
  if (state === 'ended') deliveries.end('reply:msg_1', 'uncertain', RESULT, 3);
  return deliveries;
}

const move: Record<DeliveryState, (deliveries: Deliveries) => void> = {
  queued: (deliveries) =>
    deliveries.requeue('reply:msg_1', { attempt: 0, next_at: 5, deadline_at: 100, result: null }, 4),
  sending: (deliveries) => void deliveries.markSending('reply:msg_1', 4),
  ended: (deliveries) => deliveries.end('reply:msg_1', 'delivered', { ...RESULT, outcome: 'delivered' }, 4),
};

describe('the states of a delivery', () => {
  it('the drawing in docs/state-machines.md shows exactly the transitions of the table', () => {
    const page = readFileSync(new URL('../../../../docs/state-machines.md', import.meta.url), 'utf8');
    const [, drawing = ''] = /## Delivery on a node[\s\S]*?```mermaid\n([\s\S]*?)```/.exec(page) ?? [];
    const drawn = [...drawing.matchAll(/^\s*(\w+) --> (\w+)/gm)].map(([, from, to]) => `${from} ${to}`);
    const table = moves.filter(([from, to]) => isAllowed(from, to)).map(([from, to]) => `${from} ${to}`);
    expect(drawn.toSorted()).toEqual(table.toSorted());
  });

  it.each(moves.filter(([from, to]) => isAllowed(from, to)))('a delivery that is %s can become %s', (from, to) => {
    const deliveries = deliveryIn(from);
    move[to](deliveries);
    expect(deliveries.find('reply:msg_1')).toMatchObject({ state: to, updated_at: 4 });
  });

  it.each(moves.filter(([from, to]) => !isAllowed(from, to)))(
    'a delivery that is %s cannot become %s, and stays as it is',
    (from, to) => {
      const deliveries = deliveryIn(from);
      const before = deliveries.find('reply:msg_1');
      expect(() => move[to](deliveries)).toThrow(`is ${from} and cannot become ${to}`);
      expect(deliveries.find('reply:msg_1')).toEqual(before);
    },
  );
});
