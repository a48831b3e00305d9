import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TickFacts, TickRequest, TimedJobsState } from '../../../schema/domain/tick.ts';
import {
  afterAlarm,
  becomeDue,
  beginTick,
  decideTick,
  finishTick,
  NEW_TIMED_JOBS,
  nextAlarm,
  TICK_TIMING,
} from '../../../schema/domain/tick.ts';

const NOW = 10_000_000;
const LOCK_MS = 30_000;
const cron = (scheduled_time: number, batch_id = `c${scheduled_time}`): TickRequest => ({
  trigger: 'cron',
  scheduled_time,
  batch_id,
  lock_ms: LOCK_MS,
});
const alarm = (batch_id: string): TickRequest => ({
  trigger: 'alarm',
  scheduled_time: null,
  batch_id,
  lock_ms: LOCK_MS,
});
const locked = (): TimedJobsState => beginTick(NEW_TIMED_JOBS, alarm('t1'), NOW).next;

describe('the tick lock', () => {
  it('is granted with a deadline, to one at a time', () => {
    expect(beginTick(NEW_TIMED_JOBS, alarm('t1'), NOW).grant).toEqual({
      status: 'granted',
      batch_id: 't1',
      deadline_at: NOW + LOCK_MS,
    });
    expect(beginTick(locked(), alarm('t2'), NOW + LOCK_MS - 1)).toEqual({ next: locked(), grant: { status: 'busy' } });
  });

  it('can be taken once its deadline has passed, and the late holder cannot give it back', () => {
    const taken = beginTick(locked(), alarm('t2'), NOW + LOCK_MS);
    expect(taken.grant.status).toBe('granted');
    expect(finishTick(taken.next, 't1', null)).toEqual({ next: taken.next, owned: false });
    expect(finishTick(taken.next, 't2', null).next.lock).toBeNull();
  });

  it('is granted once for a cron time, also when it comes again after the tick', () => {
    const first = beginTick(NEW_TIMED_JOBS, cron(60_000), NOW).next;
    const done = finishTick(first, 'c60000', null).next;
    expect(beginTick(done, cron(60_000), NOW + 1).grant.status).toBe('duplicate');
    expect(beginTick(done, cron(120_000), NOW + 1).grant.status).toBe('granted');
  });

  it('is granted to a cron time that was busy before: it had not run', () => {
    const busy = beginTick(locked(), cron(60_000), NOW + 1);
    expect(busy.grant.status).toBe('busy');
    const free = finishTick(busy.next, 't1', null).next;
    expect(beginTick(free, cron(60_000), NOW + 2).grant.status).toBe('granted');
  });

  it('takes a cron time older than all it remembers for one it has forgotten', () => {
    const crons_seen = Array.from({ length: TICK_TIMING.remembered_crons }, (_, index) => 60_000 * (index + 2));
    expect(beginTick({ ...NEW_TIMED_JOBS, crons_seen }, cron(60_000), NOW).grant.status).toBe('duplicate');
  });
});

describe('the next due time', () => {
  it('only moves earlier', () => {
    const state = becomeDue(NEW_TIMED_JOBS, 500);
    expect(becomeDue(state, 900)).toBe(state);
    expect(becomeDue(state, 300).next_due_at).toBe(300);
  });

  it('is what the tick computed, or nothing', () => {
    const due = becomeDue(NEW_TIMED_JOBS, NOW);
    const running = beginTick(due, alarm('t1'), NOW).next;
    expect(finishTick(running, 't1', NOW + 60_000).next.next_due_at).toBe(NOW + 60_000);
    expect(finishTick(running, 't1', null).next.next_due_at).toBeNull();
  });

  it('keeps what became due while the tick was running, which the tick had not seen', () => {
    const running = becomeDue(locked(), NOW + 5_000);
    expect(finishTick(running, 't1', NOW + 60_000).next.next_due_at).toBe(NOW + 5_000);
    expect(finishTick(running, 't1', null).next.next_due_at).toBe(NOW + 5_000);
  });

  it('keeps it across a tick that died', () => {
    const running = becomeDue(locked(), NOW + 5_000);
    const second = beginTick(running, alarm('t2'), NOW + LOCK_MS).next;
    expect(finishTick(second, 't2', null).next.next_due_at).toBe(NOW + 5_000);
  });

  it('counts when a tick that lost its lock reports it', () => {
    const second = beginTick(locked(), alarm('t2'), NOW + LOCK_MS).next;
    expect(finishTick(second, 't1', NOW + 7_000).next.next_due_at).toBe(NOW + 7_000);
  });
});

describe('the alarm', () => {
  it('rings at the due time, a past one after a short gap, and never without one', () => {
    expect(nextAlarm(NEW_TIMED_JOBS, NOW)).toBeNull();
    expect(nextAlarm(becomeDue(NEW_TIMED_JOBS, NOW + 9_000), NOW)).toBe(NOW + 9_000);
    expect(nextAlarm(becomeDue(NEW_TIMED_JOBS, 1), NOW)).toBe(NOW + TICK_TIMING.min_gap_ms);
  });

  it('rings again soon after a tick that was busy', () => {
    expect(afterAlarm(locked(), 'busy', NOW).alarmAt).toBe(NOW + TICK_TIMING.busy_retry_ms);
  });

  it('rings again after a throw, later each time in a row, and at once in time after a tick that went well', () => {
    let state = NEW_TIMED_JOBS;
    const delays = Array.from({ length: 8 }, () => {
      const { next, alarmAt } = afterAlarm(state, 'failed', NOW);
      state = next;
      return (alarmAt ?? 0) - NOW;
    });
    expect(delays).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    const well = afterAlarm(state, 'done', NOW);
    expect(well.alarmAt).toBeNull();
    expect(afterAlarm(well.next, 'failed', NOW).alarmAt).toBe(NOW + 2_000);
  });
});

describe('any history of ticks', () => {
  const event = fc.oneof(
    fc.record({ kind: fc.constant('begin' as const), scheduled: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ kind: fc.constant('finish' as const), batch: fc.nat({ max: 30 }) }),
    fc.record({ kind: fc.constant('due' as const), inMs: fc.integer({ min: -5_000, max: 60_000 }) }),
  );

  it('has one live lock at a time, runs a cron time once, and loses no due time', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 20_000 }), event), { maxLength: 60 }), (events) => {
        let state = NEW_TIMED_JOBS;
        let now = NOW;
        let batch = 0;
        let live: { id: string; deadline: number } | null = null;
        const crons = new Set<number>();
        /** Reported since the running tick began, or since the last one that ended: the next alarm owes it. */
        let owed: number | null = null;
        for (const [wait, what] of events) {
          now += wait;
          if (what.kind === 'begin') {
            batch += 1;
            const { next, grant } = beginTick(state, cron(what.scheduled, `b${batch}`), now);
            state = next;
            if (grant.status !== 'granted') continue;
            expect(live === null || now >= live.deadline).toBe(true);
            expect(crons.has(what.scheduled)).toBe(false);
            crons.add(what.scheduled);
            // A tick that starts after the report sees it, unless an unfinished one had been told.
            if (live === null) owed = null;
            live = { id: grant.batch_id, deadline: grant.deadline_at };
          } else if (what.kind === 'finish') {
            const { next, owned } = finishTick(state, `b${what.batch}`, null);
            expect(owned).toBe(live?.id === `b${what.batch}`);
            state = next;
            if (owned) live = null;
          } else {
            const at = now + what.inMs;
            state = becomeDue(state, at);
            owed = owed === null ? at : Math.min(owed, at);
          }
          if (owed !== null) expect(state.next_due_at).toBeLessThanOrEqual(owed);
        }
      }),
    );
  });
});

describe('what a tick may do', () => {
  const facts: TickFacts = { locked: true, runners: 2, mode: 'running', leader_id: 'a' };
  it.each<[string, Partial<TickFacts>, string]>([
    ['busy before all', { locked: false, runners: 0, mode: 'paused', leader_id: null }, 'skipped_busy'],
    ['no runners before the mode', { runners: 0, mode: 'paused', leader_id: null }, 'skipped_no_runners'],
    ['paused before no leader', { mode: 'paused', leader_id: null }, 'skipped_system_paused'],
    ['no leader last', { leader_id: null }, 'skipped_not_leader'],
    ['scheduled while draining', { mode: 'draining' }, 'scheduled'],
    ['scheduled else', {}, 'scheduled'],
  ])('%s', (_name, more, decision) => {
    expect(decideTick({ ...facts, ...more })).toBe(decision);
  });
});
