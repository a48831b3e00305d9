import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { timedJobs } from '../../../durable-objects/stubs.ts';
import type { TickDecision, TickResponse } from '../../../schema/contracts/ticks.ts';
import { TIMED_JOBS } from '../../../schema/defaults.ts';
import { TICK_TIMING } from '../../../schema/domain/tick.ts';
import { freshEdge, jobsStub, muteLog, withBackend } from './support.ts';

const jobs = timedJobs(env);
const NOW = Date.UTC(2100, 0, 1);
const MINUTE = 60_000;

const alarmAt = (): Promise<number | null> =>
  runInDurableObject(jobsStub(), (_object, { storage }) => storage.getAlarm());

/** Takes the lock, which must be free. */
async function begun(scheduledTime: number | null = null): Promise<string> {
  const grant = await jobs.begin(scheduledTime === null ? 'manual' : 'cron', scheduledTime);
  if (grant.status !== 'granted') throw new Error(`expected the lock, got ${grant.status}`);
  return grant.batch_id;
}

/** The tick that the alarm asks for: as the Worker's, with that decision. */
function ticks(decision: TickDecision, nextDueAt: number | null = null): () => Promise<TickResponse> {
  return async () => {
    const grant = await jobs.begin('alarm', null);
    if (grant.status !== 'granted') return { batch_id: 'tick_none', decision: 'skipped_busy' };
    await jobs.finish(grant.batch_id, nextDueAt);
    return { batch_id: grant.batch_id, decision };
  };
}

beforeEach(async () => {
  await freshEdge();
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the tick lock of TimedJobs', () => {
  it('is held by one tick at a time, through an eviction', async () => {
    const batchId = await begun();
    await evictDurableObject(jobsStub());
    expect(await jobs.begin('alarm', null)).toEqual({ status: 'busy' });
    expect((await jobs.read()).locked_until).toBe(NOW + TIMED_JOBS.lock_ms);
    await jobs.finish(batchId, null);
    expect(await jobs.begin('alarm', null)).toMatchObject({ status: 'granted' });
  });

  it('goes to one of many that ask at once', async () => {
    const grants = await Promise.all(Array.from({ length: 10 }, () => jobs.begin('manual', null)));
    expect(grants.filter(({ status }) => status === 'granted')).toHaveLength(1);
  });

  it('runs a cron time once, also when it comes again after an eviction', async () => {
    await jobs.finish(await begun(NOW), null);
    await evictDurableObject(jobsStub());
    expect(await jobs.begin('cron', NOW)).toEqual({ status: 'duplicate' });
    expect(await jobs.begin('cron', NOW + MINUTE)).toMatchObject({ status: 'granted' });
  });

  it('is taken from a tick that died, which then cannot give it back', async () => {
    const dead = await begun();
    vi.setSystemTime(NOW + TIMED_JOBS.lock_ms);
    expect((await jobs.read()).locked_until).toBeNull();
    await begun();
    await jobs.finish(dead, null);
    expect(await jobs.begin('alarm', null)).toEqual({ status: 'busy' });
  });
});

describe('the alarm of TimedJobs', () => {
  it('is at the earliest due time that was told', async () => {
    await jobs.due(NOW + 9_000);
    await jobs.due(NOW + 5_000);
    await jobs.due(NOW + 7_000);
    expect(await alarmAt()).toBe(NOW + 5_000);
    await evictDurableObject(jobsStub());
    expect(await alarmAt()).toBe(NOW + 5_000);
    expect((await jobs.read()).next_due_at).toBe(NOW + 5_000);
  });

  it('is armed by the end of a tick, or not at all', async () => {
    await jobs.finish(await begun(), NOW + 5_000);
    expect(await alarmAt()).toBe(NOW + 5_000);
    await jobs.finish(await begun(), null);
    expect(await alarmAt()).toBeNull();
  });

  it('keeps what became due while a tick was running', async () => {
    const batchId = await begun();
    await jobs.due(NOW + 3_000);
    await jobs.finish(batchId, NOW + 50_000);
    expect(await alarmAt()).toBe(NOW + 3_000);
  });

  it('asks the Worker for a tick and stays silent when nothing is due any more', async () => {
    const tick = vi.fn(ticks('scheduled'));
    await withBackend(jobsStub(), { tick });
    await jobs.due(NOW + 5_000);
    expect(await runDurableObjectAlarm(jobsStub())).toBe(true);
    expect(tick).toHaveBeenCalledExactlyOnceWith('alarm');
    expect(await alarmAt()).toBeNull();
  });

  it('rings again for what that tick found due next', async () => {
    await withBackend(jobsStub(), { tick: ticks('scheduled', NOW + 8_000) });
    await jobs.due(NOW + 5_000);
    await runDurableObjectAlarm(jobsStub());
    expect(await alarmAt()).toBe(NOW + 8_000);
  });

  it('rings again shortly when it found another tick running', async () => {
    await withBackend(jobsStub(), { tick: ticks('scheduled') });
    await jobs.due(NOW + 5_000);
    await begun();
    await runDurableObjectAlarm(jobsStub());
    expect(await alarmAt()).toBe(NOW + TICK_TIMING.busy_retry_ms);
  });

  it('is never lost when the tick throws or fails, and waits longer each time', async () => {
    const log = muteLog();
    await withBackend(jobsStub(), {
      tick: async () => {
        throw new Error('the Worker is away');
      },
    });
    await jobs.due(NOW + 5_000);
    await runDurableObjectAlarm(jobsStub());
    expect(await alarmAt()).toBe(NOW + 2_000);
    await runDurableObjectAlarm(jobsStub());
    expect(await alarmAt()).toBe(NOW + 4_000);
    expect(log).toHaveBeenCalledTimes(2);
    log.mockRestore();
    await withBackend(jobsStub(), { tick: ticks('failed') });
    await runDurableObjectAlarm(jobsStub());
    expect(await alarmAt()).toBe(NOW + 8_000);
    await withBackend(jobsStub(), { tick: ticks('scheduled') });
    await runDurableObjectAlarm(jobsStub());
    expect(await alarmAt()).toBeNull();
  });

  it('reaches the Worker’s own entrypoint', async () => {
    await jobs.due(NOW + 5_000);
    expect(await runDurableObjectAlarm(jobsStub())).toBe(true);
    // The tick of the Worker took the lock and gave it back: nobody leads, so nothing is armed.
    expect(await jobs.read()).toEqual({ locked_until: null, next_due_at: null });
    expect(await alarmAt()).toBeNull();
  });
});
