import { describe, expect, it } from 'vitest';
import { LiveOutput } from '../../../../local-agent/instructions/live-output.ts';
import { RunningEffects } from '../../../../local-agent/instructions/running-effects.ts';
import { TestClock } from '../../../support/test-clock.ts';

function effect() {
  return {
    controller: new AbortController(),
    live: new LiveOutput({ clock: new TestClock(), onDue: () => undefined }),
  };
}

describe('the running effects', () => {
  it('stopping the agent stops every effect', () => {
    const running = new RunningEffects();
    const first = effect();
    running.add('ins_0', first);
    running.stop();
    expect(first.controller.signal.reason).toBe('agent_stopped');
  });

  it('an effect that is added while the agent stops is stopped at once', () => {
    const running = new RunningEffects();
    running.stop();
    const late = effect();
    running.add('ins_0', late);
    expect(late.controller.signal.reason).toBe('agent_stopped');
  });

  it('a canceled effect is stopped, and an unknown one is not found', () => {
    const running = new RunningEffects();
    const first = effect();
    running.add('ins_0', first);
    expect([running.cancel('ins_0'), running.cancel('ins_1')]).toEqual([true, false]);
    expect(first.controller.signal.reason).toBe('canceled');
    running.delete('ins_0');
    expect(running.cancel('ins_0')).toBe(false);
  });
});
