import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SYSTEM_MODES } from '../../../schema/contracts/system.ts';
import { decideMode, FRESH_SYSTEM, passVersion } from '../../../schema/domain/mode.ts';

const NOW = 1_000;
const change = (mode: (typeof SYSTEM_MODES)[number]) => ({ mode, requested_by: 'ops', reason: 'because' });

describe('the system mode', () => {
  it('is running when fresh', () => {
    expect(FRESH_SYSTEM).toMatchObject({ mode: 'running', version: 0 });
  });

  it('changes with a new version, and says since when, by whom and why', () => {
    expect(decideMode({ ...FRESH_SYSTEM, epoch: 3 }, change('paused'), NOW)).toEqual({
      status: 'applied',
      next: { mode: 'paused', version: 1, since: NOW, requested_by: 'ops', reason: 'because', epoch: 3 },
    });
  });

  it('stays wholly as it is when the same mode is asked for again', () => {
    const paused = decideMode(FRESH_SYSTEM, change('paused'), NOW).next;
    const again = decideMode(paused, { mode: 'paused', requested_by: 'other', reason: null }, NOW + 1);
    expect(again.status).toBe('unchanged');
    expect(again.next).toBe(paused);
  });

  it('passes a version that D1 already has, and never goes back', () => {
    const paused = decideMode(FRESH_SYSTEM, change('paused'), NOW).next;
    expect(passVersion(paused, 5)).toEqual({ ...paused, version: 6 });
    expect(passVersion({ ...paused, version: 9 }, 5).version).toBe(9);
  });

  it('has one mode per version in any history, and the version grows with each change of mode alone', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...SYSTEM_MODES)), (modes) => {
        let record = FRESH_SYSTEM;
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
