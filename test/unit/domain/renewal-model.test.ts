import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { JobState } from '../../../schema/domain/job-machine.ts';
import { redriveJob } from '../../../schema/domain/job-machine.ts';
import type { DeliveryResponse, DispatchFacts } from '../../../schema/domain/renewal.ts';
import { decideDispatch, decideOutcome, decideOverdue } from '../../../schema/domain/renewal.ts';
import { Coverage } from '../../support/coverage.ts';
import { failedJob, link } from './renewal-fixture.ts';

const NOW = 1_000_000;
const facts: Omit<DispatchFacts, 'now'> = {
  conversation: { automation_status: 'auto' },
  newest: true,
  ask_pending: false,
  breaker: null,
  hold: null,
  link,
  unusable: null,
  payload: { text: 'x' },
  interval_ms: 0,
  random: 0,
};
const RESPONSES = ['failed', 'uncertain', 'unknown', 'in_flight', 'delivered', 'deferred'] as const;
/** A run in which the node knows no outcome, so that every query goes unanswered. */
const silence = fc.infiniteStream(fc.constantFrom('uncertain' as const, 'in_flight' as const));
const responses = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom('failed', 'uncertain', 'unknown', 'in_flight') },
  { weight: 1, arbitrary: fc.constantFrom('delivered', 'deferred') },
);

function response(outcome: (typeof RESPONSES)[number]): DeliveryResponse {
  return outcome === 'unknown' || outcome === 'in_flight' ? { outcome } : { outcome, reason: null, method: null };
}

it('a job is attempted at most as often as it may be, and always ends, with any responses in any order', () => {
  const reached = new Coverage<(typeof RESPONSES)[number] | 'done' | 'gave up' | 'used up'>();
  fc.assert(
    fc.property(fc.oneof(fc.infiniteStream(responses), silence), (stream) => {
      let state: JobState = redriveJob(failedJob, NOW).next;
      let now = NOW;
      let counted = 0;
      for (let turn = 0; state.status === 'pending' || state.status === 'running'; turn += 1) {
        expect(turn).toBeLessThan(300);
        if (state.status === 'pending') {
          now = Math.max(now, state.next_attempt_at ?? now);
          const { send, step } = decideDispatch(state, { ...facts, now });
          if (send !== null) counted += 1;
          state = step.next;
          continue;
        }
        const outcome = stream.next().value;
        reached.reach(outcome);
        const decided = decideOutcome(state, response(outcome), { now, random: 0 });
        if (decided !== null) {
          // A deferred delivery did not happen: its attempt does not count.
          if (outcome === 'deferred') counted -= 1;
          state = decided.step.next;
          continue;
        }
        now = state.deadline_at ?? now;
        const overdue = decideOverdue(state, now);
        if (!overdue.ask) reached.reach('gave up');
        state = overdue.ask ? overdue.next : overdue.step.next;
      }
      if (state.status === 'done') reached.reach('done');
      else if (state.last_error !== 'delivery_unknown') reached.reach('used up');
      expect(counted).toBeLessThanOrEqual(3);
      expect(state.finished_at).not.toBeNull();
    }),
    { numRuns: 500 },
  );
  reached.expectEach([...RESPONSES, 'done', 'gave up', 'used up'], 5);
});
