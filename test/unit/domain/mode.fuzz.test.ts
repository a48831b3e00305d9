import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SYSTEM_MODES } from '../../../schema/contracts/system.ts';
import { decideMode, NEW_SYSTEM } from '../../../schema/domain/mode.ts';

it('the version of the system mode grows by one with each change of the mode, and with nothing else', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...SYSTEM_MODES), { size: 'max', maxLength: 40 }), (modes) => {
      let record = NEW_SYSTEM;
      for (const [index, mode] of modes.entries()) {
        const { next } = decideMode(record, { mode, requested_by: 'ops', reason: null }, index);
        expect(next.mode).toBe(mode);
        expect(next.version - record.version).toBe(mode === record.mode ? 0 : 1);
        record = next;
      }
    }),
  );
});
