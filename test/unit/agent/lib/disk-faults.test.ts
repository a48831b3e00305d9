import { describe, expect, it } from 'vitest';
import { isDiskFault } from '../../../../local-agent/lib/errno.ts';
import { DISK_RETRY_MS, patientClock } from '../../../../local-agent/lib/patient-clock.ts';
import { diskFullError } from '../../../support/disk-full.ts';
import { TestClock } from '../../../support/test-clock.ts';

const errno = (code: string) => Object.assign(new Error(code), { code });

describe('a fault of the disk', () => {
  it.each([
    ['a full database of SQLite', diskFullError(), true],
    ['ENOSPC', errno('ENOSPC'), true],
    ['EDQUOT', errno('EDQUOT'), true],
    ['an I/O error of SQLite, extended', Object.assign(errno('ERR_SQLITE_ERROR'), { errcode: 778 }), true],
    ['a constraint of SQLite', Object.assign(errno('ERR_SQLITE_ERROR'), { errcode: 1299 }), false],
    ['EACCES', errno('EACCES'), false],
    ['a bug', new TypeError('x'), false],
  ])('is recognized among other errors: %s', (_name, error, expected) => {
    expect(isDiskFault(error)).toBe(expected);
  });
});

describe('a timer on a full disk', () => {
  it('runs again later, once, when its run has failed on the disk', () => {
    const clock = new TestClock();
    const faults: unknown[] = [];
    let runs = 0;
    patientClock(clock, (error) => faults.push(error)).after(1_000, () => {
      runs += 1;
      if (runs < 3) throw diskFullError();
    });
    clock.advance(1_000 + 10 * DISK_RETRY_MS);
    expect([runs, faults.length]).toEqual([3, 2]);
  });

  it('that is canceled between two runs does not run again', () => {
    const clock = new TestClock();
    let runs = 0;
    const cancel = patientClock(clock, () => undefined).after(1_000, () => {
      runs += 1;
      throw diskFullError();
    });
    clock.advance(1_000);
    cancel();
    clock.advance(10 * DISK_RETRY_MS);
    expect(runs).toBe(1);
  });

  it('passes other errors on', () => {
    const clock = new TestClock();
    patientClock(clock, () => undefined).after(1_000, () => {
      throw new TypeError('a bug');
    });
    expect(() => clock.advance(1_000)).toThrow('a bug');
  });
});
