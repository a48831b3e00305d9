import { describe, expect, it } from 'vitest';
import type { Clocks, RunLimits } from '../../../../local-agent/runner/limits.ts';
import { elapsedMs, later } from '../../../../local-agent/runner/limits.ts';
import { decideStop, remainingMs } from '../../../../local-agent/runner/stop-decision.ts';

const START: Clocks = { wall: 1_000_000, monotonic: 5_000 };
const limits = (overrides: Partial<RunLimits> = {}): RunLimits => ({
  deadline: later(START, 1_200_000),
  stop: null,
  ...overrides,
});
const child = { startedAt: START, timeoutMs: 60_000, stopping: null };

describe('when a runner ends its child', () => {
  it('leaves it alone before its time limit', () => {
    expect(decideStop(child, limits(), later(START, 59_999))).toEqual({ stopping: null, signal: null });
  });

  it('ends it at its time limit', () => {
    const now = later(START, 60_000);
    expect(decideStop(child, limits(), now)).toEqual({
      stopping: { reason: 'timeout', since: now },
      signal: 'SIGTERM',
    });
  });

  it('ends it 15 s before the deadline', () => {
    const deadline = later(START, 40_000);
    expect(decideStop(child, limits({ deadline }), later(START, 24_999)).stopping).toBeNull();
    expect(decideStop(child, limits({ deadline }), later(START, 25_000)).stopping?.reason).toBe('deadline');
  });

  it.each([
    ['wall', { wall: START.wall + 25_000, monotonic: START.monotonic + 10 }],
    ['monotonic', { wall: START.wall - 90_000, monotonic: START.monotonic + 25_000 }],
  ])('ends it at the deadline of the %s clock when only that one has reached it', (_clock, now) => {
    const deadline = later(START, 40_000);
    expect(decideStop(child, limits({ deadline }), now).stopping?.reason).toBe('deadline');
  });

  it('ends it as soon as the agent asks for that', () => {
    expect(decideStop(child, limits({ stop: 'canceled' }), later(START, 1)).stopping?.reason).toBe('canceled');
  });

  it('kills 10 s after the first signal, and not before', () => {
    const stopping = { reason: 'canceled' as const, since: later(START, 1_000) };
    const stopped = { ...child, stopping };
    expect(decideStop(stopped, limits({ stop: 'canceled' }), later(START, 10_999)).signal).toBeNull();
    expect(decideStop(stopped, limits({ stop: 'canceled' }), later(START, 11_000)).signal).toBe('SIGKILL');
  });

  it('kills 5 s before the deadline although the grace is not over', () => {
    const stopping = { reason: 'canceled' as const, since: later(START, 1_000) };
    const near = limits({ deadline: later(START, 8_000) });
    expect(decideStop({ ...child, stopping }, near, later(START, 3_000)).signal).toBe('SIGKILL');
  });

  it('keeps the first reason', () => {
    const stopping = { reason: 'timeout' as const, since: later(START, 1_000) };
    const asked = limits({ stop: 'canceled' });
    expect(decideStop({ ...child, stopping }, asked, later(START, 2_000)).stopping?.reason).toBe('timeout');
  });
});

describe('the time between two readings of the clocks', () => {
  it('is the larger of both, and what remains the smaller', () => {
    const now = { wall: START.wall + 10, monotonic: START.monotonic + 30 };
    expect(elapsedMs(START, now)).toBe(30);
    expect(remainingMs(later(START, 100), now)).toBe(70);
  });
});
