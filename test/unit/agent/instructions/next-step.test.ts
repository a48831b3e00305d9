import { describe, expect, it } from 'vitest';
import { startGate } from '../../../../local-agent/instructions/next-step.ts';

describe('the gate before an instruction', () => {
  const seen = (mode: 'running' | 'paused' | 'draining', isCurrent = true) => ({ seen: { mode }, isCurrent });

  it.each([
    [{ seen: null, isCurrent: true }, true, 'unknown'],
    [seen('running'), true, 'open'],
    [seen('running'), false, 'confirm'],
    [seen('running', false), true, 'confirm'],
    [seen('draining'), true, 'confirm'],
    [seen('paused'), true, 'paused'],
    [seen('paused'), false, 'paused'],
  ] as const)('is, with the mode %j and a live channel (%s), %s', (view, isAlive, gate) => {
    expect(startGate(view, isAlive)).toBe(gate);
  });
});
