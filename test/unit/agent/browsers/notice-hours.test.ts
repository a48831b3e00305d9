import { describe, expect, it } from 'vitest';
import { NoticeHoursReader } from '../../../../local-agent/browsers/notice-hours.ts';
import type { EdgeRequest } from '../../../../local-agent/edge/http-client.ts';
import { TestClock } from '../../../support/test-clock.ts';

const NIGHT = { quiet_hours: { from: '22:00', to: '07:00' }, time_zone: 'Europe/Berlin' };

function readerOf(responses: (object | Error)[]) {
  const clock = new TestClock();
  const asked: string[] = [];
  const edge = {
    async call<T>({ path, schema }: EdgeRequest<T>): Promise<T> {
      asked.push(path);
      const response = responses.shift();
      if (response === undefined || response instanceof Error) throw response ?? new Error('no response');
      return schema.parse(response);
    },
  };
  let changes = 0;
  const isWatched = { now: true };
  const reader = new NoticeHoursReader({ edge, clock, log: { warn: () => undefined }, isWatched: () => isWatched.now });
  reader.changed.on(() => {
    changes += 1;
  });
  return { reader, clock, asked, changes: () => changes, isWatched };
}

describe('the hours without notices', () => {
  it('are read when asked for and every minute, and announced', async () => {
    const { reader, clock, asked, changes } = readerOf([NIGHT, { quiet_hours: null, time_zone: 'UTC' }]);
    await reader.refresh();
    expect([reader.known, changes()]).toEqual([NIGHT, 1]);
    await clock.elapse(60_000);
    expect([reader.known?.quiet_hours, changes()]).toEqual([null, 2]);
    expect(asked).toEqual(['/v1/notices/hours', '/v1/notices/hours']);
  });

  it('stay as they were known when they cannot be read, and are read again later', async () => {
    const { reader, clock, asked } = readerOf([NIGHT, new Error('no edge'), NIGHT]);
    await reader.refresh();
    await clock.elapse(60_000);
    expect(reader.known).toEqual(NIGHT);
    await clock.elapse(60_000);
    expect(asked).toHaveLength(3);
  });

  it('are not read by the clock while no browser is connected', async () => {
    const { reader, clock, asked, isWatched } = readerOf([NIGHT, NIGHT]);
    await reader.refresh();
    isWatched.now = false;
    await clock.elapse(600_000);
    expect(asked).toHaveLength(1);
    isWatched.now = true;
    await clock.elapse(60_000);
    expect(asked).toHaveLength(2);
  });

  it('come with what waits: a gap without a leader only after a minute of it', async () => {
    const step = { cause: 'blocked_step', object_id: 'tsk_1', part: '2' };
    const gap = { cause: 'no_leader', object_id: 'leader', part: '7' };
    const both = { ...NIGHT, waiting: [step, gap] };
    const { reader, clock } = readerOf([both, both, both, { ...NIGHT, waiting: [step] }]);
    expect(reader.waiting).toBeNull();
    await reader.refresh();
    await clock.elapse(1_000);
    await reader.refresh();
    expect(reader.waiting).toEqual([step]);
    await clock.elapse(60_000);
    expect(reader.waiting).toEqual([step, gap]);
    await clock.elapse(60_000);
    expect(reader.waiting).toEqual([step]);
    expect(reader.known).toEqual(NIGHT);
  });

  it('are not read any more once it is stopped, with one timer however often it was asked', async () => {
    const { reader, clock } = readerOf([NIGHT, NIGHT]);
    await reader.refresh();
    await reader.refresh();
    expect(clock.pendingTimers).toBe(1);
    reader.stop();
    expect(clock.pendingTimers).toBe(0);
  });
});
