import { afterEach, describe, expect, it } from 'vitest';
import { LiveOutput } from '../../../../local-agent/instructions/live-output.ts';
import { INSTRUCTION } from '../../../../schema/defaults.ts';
import { TestClock } from '../../../support/test-clock.ts';
import { block, finalMessage, InstructionHost } from './instruction-host.ts';

function liveOutput() {
  const clock = new TestClock();
  const reported: { offset: number; chunk: string }[] = [];
  const output = new LiveOutput({ clock, report: (offset, chunk) => reported.push({ offset, chunk }) });
  return { clock, reported, output };
}

describe('the output of a running program', () => {
  it('chunks are reported at most once a second, each after the response to the one before', () => {
    const { clock, reported, output } = liveOutput();
    output.add('a');
    output.add('b');
    expect(reported).toEqual([]);
    clock.advance(INSTRUCTION.live_interval_ms);
    output.add('c');
    clock.advance(10 * INSTRUCTION.live_interval_ms);
    expect(reported).toEqual([{ offset: 0, chunk: 'ab' }]);
    output.onResponse();
    clock.advance(INSTRUCTION.live_interval_ms - 1);
    expect(reported).toHaveLength(1);
    clock.advance(1);
    expect(reported[1]).toEqual({ offset: 2, chunk: 'c' });
  });

  it('chunks and their sum are limited, and no chunk cuts a character', () => {
    const { clock, reported, output } = liveOutput();
    output.add(`x${'😀'.repeat(INSTRUCTION.max_live_chars)}`);
    for (let i = 0; i < 20; i++) {
      clock.advance(INSTRUCTION.live_interval_ms);
      output.onResponse();
    }
    for (const { chunk } of reported) {
      expect(chunk.length).toBeLessThanOrEqual(INSTRUCTION.max_live_chunk_chars);
      expect(chunk.isWellFormed()).toBe(true);
    }
    const last = reported.at(-1);
    expect((last?.offset ?? 0) + (last?.chunk.length ?? 0)).toBeLessThanOrEqual(INSTRUCTION.max_live_chars);
    expect(reported.length).toBeGreaterThan(3);
  });

  it('nothing is reported after the program has ended, since the result has all of it', () => {
    const { clock, reported, output } = liveOutput();
    output.add('a');
    output.end();
    output.add('b');
    clock.advance(10 * INSTRUCTION.live_interval_ms);
    expect(reported).toEqual([]);
  });
});

describe('exec', () => {
  let agent: InstructionHost;
  afterEach(async () => agent.close());

  it('the output of a program is reported while it runs', async () => {
    agent = new InstructionHost({ policy: { exec: { shell: 'allow' } } });
    const script = 'echo first; while [ ! -e go ]; do sleep 0.02; done';
    agent.instructions.onFinalMessage(finalMessage(block(`@conductor::exec::${script}`)), 0);
    agent.accept();
    await agent.nextRequest();
    agent.acceptStarted('ins_0');
    await agent.timers.timerSet();
    agent.timers.advance(INSTRUCTION.live_interval_ms);
    expect(agent.pendingRequest('output')).toMatchObject({ path: '/v1/instructions/ins_0/output' });
    expect(JSON.parse(agent.pendingRequest('output').body)).toMatchObject({ offset: 0, chunk: 'first\n' });
    agent.respond('output', { instruction_id: 'ins_0', received: 6 });
    await agent.instructions.stop();
    expect(agent.acceptResult('ins_0')).toMatchObject({ status: 'interrupted', output: 'first\n' });
  });
});
