import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { TickRequest, TimedJobsState } from '../../../schema/domain/tick.ts';
import { becomeDue, beginTick, finishTick, NEW_TIMED_JOBS } from '../../../schema/domain/tick.ts';
import { Coverage } from '../../support/coverage.ts';

const NOW = 10_000_000;
const LOCK_MS = 30_000;
const REACHED = [
  'granted',
  'busy',
  'duplicate',
  'finished',
  'lost its lock',
  'due',
  'due while running',
  'taken over',
] as const;

const request = (scheduled_time: number | null, batch: number): TickRequest => ({
  trigger: scheduled_time === null ? 'alarm' : 'cron',
  scheduled_time,
  batch_id: `b${batch}`,
  lock_ms: LOCK_MS,
});
const event = fc.oneof(
  fc.record({ kind: fc.constant('begin' as const), scheduled: fc.option(fc.integer({ min: 1, max: 5 })) }),
  // Mostly the tick that runs, sometimes an earlier one.
  fc.record({ kind: fc.constant('finish' as const), back: fc.constantFrom(0, 0, 0, 1, 2) }),
  fc.record({ kind: fc.constant('due' as const), inMs: fc.integer({ min: -5_000, max: 60_000 }) }),
);

it('in any history of ticks one lock is live at a time, a cron time is granted once, and no due time is lost', () => {
  const reached = new Coverage<(typeof REACHED)[number]>();
  const history = fc.array(fc.tuple(fc.nat({ max: 12_000 }), event), { maxLength: 60, size: 'max' });
  fc.assert(
    fc.property(history, (events) => {
      let state: TimedJobsState = NEW_TIMED_JOBS;
      let now = NOW;
      let batch = 0;
      let live: { id: string; deadline: number } | null = null;
      const crons = new Set<number>();
      /** What was reported since the running tick began, or since the last one that ended: the next alarm has to be due. */
      let owed: number | null = null;
      for (const [wait, what] of events) {
        now += wait;
        if (what.kind === 'begin') {
          batch += 1;
          const { next, grant } = beginTick(state, request(what.scheduled, batch), now);
          state = next;
          reached.reach(grant.status);
          if (grant.status !== 'granted') continue;
          expect(live === null || now >= live.deadline).toBe(true);
          if (live !== null) reached.reach('taken over');
          if (what.scheduled !== null) {
            expect(crons.has(what.scheduled)).toBe(false);
            crons.add(what.scheduled);
          }
          // A tick that starts after the report sees it, unless an unfinished tick had received the report.
          if (live === null) owed = null;
          live = { id: grant.batch_id, deadline: grant.deadline_at };
        } else if (what.kind === 'finish') {
          const id = `b${batch - what.back}`;
          const { next, owned } = finishTick(state, id, null);
          expect(owned).toBe(live?.id === id);
          reached.reach(owned ? 'finished' : 'lost its lock');
          state = next;
          if (owned) live = null;
        } else {
          const at = now + what.inMs;
          reached.reach(live === null ? 'due' : 'due while running');
          state = becomeDue(state, at);
          owed = owed === null ? at : Math.min(owed, at);
        }
        if (owed !== null) expect(state.next_due_at).toBeLessThanOrEqual(owed);
      }
    }),
  );
  reached.expectEach(REACHED, 20);
});
