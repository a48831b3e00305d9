import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SYSTEM_MODES } from '../../../schema/contracts/system.ts';
import { decideMode, decideRestore, NEW_SYSTEM, passVersion } from '../../../schema/domain/mode.ts';

const NOW = 1_000;
const change = (mode: (typeof SYSTEM_MODES)[number]) => ({ mode, requested_by: 'ops', reason: 'because' });

describe('the system mode', () => {
  it('is running when fresh', () => {
    expect(NEW_SYSTEM).toMatchObject({ mode: 'running', version: 0 });
  });

  it('changes with a new version, and says since when, by whom and why', () => {
    expect(decideMode({ ...NEW_SYSTEM, epoch: 3 }, change('paused'), NOW)).toEqual({
      status: 'applied',
      next: { mode: 'paused', version: 1, since: NOW, requested_by: 'ops', reason: 'because', epoch: 3 },
    });
  });

  it('stays wholly as it is when the same mode is asked for again', () => {
    const paused = decideMode(NEW_SYSTEM, change('paused'), NOW).next;
    const again = decideMode(paused, { mode: 'paused', requested_by: 'other', reason: null }, NOW + 1);
    expect(again.status).toBe('unchanged');
    expect(again.next).toBe(paused);
  });

  it('passes a version that D1 already has, and never goes back', () => {
    const paused = decideMode(NEW_SYSTEM, change('paused'), NOW).next;
    expect(passVersion(paused, 5)).toEqual({ ...paused, version: 6 });
    expect(passVersion({ ...paused, version: 9 }, 5).version).toBe(9);
  });

  it('has one mode per version in any history, and the version grows with each change of mode alone', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...SYSTEM_MODES)), (modes) => {
        let record = NEW_SYSTEM;
        for (const [index, mode] of modes.entries()) {
          const { next } = decideMode(record, change(mode), index);
          expect(next.mode).toBe(mode);
          expect(next.version - record.version).toBe(mode === record.mode ? 0 : 1);
          record = next;
        }
      }),
    );
  });
});

describe('the system mode beside a D1 that may have been restored', () => {
  const record = { ...NEW_SYSTEM, mode: 'paused', version: 7, epoch: 2 } as const;
  const at = (mode_version: number, epoch = 2) => ({ mode_version, epoch });
  const fenced = { confirmed: 7, now: 7 };

  it('stays as it is when D1 stands where it had confirmed to stand, or further', () => {
    for (const d1 of [at(7), at(8)]) {
      expect(decideRestore(record, fenced, d1, false)).toEqual({ next: record, fenced_version: 7, owed: false });
    }
  });

  it('is no restore when D1 never confirmed the version it lacks', () => {
    expect(decideRestore(record, { confirmed: 5, now: 5 }, at(5), false).owed).toBe(false);
  });

  it('grows in version and epoch, keeping its mode, when D1 has lost what it had confirmed, or a person says so', () => {
    const next = { ...record, version: 8, epoch: 3 };
    expect(decideRestore(record, fenced, at(4), false)).toEqual({ next, fenced_version: 4, owed: true });
    expect(decideRestore(record, fenced, at(7), true)).toEqual({ next, fenced_version: 7, owed: true });
  });

  it('owes the quarantine until D1 has the epoch, under one epoch', () => {
    expect(decideRestore(record, fenced, at(7, 1), false)).toEqual({ next: record, fenced_version: 7, owed: true });
    expect(decideRestore(record, fenced, at(4, 1), false).next).toEqual({ ...record, version: 8 });
  });

  it('never goes back behind an epoch that D1 has', () => {
    expect(decideRestore(record, fenced, at(7, 5), false)).toMatchObject({ next: { epoch: 5 }, owed: false });
    expect(decideRestore(record, fenced, at(4, 5), false)).toMatchObject({ next: { epoch: 6 }, owed: true });
  });
});
