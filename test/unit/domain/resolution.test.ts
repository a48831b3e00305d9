import { describe, expect, it } from 'vitest';
import type { Resolution } from '../../../schema/contracts/instructions.ts';
import { INSTRUCTION_STATES } from '../../../schema/contracts/instructions.ts';
import { decideResolution } from '../../../schema/domain/resolution.ts';

const said = (outcome: Resolution['outcome']): Resolution => ({ outcome, note: 'n', by: 'anna', at: 1 });

describe("a person's word about an instruction", () => {
  it.each(INSTRUCTION_STATES.filter((status) => status !== 'interrupted'))('is refused while it is %s', (status) => {
    expect(decideResolution({ status, resolution: null }, 'done')).toMatchObject({ type: 'refuse' });
  });

  it.each([
    ['done', 'succeeded'],
    ['not_done', 'failed'],
  ] as const)('%s makes an interrupted one %s', (outcome, status) => {
    expect(decideResolution({ status: 'interrupted', resolution: null }, outcome)).toEqual({ type: 'resolve', status });
  });

  it('is a repeat when it was said before, and refused by name when the other was said', () => {
    const done = { status: 'succeeded', resolution: said('done') } as const;
    expect(decideResolution(done, 'done')).toEqual({ type: 'repeat' });
    expect(decideResolution(done, 'not_done')).toMatchObject({
      code: 'conflict',
      why: expect.stringContaining('anna'),
    });
  });
});
