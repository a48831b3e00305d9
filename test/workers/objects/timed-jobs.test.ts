import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { timedJobs } from '../../../durable-objects/stubs.ts';
import type { EdgeBackendApi } from '../../../schema/contracts/objects.ts';
import type { TickDecision } from '../../../schema/contracts/ticks.ts';
import { TIMED_JOBS } from '../../../schema/defaults.ts';
import { TICK_TIMING } from '../../../schema/domain/tick.ts';
import { freshEdge, jobsStub, muteLog, withBackend } from './support.ts';

const jobs = timedJobs(env);
const NOW = Date.UTC(2100, 0, 1);
const MINUTE = 60_000;

const alarmAt = (): Promise<number | null> =>
  runInDurableObject(jobsStub(), (_object, { storage }) => storage.getAlarm());

/** Takes the lock, which must be free. */
async function takeLock(scheduledTime: number | null = null): Promise<string> {
  const grant = await jobs.begin(scheduledTime === null ? 'manual' : 'cron', scheduledTime);
  if (grant.status !== 'granted') throw new Error(`expected the lock, got ${grant.status}`);
  return grant.batch_id;
}

/** A tick of the Worker that decides so; without the lock it decides `skipped_busy`, as the Worker does. */
function ticks(decision: TickDecision, next_due_at: number | null = null): EdgeBackendApi['alarmTick'] {
  return async ({ status }) =>
    status === 'granted' ? { decision, next_due_at } : { decision: 'skipped_busy', next_due_at: null };
}

beforeEach(async () => {
  await freshEdge();
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the tick lock of TimedJobs', () => {
  it('is held by one tick at a time, also through an eviction', async () => {
    const batchId = await takeLock();
    await evictDurableObject(jobsStub());
    expect(await jobs.begin('alarm', null)).toEqual({ status: 'busy' });
    expect((await jobs.read()).locked_until).toBe(NOW + TIMED_JOBS.lock_ms);
    await jobs.finish(batchId, null);
    expect(await jobs.begin('alarm', null)).toMatchObject({ status: 'granted' });
  });

  it('is granted to one of many ticks that ask at once', async () => {
    const grants = await Promise.all(Array.from({ length: 10 }, () => jobs.begin('manual', null)));
    expect(grants.filter(({ status }) => status === 'granted')).toHaveLength(1);
  });

  it('is granted once for a cron time, also when that comes again after an eviction', async () => {
    await jobs.finish(await takeLock(NOW), null);
    await evictDurableObject(jobsStub());
    expect(await jobs.begin('cron', NOW)).toEqual({ status: 'duplicate' });
    expect(await jobs.begin('cron', NOW + MINUTE)).toMatchObject({ status: 'granted' });
  });

  it('can be taken from a tick that died, which then cannot release it', async () => {
    const dead = await takeLock();
    vi.setSystemTime(NOW + TIMED_JOBS.lock_ms);
    expect((await jobs.read()).locked_until).toBeNull();
    await takeLock();
    await jobs.finish(dead, null);
    expect(await jobs.begin('alarm', null)).toEqual({ status: 'busy' });
  });
});

describe('the alarm of TimedJobs', () => {
  it('is set to the earliest due time that was reported', async () => {
    await jobs.due(NOW + 9_000);
    await jobs.due(NOW + 5_000);
    await jobs.due(NOW + 7_000);
    expect(await alarmAt()).toBe(NOW + 5_000);
    await evictDurableObject(jobsStub());
    expect(await alarmAt()).toBe(NOW + 5_000);
    expect((await jobs.read()).next_due_at).toBe(NOW + 5_000);
  });

  it('is set by the end of a tick to what the tick found due, or to nothing', async () => {
    await jobs.finish(await takeLock(), NOW + 5_000);
    expect(await alarmAt()).toBe(NOW + 5_000);
    await jobs.finish(await takeLock(), null);
    expect(await alarmAt()).toBeNull();
  });

  it('is set to what a tick found due that had lost its lock', async () => {
    const late = await takeLock();
    vi.setSystemTime(NOW + TIMED_JOBS.lock_ms);
    await takeLock();
    await jobs.finish(late, NOW + 50_000);
    expect(await alarmAt()).toBe(NOW + 50_000);
  });

  it('keeps what became due while a tick was running', async () => {
    const batchId = await takeLock();
    await jobs.due(NOW + 3_000);
    await jobs.finish(batchId, NOW + 50_000);
    expect(await alarmAt()).toBe(NOW + 3_000);
  });

  it('hands the Worker the lock for its tick, and is not set again when nothing is due', async () => {
    let lockedDuringTick: number | null = null;
    const alarmTick = vi.fn<EdgeBackendApi['alarmTick']>(async () => {
      lockedDuringTick = (await jobs.read()).locked_until;
      return { decision: 'scheduled', next_due_at: null };
    });
    await withBackend(jobsStub(), { alarmTick });
    await jobs.due(NOW + 5_000);
    expect(await runDurableObjectAlarm(jobsStub())).toBe(true);
    const deadline_at = NOW + TIMED_JOBS.lock_ms;
    expect(alarmTick).toHaveBeenCalledExactlyOnceWith({ status: 'granted', batch_id: expect.any(String), deadline_at });
    expect(lockedDuringTick).toBe(deadline_at);
    expect(await jobs.read()).toEqual({ locked_until: null, next_due_at: null });
    expect(await alarmAt()).toBeNull();
  });

  it('keeps what became due while its own tick was running', async () => {
    await withBackend(jobsStub(), {
      alarmTick: async () => {
        await jobs.due(NOW + 3_000);
        return { decision: 'scheduled', next_due_at: NOW + 50_000 };
      },
    });
    await jobs.due(NOW + 1_000);
    await runDurableObjectAlarm(jobsStub());
    expect(await alarmAt()).toBe(NOW + 3_000);
  });

  it('does not release the lock of a tick that took over after its deadline', async () => {
    await withBackend(jobsStub(), {
      alarmTick: async () => {
        vi.setSystemTime(NOW + TIMED_JOBS.lock_ms);
        await takeLock();
        return { decision: 'scheduled', next_due_at: null };
      },
    });
    await jobs.due(NOW + 1_000);
    await runDurableObjectAlarm(jobsStub());
    expect((await jobs.read()).locked_until).toBe(NOW + 2 * TIMED_JOBS.lock_ms);
  });

  it('is set again for what its tick found due next', async () => {
    await withBackend(jobsStub(), { alarmTick: ticks('scheduled', NOW + 8_000) });
    await jobs.due(NOW + 5_000);
    await runDurableObjectAlarm(jobsStub());
    expect(await alarmAt()).toBe(NOW + 8_000);
  });

  it('is set again shortly when another tick holds the lock', async () => {
    await withBackend(jobsStub(), { alarmTick: ticks('scheduled') });
    await jobs.due(NOW + 5_000);
    await takeLock();
    await runDurableObjectAlarm(jobsStub());
    expect(await alarmAt()).toBe(NOW + TICK_TIMING.busy_retry_ms);
  });

  it('is never lost when its tick throws or fails, and waits longer each time', async () => {
    const log = muteLog();
    await withBackend(jobsStub(), {
      alarmTick: async () => {
        throw new Error('the Worker is not reachable');
      },
    });
    await jobs.due(NOW + 5_000);
    await runDurableObjectAlarm(jobsStub());
    expect(await alarmAt()).toBe(NOW + 2_000);
    await runDurableObjectAlarm(jobsStub());
    expect(await alarmAt()).toBe(NOW + 4_000);
    expect(log).toHaveBeenCalledTimes(2);
    log.mockRestore();
    await withBackend(jobsStub(), { alarmTick: ticks('failed') });
    await runDurableObjectAlarm(jobsStub());
    expect(await alarmAt()).toBe(NOW + 8_000);
    await withBackend(jobsStub(), { alarmTick: ticks('scheduled') });
    await runDurableObjectAlarm(jobsStub());
    expect(await alarmAt()).toBeNull();
  });

  it('runs the tick of the Worker’s own entrypoint', async () => {
    await jobs.due(NOW + 5_000);
    expect(await runDurableObjectAlarm(jobsStub())).toBe(true);
    // The tick ran and the lock was released. No node leads, so nothing is due.
    expect(await jobs.read()).toEqual({ locked_until: null, next_due_at: null });
    expect(await alarmAt()).toBeNull();
  });
});
