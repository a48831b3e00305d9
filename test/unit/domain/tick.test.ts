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
  it('is granted with a deadline, to one tick at a time', () => {
    expect(beginTick(NEW_TIMED_JOBS, alarm('t1'), NOW).grant).toEqual({
      status: 'granted',
      batch_id: 't1',
      deadline_at: NOW + LOCK_MS,
    });
    expect(beginTick(locked(), alarm('t2'), NOW + LOCK_MS - 1)).toEqual({ next: locked(), grant: { status: 'busy' } });
  });

  it('can be taken after its deadline, and the late tick cannot release it', () => {
    const taken = beginTick(locked(), alarm('t2'), NOW + LOCK_MS);
    expect(taken.grant.status).toBe('granted');
    expect(finishTick(taken.next, 't1', null)).toEqual({ next: taken.next, owned: false });
    expect(finishTick(taken.next, 't2', null).next.lock).toBeNull();
  });

  it('is granted once for a cron time, also when that comes again after the tick', () => {
    const first = beginTick(NEW_TIMED_JOBS, cron(60_000), NOW).next;
    const done = finishTick(first, 'c60000', null).next;
    expect(beginTick(done, cron(60_000), NOW + 1).grant.status).toBe('duplicate');
    expect(beginTick(done, cron(120_000), NOW + 1).grant.status).toBe('granted');
  });

  it('is granted for a cron time that found it taken before, because that has not run', () => {
    const busy = beginTick(locked(), cron(60_000), NOW + 1);
    expect(busy.grant.status).toBe('busy');
    const free = finishTick(busy.next, 't1', null).next;
    expect(beginTick(free, cron(60_000), NOW + 2).grant.status).toBe('granted');
  });

  it('is refused for a cron time that is older than all that are kept', () => {
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

  it('includes what became due while the tick was running', () => {
    const running = becomeDue(locked(), NOW + 5_000);
    expect(finishTick(running, 't1', NOW + 60_000).next.next_due_at).toBe(NOW + 5_000);
    expect(finishTick(running, 't1', null).next.next_due_at).toBe(NOW + 5_000);
  });

  it('includes what became due while a tick was running that died', () => {
    const running = becomeDue(locked(), NOW + 5_000);
    const second = beginTick(running, alarm('t2'), NOW + LOCK_MS).next;
    expect(finishTick(second, 't2', null).next.next_due_at).toBe(NOW + 5_000);
  });

  it('includes what a tick reports that lost its lock', () => {
    const second = beginTick(locked(), alarm('t2'), NOW + LOCK_MS).next;
    expect(finishTick(second, 't1', NOW + 7_000).next.next_due_at).toBe(NOW + 7_000);
  });
});

describe('the alarm', () => {
  it('fires at the due time, after a short gap for a past one, and never without one', () => {
    expect(nextAlarm(NEW_TIMED_JOBS, NOW)).toBeNull();
    expect(nextAlarm(becomeDue(NEW_TIMED_JOBS, NOW + 9_000), NOW)).toBe(NOW + 9_000);
    expect(nextAlarm(becomeDue(NEW_TIMED_JOBS, 1), NOW)).toBe(NOW + TICK_TIMING.min_gap_ms);
  });

  it('fires again soon after a tick that found the lock taken', () => {
    expect(afterAlarm(locked(), 'busy', NOW).alarmAt).toBe(NOW + TICK_TIMING.busy_retry_ms);
  });

  it('fires again after each failed tick, with a growing delay that a successful tick resets', () => {
    let state = NEW_TIMED_JOBS;
    const delays = Array.from({ length: 8 }, () => {
      const { next, alarmAt } = afterAlarm(state, 'failed', NOW);
      state = next;
      return (alarmAt ?? 0) - NOW;
    });
    expect(delays).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    const success = afterAlarm(state, 'done', NOW);
    expect(success.alarmAt).toBeNull();
    expect(afterAlarm(success.next, 'failed', NOW).alarmAt).toBe(NOW + 2_000);
  });
});

describe('the decision of a tick is', () => {
  const facts: TickFacts = { locked: true, runners: 2, mode: 'running', leader_id: 'a' };
  it.each<[string, Partial<TickFacts>, string]>([
    ['skipped_busy before all others', { locked: false, runners: 0, mode: 'paused', leader_id: null }, 'skipped_busy'],
    ['skipped_no_runners before the mode', { runners: 0, mode: 'paused', leader_id: null }, 'skipped_no_runners'],
    ['skipped_system_paused before the leader', { mode: 'paused', leader_id: null }, 'skipped_system_paused'],
    ['skipped_not_leader last', { leader_id: null }, 'skipped_not_leader'],
    ['scheduled while draining', { mode: 'draining' }, 'scheduled'],
    ['scheduled otherwise', {}, 'scheduled'],
  ])('%s', (_name, more, decision) => {
    expect(decideTick({ ...facts, ...more })).toBe(decision);
  });
});
