import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { LiveOutput } from '../../../../local-agent/instructions/live-output.ts';
import type { ProgressOutput } from '../../../../schema/contracts/progress.ts';
import { INSTRUCTION } from '../../../../schema/defaults.ts';
import { TestClock } from '../../../support/test-clock.ts';
import { block, finalMessage, InstructionHost } from './instruction-host.ts';

function live() {
  const clock = new TestClock();
  const due = vi.fn();
  return { clock, due, output: new LiveOutput({ clock, onDue: due }) };
}

describe('live output', () => {
  it('a chunk is due a second after the first character, and the next one a second after that chunk was taken', () => {
    const { clock, due, output } = live();
    output.append('a');
    output.append('b');
    clock.advance(INSTRUCTION.live_interval_ms - 1);
    expect([output.nextChunk(), due.mock.calls.length]).toEqual([null, 0]);
    clock.advance(1);
    expect(due).toHaveBeenCalledTimes(1);
    output.append('c');
    clock.advance(10 * INSTRUCTION.live_interval_ms);
    expect(due).toHaveBeenCalledTimes(1);
    expect(output.nextChunk()).toEqual({ offset: 0, text: 'abc' });
    output.append('d');
    expect(output.nextChunk()).toBeNull();
    clock.advance(INSTRUCTION.live_interval_ms);
    expect(due).toHaveBeenCalledTimes(2);
    expect(output.nextChunk()).toEqual({ offset: 3, text: 'd' });
  });

  it('its chunks are limited in size and in sum, and do not cut a character', () => {
    const { clock, output } = live();
    output.append(`x${'😀'.repeat(INSTRUCTION.max_live_chars)}`);
    const chunks: ProgressOutput[] = [];
    for (let i = 0; i < 20; i++) {
      clock.advance(INSTRUCTION.live_interval_ms);
      const chunk = output.nextChunk();
      if (chunk) chunks.push(chunk);
    }
    expect(chunks.every(({ text }) => text.length <= INSTRUCTION.max_live_chunk_chars && text.isWellFormed())).toBe(
      true,
    );
    const last = chunks.at(-1);
    expect((last?.offset ?? 0) + (last?.text.length ?? 0)).toBeLessThanOrEqual(INSTRUCTION.max_live_chars);
    expect(chunks.length).toBeGreaterThan(3);
  });

  it('live output ends with the program, whose result has all of it', () => {
    const { clock, due, output } = live();
    output.append('a');
    output.end();
    output.append('b');
    clock.advance(10 * INSTRUCTION.live_interval_ms);
    expect(due).not.toHaveBeenCalled();
    expect(output.nextChunk()).toBeNull();
  });
});

describe('an exec', () => {
  let agent: InstructionHost;
  afterEach(async () => agent.close());

  const printed = async (script: string) => {
    agent = new InstructionHost({ policy: { exec: { shell: 'allow' } } });
    agent.instructions.onFinalMessage(finalMessage(block(`@conductor::exec::${script}`)), 0);
    agent.accept();
    await agent.started('ins_0');
    // The timers of the start and of the first chunk.
    while (agent.timers.pendingTimers < 2) await setImmediate();
  };

  it('a running program reports its start with its first output', async () => {
    await printed('echo first; while [ ! -e go ]; do sleep 0.02; done');
    agent.timers.advance(INSTRUCTION.live_interval_ms - 1);
    expect(agent.hasRequests()).toBe(false);
    agent.timers.advance(1);
    // The timer of the start comes first; the chunk is due with it and goes with the next request.
    expect(agent.acceptProgress()).toEqual([{ instruction_id: 'ins_0', started: true, started_age_ms: 0 }]);
    expect(agent.acceptProgress()).toEqual([{ instruction_id: 'ins_0', output: { offset: 0, text: 'first\n' } }]);
    expect(agent.hasRequests()).toBe(false);
    await agent.instructions.stop();
    const output = 'first\n[conductor] the program was stopped; it was ended by SIGTERM';
    expect(agent.acceptResult('ins_0')).toMatchObject({ status: 'interrupted', output });
  });
});
