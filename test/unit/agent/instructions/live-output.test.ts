import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { LiveOutput } from '../../../../local-agent/instructions/live-output.ts';
import { redactor } from '../../../../local-agent/lib/redact.ts';
import { LiveText } from '../../../../local-agent/tools/live-text.ts';
import { INSTRUCTION } from '../../../../schema/defaults.ts';
import { TestClock } from '../../../support/test-clock.ts';
import { block, finalMessage, InstructionHost } from './instruction-host.ts';

function live() {
  const clock = new TestClock();
  const told: { offset: number; chunk: string }[] = [];
  return { clock, told, output: new LiveOutput({ clock, tell: (offset, chunk) => told.push({ offset, chunk }) }) };
}

describe('output that is told while a program runs', () => {
  it('goes out at most once a second, and not before the last chunk was answered', () => {
    const { clock, told, output } = live();
    output.take('a');
    output.take('b');
    expect(told).toEqual([]);
    clock.advance(INSTRUCTION.live_interval_ms);
    output.take('c');
    clock.advance(10 * INSTRUCTION.live_interval_ms);
    expect(told).toEqual([{ offset: 0, chunk: 'ab' }]);
    output.answered();
    clock.advance(INSTRUCTION.live_interval_ms - 1);
    expect(told).toHaveLength(1);
    clock.advance(1);
    expect(told[1]).toEqual({ offset: 2, chunk: 'c' });
  });

  it('is limited as a whole and by the chunk, without cutting a character', () => {
    const { clock, told, output } = live();
    output.take(`x${'😀'.repeat(INSTRUCTION.max_live_chars)}`);
    for (let i = 0; i < 20; i++) {
      clock.advance(INSTRUCTION.live_interval_ms);
      output.answered();
    }
    expect(told.every(({ chunk }) => chunk.length <= INSTRUCTION.max_live_chunk_chars && chunk.isWellFormed())).toBe(
      true,
    );
    const last = told.at(-1);
    expect((last?.offset ?? 0) + (last?.chunk.length ?? 0)).toBeLessThanOrEqual(INSTRUCTION.max_live_chars);
    expect(told.length).toBeGreaterThan(3);
  });

  it('ends with the program: the result has it all', () => {
    const { clock, told, output } = live();
    output.take('a');
    output.end();
    output.take('b');
    clock.advance(10 * INSTRUCTION.live_interval_ms);
    expect(told).toEqual([]);
  });
});

describe('the text of output so far', () => {
  it('is shown at once unless a secret may be beginning', () => {
    const redact = redactor(null, { env: { BAA_SECRET: 'sesame-123' }, readFile: () => null });
    const shown: string[] = [];
    const text = new LiveText(redact, (part) => shown.push(part));
    for (const chunk of ['done\n', 'a ses', 'ame', '-123!', 'sesa', 'lt']) text.take(Buffer.from(chunk));
    expect(shown).toEqual(['done\n', 'a ', '[redacted]!', 'sesalt']);
  });

  it('never shows a secret or a part of one, however it is cut into chunks', () => {
    const secret = 'sesame-123';
    const env = { BAA_SECRET_A: secret, BAA_SECRET_B: 'me-123 plain' };
    const redact = redactor(null, { env, readFile: () => null });
    const piece = fc.oneof(
      fc.constantFrom(secret, secret.slice(0, 6), secret.slice(6), '\n', 'é', 'plain '),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(piece), fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (pieces, sizes) => {
        const bytes = Buffer.from(pieces.join('').toWellFormed());
        let shown = '';
        const text = new LiveText(redact, (part) => {
          shown += part;
        });
        for (let at = 0, n = 0; at < bytes.length; n += 1) {
          const size = sizes[n % sizes.length] ?? 1;
          text.take(bytes.subarray(at, at + size));
          at += size;
        }
        expect(redact(bytes.toString()).startsWith(shown)).toBe(true);
        expect(shown).not.toContain(secret);
      }),
    );
  });
});

describe('an exec', () => {
  let agent: InstructionHost;
  afterEach(async () => agent.close());

  it('tells what it prints while it runs', async () => {
    agent = new InstructionHost({ policy: { exec: { shell: 'allow' } } });
    const script = 'echo first; while [ ! -e go ]; do sleep 0.02; done';
    agent.instructions.onFinalMessage(finalMessage(block(`@conductor::exec::${script}`)), 0);
    agent.accept();
    await agent.nextRequest();
    agent.acceptStarted('ins_0');
    await agent.timers.timerSet();
    agent.timers.advance(INSTRUCTION.live_interval_ms);
    expect(agent.waiting('output')).toMatchObject({ path: '/v1/instructions/ins_0/output' });
    expect(JSON.parse(agent.waiting('output').body)).toMatchObject({ offset: 0, chunk: 'first\n' });
    agent.answer('output', { instruction_id: 'ins_0', received: 6 });
    await agent.instructions.stop();
    expect(agent.acceptResult('ins_0')).toMatchObject({ status: 'interrupted', output: 'first\n' });
  });
});
