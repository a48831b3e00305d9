import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ASK } from '../../../schema/defaults.ts';
import type { AskProgress, SeenInConversation } from '../../../schema/domain/ask.ts';
import {
  askPlanId,
  deferAsk,
  endAskDelivery,
  matchAnswer,
  newAsk,
  operationOf,
  overdueAsk,
  sendAsk,
} from '../../../schema/domain/ask.ts';

const NOW = 1_800_000_000_000;
const seen: SeenInConversation = {
  message_id: 'msg_1',
  role: 'assistant',
  is_new: true,
  answers_plan_id: undefined,
  differs: false,
  observed_at: NOW,
  other_sent: false,
};

describe('the plan of an ask', () => {
  it('names its operation, of any characters, and no other plan names one', () => {
    const operation = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/);
    fc.assert(
      fc.property(operation, fc.integer({ min: 1, max: 1_000 }), (id, attempt) => {
        expect(operationOf(askPlanId(id, attempt))).toBe(id);
      }),
    );
    for (const other of ['job_1.1', 'reply:msg_1.1', 'task_1.5.1', 'ask:no-attempt'])
      expect(operationOf(other)).toBeNull();
  });
});

type Step = (ask: AskProgress, now: number) => AskProgress;
const outcome = fc.constantFrom('delivered', 'failed', 'deferred', 'uncertain');
const step: fc.Arbitrary<Step> = fc.oneof(
  outcome.map(
    (one): Step =>
      (ask, now) =>
        endAskDelivery(ask, { outcome: one, reason: null }, now),
  ),
  fc.boolean().map(
    (isReceived): Step =>
      (ask, now) =>
        ask.state === 'sent' ? overdueAsk(ask, isReceived, now) : ask,
  ),
  fc.constantFrom('mini', 'vps').map(
    (node): Step =>
      (ask, now) =>
        ask.state === 'queued' ? sendAsk(ask, node, now) : ask,
  ),
  fc.constant<Step>((ask, now) => (ask.state === 'queued' ? deferAsk(ask, 'draft', now) : ask)),
  fc
    .record({
      answers_plan_id: fc.constantFrom(undefined, null, 'ask:op.1', 'reply:msg_1.1'),
      differs: fc.boolean(),
      is_new: fc.boolean(),
      other_sent: fc.boolean(),
    })
    .map(
      (more): Step =>
        (ask, now) =>
          matchAnswer(ask, 'op', { ...seen, ...more, observed_at: now }, now),
    ),
);

describe('an ask, through any events', () => {
  it('has a time at which it ends exactly while it is open, and is never sent again once it may have left', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(step, fc.nat(ASK.send_within_ms)), { maxLength: 30 }), (steps) => {
        let ask = newAsk(NOW);
        let now = NOW;
        let mayHaveLeft = false;
        for (const [next, ms] of steps) {
          now += ms;
          const before = ask;
          ask = next(ask, now);
          const isOpen = ask.state === 'queued' || ask.state === 'sent';
          expect(ask.due_at !== null && ask.deadline_at !== null).toBe(isOpen);
          expect(ask.answer_message_id !== null).toBe(ask.state === 'answered');
          if (mayHaveLeft) expect(before.state === 'queued' && ask.state === 'sent').toBe(false);
          mayHaveLeft ||= ask.delivered_at !== null || ask.state === 'ambiguous';
        }
      }),
    );
  });

  it('is handed to the same node under the same plan, and under a new one only after a browser deferred it', () => {
    const sent = sendAsk(newAsk(NOW), 'mini', NOW);
    const unheard = overdueAsk(sent, false, NOW + 1);
    expect(sendAsk(unheard, 'mini', NOW + 2)).toMatchObject({ attempt_count: 1, controller_id: 'mini' });
    const deferred = endAskDelivery(sent, { outcome: 'deferred', reason: 'draft' }, NOW + 1);
    expect(deferred.controller_id).toBeNull();
    expect(sendAsk(deferred, 'mini', NOW + 2).attempt_count).toBe(2);
  });

  it('fails when its time is over before any node has it, and is ambiguous when a node may have it', () => {
    const late = NOW + ASK.send_within_ms;
    const sent = sendAsk(newAsk(NOW), 'mini', NOW);
    const unheard = overdueAsk(sent, false, NOW + ASK.outcome_within_ms);
    const deferred = endAskDelivery(sent, { outcome: 'deferred', reason: 'draft' }, NOW + 1);
    expect(deferAsk(newAsk(NOW), 'missing_active_link', late)).toMatchObject({ state: 'failed' });
    expect(deferAsk(deferred, 'draft', late)).toMatchObject({ state: 'failed' });
    expect(deferAsk(unheard, 'missing_active_link', late)).toMatchObject({ state: 'ambiguous', due_at: null });
    expect(overdueAsk(sent, false, late)).toMatchObject({ state: 'ambiguous', reason: 'not_received' });
    const heardLate = endAskDelivery(overdueAsk(sent, false, late), { outcome: 'delivered', reason: null }, late + 1);
    expect(heardLate).toMatchObject({ state: 'ambiguous', delivered_at: late + 1 });
  });
});
