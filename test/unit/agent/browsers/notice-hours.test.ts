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
  const reader = new NoticeHoursReader({ edge, clock, log: { warn: () => undefined } });
  reader.changed.on(() => {
    changes += 1;
  });
  return { reader, clock, asked, changes: () => changes };
}

describe('the hours without notices', () => {
  it('are read when asked for and every ten minutes, and announced', async () => {
    const { reader, clock, asked, changes } = readerOf([NIGHT, { quiet_hours: null, time_zone: 'UTC' }]);
    await reader.refresh();
    expect([reader.known, changes()]).toEqual([NIGHT, 1]);
    await clock.elapse(600_000);
    expect([reader.known?.quiet_hours, changes()]).toEqual([null, 2]);
    expect(asked).toEqual(['/v1/notices/hours', '/v1/notices/hours']);
  });

  it('stay as they were known when they cannot be read, and are read again later', async () => {
    const { reader, clock, asked } = readerOf([NIGHT, new Error('no edge'), NIGHT]);
    await reader.refresh();
    await clock.elapse(600_000);
    expect(reader.known).toEqual(NIGHT);
    await clock.elapse(600_000);
    expect(asked).toHaveLength(3);
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
