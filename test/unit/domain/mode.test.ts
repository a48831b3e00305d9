import { describe, expect, it } from 'vitest';
import type { SystemMode } from '../../../schema/contracts/system.ts';
import { decideMode, decideRestore, NEW_SYSTEM, passVersion } from '../../../schema/domain/mode.ts';

const NOW = 1_000;
const change = (mode: SystemMode) => ({ mode, requested_by: 'ops', reason: 'because' });

describe('the system mode', () => {
  it('is running at first', () => {
    expect(NEW_SYSTEM).toMatchObject({ mode: 'running', version: 0 });
  });

  it('changes with a new version, and records when, by whom and why', () => {
    expect(decideMode({ ...NEW_SYSTEM, epoch: 3 }, change('paused'), NOW)).toEqual({
      status: 'applied',
      next: { mode: 'paused', version: 1, since: NOW, hold: false, requested_by: 'ops', reason: 'because', epoch: 3 },
    });
  });

  it('does not change by a request for the current mode', () => {
    const paused = decideMode(NEW_SYSTEM, change('paused'), NOW).next;
    const again = decideMode(paused, { mode: 'paused', requested_by: 'other', reason: null }, NOW + 1);
    expect(again.status).toBe('unchanged');
    expect(again.next).toBe(paused);
  });

  it('gets the version after the one that D1 has, and never a lower one', () => {
    const paused = decideMode(NEW_SYSTEM, change('paused'), NOW).next;
    expect(passVersion(paused, 5)).toEqual({ ...paused, version: 6 });
    expect(passVersion({ ...paused, version: 9 }, 5).version).toBe(9);
  });
});

describe('the system mode and a D1 that may have been restored', () => {
  const record = { ...NEW_SYSTEM, mode: 'paused', version: 7, epoch: 2 } as const;
  const at = (mode_version: number, epoch = 2) => ({ mode_version, epoch });
  const fenced = { confirmed: 7, now: 7 };

  it('does not change when D1 has the version that it had confirmed, or a higher one', () => {
    for (const d1 of [at(7), at(8)]) {
      expect(decideRestore(record, fenced, d1, false)).toEqual({ next: record, fenced_version: 7, owed: false });
    }
  });

  it('takes a version that D1 never confirmed for no restore', () => {
    expect(decideRestore(record, { confirmed: 5, now: 5 }, at(5), false).owed).toBe(false);
  });

  it('keeps its mode and grows in version and epoch when D1 lost a confirmed version, or a person says so', () => {
    const next = { ...record, version: 8, epoch: 3 };
    expect(decideRestore(record, fenced, at(4), false)).toEqual({ next, fenced_version: 4, owed: true });
    expect(decideRestore(record, fenced, at(7), true)).toEqual({ next, fenced_version: 7, owed: true });
  });

  it('owes the quarantine, under one epoch, until D1 has that epoch', () => {
    expect(decideRestore(record, fenced, at(7, 1), false)).toEqual({ next: record, fenced_version: 7, owed: true });
    expect(decideRestore(record, fenced, at(4, 1), false).next).toEqual({ ...record, version: 8 });
  });

  it('never has a lower epoch than D1', () => {
    expect(decideRestore(record, fenced, at(7, 5), false)).toMatchObject({ next: { epoch: 5 }, owed: false });
    expect(decideRestore(record, fenced, at(4, 5), false)).toMatchObject({ next: { epoch: 6 }, owed: true });
  });
});
