/** When the agent reports what, and when it starts the next instruction of a message. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { MessageProgressBodySchema } from '../../../../schema/contracts/progress.ts';
import { HTTP, INSTRUCTION } from '../../../../schema/defaults.ts';
import { block, finalMessage, InstructionHost } from './instruction-host.ts';

let agent: InstructionHost;
afterEach(async () => agent.close());

const write = (n: number) => `@conductor::files/write::${JSON.stringify({ path: `${n}.txt`, content: String(n) })}`;
const isWritten = (n: number) => existsSync(join(agent.workspace, `${n}.txt`));
const exec = (script: string) => `@conductor::exec::${JSON.stringify({ argv: ['sh', '-c', script] })}`;

function observe(...lines: string[]): void {
  agent = new InstructionHost({ policy: { exec: { default: 'allow' } } });
  agent.instructions.onFinalMessage(finalMessage(block(...lines)), 0);
}

const writes = (count: number) => Array.from({ length: count }, (_, n) => write(n));
const waitForFile = async (n: number) => {
  while (!isWritten(n)) await agent.timers.flush();
  await agent.timers.flush();
};

describe('the progress requests of a message', () => {
  it.each([2, 5, 10])('%i quick instructions take two progress requests', async (count) => {
    observe(...writes(count));
    agent.accept();
    await waitForFile(count - 1);
    expect(agent.store.outbox.pendingCount()).toBe(1);
    expect(agent.acceptProgress()).toMatchObject([{ instruction_id: 'ins_0', started: true, result: {} }]);
    const rest = Array.from({ length: count - 1 }, (_, n) => `ins_${n + 1}`);
    expect(agent.acceptProgress().map((item) => [item.instruction_id, item.started, item.result?.status])).toEqual(
      rest.map((id) => [id, true, 'succeeded']),
    );
    await agent.reply();
    expect(agent.hasRequests()).toBe(false);
  });

  it('a start is reported alone only after the interval of live output', async () => {
    observe(exec('sleep 600'));
    agent.accept();
    await agent.started('ins_0');
    agent.timers.advance(INSTRUCTION.live_interval_ms - 1);
    expect(agent.hasRequests()).toBe(false);
    agent.now += INSTRUCTION.live_interval_ms;
    agent.timers.advance(1);
    expect(agent.acceptProgress()).toEqual([
      { instruction_id: 'ins_0', started: true, started_age_ms: INSTRUCTION.live_interval_ms },
    ]);
    agent.timers.advance(60_000);
    expect(agent.hasRequests()).toBe(false);
  });

  it('a start is reported after the response to the request before, when the instruction has run for the interval', async () => {
    observe(write(0), exec('sleep 600'));
    agent.accept();
    await agent.started('ins_1');
    agent.now += INSTRUCTION.live_interval_ms;
    agent.acceptResult('ins_0');
    expect(agent.acceptProgress()).toMatchObject([{ instruction_id: 'ins_1', started: true }]);
  });

  it('quick instructions leave no timer when they have ended', async () => {
    observe(...writes(3));
    agent.accept();
    await waitForFile(2);
    agent.acceptProgress();
    agent.acceptProgress();
    expect(agent.timers.pendingTimers).toBe(0);
  });

  it('a request carries the live output of the running instruction with the result of the one before it', async () => {
    observe(write(0), exec('echo begun; exec sleep 600'));
    agent.accept();
    await agent.started('ins_1');
    while (agent.timers.pendingTimers === 0) await agent.timers.flush();
    agent.timers.advance(INSTRUCTION.live_interval_ms);
    expect(agent.acceptProgress().map(({ instruction_id }) => instruction_id)).toEqual(['ins_0']);
    const output = { offset: 0, text: 'begun\n' };
    expect(agent.acceptProgress()).toMatchObject([{ instruction_id: 'ins_1', started: true, output }]);
  });

  it('a request carries what fits one body, and the next one the rest', async () => {
    const large = exec('yes | head -c 131000');
    observe(write(0), ...Array.from({ length: 9 }, () => large), write(10));
    agent.accept();
    await waitForFile(10);
    const seen: string[] = [];
    let requests = 0;
    while (agent.hasRequests()) {
      expect(Buffer.byteLength(agent.pendingRequest('progress').body)).toBeLessThanOrEqual(HTTP.max_body_bytes);
      seen.push(...agent.acceptProgress().map(({ instruction_id }) => instruction_id));
      requests += 1;
    }
    expect(seen).toEqual(Array.from({ length: 11 }, (_, n) => `ins_${n}`));
    expect(requests).toBe(3);
    expect(await agent.reply()).toContain('11\\. `conductor::files/write` — ok');
  });

  it('a refused request keeps the results it carried, lets the running instruction end and starts no other', async () => {
    observe(write(0), exec('while [ ! -e go ]; do sleep 0.02; done'), write(2));
    agent.accept();
    await agent.started('ins_1');
    agent.refuse('progress', 'not_owner');
    expect(agent.hasRequests()).toBe(false);
    agent.gate = 'confirm';
    await agent.instructions.stop();
    agent.refuse('progress', 'not_owner');
    agent.kill();
    agent.boot();
    agent.instructions.recover();
    const reply = await agent.reply();
    expect(reply).toContain('1\\. `conductor::files/write` — ok');
    expect(reply).toContain('2\\. `conductor::exec` — interrupted');
    expect(reply).toContain(
      '3\\. `conductor::files/write` — interrupted: whether it took effect is not known: `not_owner`',
    );
    expect(isWritten(2)).toBe(false);
  });

  it('an instruction that ran although the edge had blocked it is reported to the chat as it ended', async () => {
    observe(write(0), write(1));
    agent.accept();
    await waitForFile(1);
    const blocked = { ins_1: { status: 'blocked', gate: 'system_paused' } };
    agent.acceptProgress(blocked);
    agent.acceptProgress(blocked);
    expect(await agent.reply()).toContain('2\\. `conductor::files/write` — ok');
  });
});

describe('the next instruction', () => {
  it('the next instruction starts ahead of the response while the channel is alive and the system runs', async () => {
    observe(...writes(3));
    agent.accept();
    await waitForFile(2);
    expect(agent.pendingRequest('progress')).toBeDefined();
  });

  it('the next instruction starts only after the response when the channel is silent', async () => {
    observe(...writes(3));
    agent.gate = 'confirm';
    agent.accept();
    await agent.nextRequest();
    await agent.timers.flush();
    expect([isWritten(0), isWritten(1)]).toEqual([true, false]);
    agent.acceptResult('ins_0');
    await agent.nextRequest();
    expect([isWritten(1), isWritten(2)]).toEqual([true, false]);
  });

  it('an edge tool does not start ahead of the response', async () => {
    observe(write(0), '@conductor::status');
    agent.accept();
    await agent.nextRequest();
    await agent.timers.flush();
    expect(agent.store.outbox.pendingCount()).toBe(1);
    agent.acceptResult('ins_0');
    await agent.nextRequest();
    expect(agent.pendingRequest('run').path).toBe('/v1/instructions/ins_1/run');
  });

  it('the next instruction waits while the mode is unknown, and starts when it is known', async () => {
    observe(write(0));
    agent.gate = 'unknown';
    agent.accept();
    await agent.timers.flush();
    expect([isWritten(0), agent.hasRequests()]).toEqual([false, false]);
    agent.gate = 'open';
    agent.instructions.modeChanged();
    await waitForFile(0);
  });

  it('the next instruction does not start under a pause: the response to an empty report blocks the rest', async () => {
    observe(...writes(3));
    agent.gate = 'paused';
    agent.accept();
    await agent.nextRequest();
    const { items } = MessageProgressBodySchema.parse(JSON.parse(agent.pendingRequest('progress').body));
    expect(items).toEqual([]);
    const blocked = { status: 'blocked', gate: 'system_paused' };
    agent.acceptProgress({ ins_0: blocked, ins_1: blocked, ins_2: blocked }, 'paused');
    expect(agent.modes).toEqual(['paused']);
    expect(await agent.reply()).toContain('3\\. `conductor::files/write` — not run: `system_paused`');
    expect([isWritten(0), agent.hasRequests()]).toEqual([false, false]);
  });

  it('a pause between two instructions blocks the second with the response to the result of the first', async () => {
    observe(exec('while [ ! -e go ]; do sleep 0.02; done'), write(1));
    agent.accept();
    await agent.started('ins_0');
    agent.gate = 'paused';
    agent.instructions.modeChanged();
    writeFileSync(join(agent.workspace, 'go'), '');
    await agent.nextRequest();
    await agent.timers.flush();
    expect(agent.store.outbox.pendingCount()).toBe(1);
    expect(agent.acceptResult('ins_0', { ins_1: { status: 'blocked', gate: 'system_paused' } }).status).toBe(
      'succeeded',
    );
    await agent.reply();
    expect(isWritten(1)).toBe(false);
  });

  it('a control instruction starts under a pause', async () => {
    observe('@conductor::system/resume');
    agent.gate = 'paused';
    agent.accept();
    await agent.nextRequest();
    expect(agent.pendingRequest('run').path).toBe('/v1/instructions/ins_0/run');
  });

  it('the next instruction starts when the response says that the pause is over', async () => {
    observe(write(0));
    agent.gate = 'paused';
    agent.accept();
    await agent.nextRequest();
    agent.gate = 'open';
    agent.acceptProgress();
    await waitForFile(0);
  });
});
