/** The agent is killed at each stage: its pipeline is thrown away and another one opens the same file. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { readProc, startTicks } from '../../../../local-agent/host/processes.ts';
import { ExecutionStore } from '../../../../local-agent/instructions/execution-store.ts';
import { INSTRUCTION } from '../../../../schema/defaults.ts';
import { block, finalMessage, InstructionHost } from './instruction-host.ts';

let agent: InstructionHost;
afterEach(async () => agent.close());

const APPEND = ['sh', '-c', 'echo effect >> effects.txt'];
const POLICY = { exec: { default: 'allow' } };

function observed(...argvs: string[][]): void {
  agent = new InstructionHost({ policy: POLICY });
  const lines = argvs.map((argv) => `@conductor::exec::${JSON.stringify({ argv })}`);
  agent.instructions.onFinalMessage(finalMessage(block(...lines)), 0);
}

function effects(): number {
  const file = join(agent.workspace, 'effects.txt');
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
}

function restart(): void {
  agent.kill();
  agent.boot();
  agent.instructions.recover();
}

async function toTheEnd(): Promise<void> {
  await agent.nextRequest();
  agent.acceptResult('ins_0');
  await agent.reply();
}

describe('an agent that is killed', () => {
  it('killed before the claim, it reports the message after the restart and runs it once', async () => {
    observed(APPEND);
    restart();
    agent.accept();
    await toTheEnd();
    expect(effects()).toBe(1);
  });

  it('killed after the claim, it runs the instruction after the restart', async () => {
    observed(APPEND);
    agent.accept();
    // Killed before the turn of the event loop in which it would begin.
    restart();
    await toTheEnd();
    expect(effects()).toBe(1);
    expect(agent.replies).toHaveLength(1);
  });

  it('killed after the claim for longer than the claim lives, it does not run the instruction', async () => {
    observed(APPEND);
    agent.accept();
    agent.kill();
    agent.now += 60_000;
    agent.boot();
    agent.instructions.recover();
    await agent.nextRequest();
    expect(agent.acceptResult('ins_0')).toMatchObject({ status: 'interrupted', error_code: 'claim_expired' });
    expect(effects()).toBe(0);
  });

  it('killed in the middle of the effect, it ends the instruction as interrupted and does not run it again', async () => {
    observed(['sh', '-c', 'echo effect >> effects.txt; sleep 600']);
    agent.accept();
    await agent.started('ins_0');
    // The start is stored, the program runs, and the store is closed when it ends.
    const killed = agent.instructions;
    agent.kill();
    await killed.stop();
    agent.boot();
    agent.instructions.recover();
    expect(agent.acceptResult('ins_0')).toMatchObject({ status: 'interrupted', error_code: 'agent_died' });
    expect(await agent.reply()).toContain('interrupted');
    expect(effects()).toBeLessThanOrEqual(1);
  });

  it('killed before the process of a program is stored, it ends that program after the restart', async () => {
    observed(['sh', '-c', 'echo $$ > program.txt; exec sleep 600']);
    agent.store.db.exec(`CREATE TRIGGER killed_before BEFORE UPDATE OF process ON executions
      WHEN NEW.process ->> 'pid' IS NOT NULL BEGIN SELECT RAISE(IGNORE); END`);
    agent.accept();
    const file = join(agent.workspace, 'program.txt');
    const pid = () => (existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0);
    while (pid() === 0) await setImmediate();
    const program = pid();
    // While it becomes another program, the system shows no environment of it.
    while (!readProc(String(program), 'cmdline').startsWith('sleep')) await setImmediate();
    restart();
    while (startTicks(program) !== null) await setImmediate();
    expect(agent.acceptResult('ins_0')).toMatchObject({ status: 'interrupted', error_code: 'agent_died' });
  });

  it('killed after the effect and before the report, it reports the stored result and runs nothing again', async () => {
    observed(APPEND);
    agent.accept();
    await agent.nextRequest();
    restart();
    expect(agent.acceptResult('ins_0')).toMatchObject({ status: 'succeeded', exit_code: 0 });
    await agent.reply();
    expect(effects()).toBe(1);
  });

  it('killed with results that no request carries yet, it reports them after the restart and runs nothing again', async () => {
    observed(APPEND, APPEND, APPEND);
    agent.accept();
    while (effects() < 3) await agent.timers.flush();
    while (new ExecutionStore(agent.store.db).execution('ins_2')?.result === null) await agent.timers.flush();
    expect(agent.store.outbox.pendingCount()).toBe(1);
    restart();
    // The request that waits is not doubled.
    expect(agent.store.outbox.pendingCount()).toBe(1);
    expect(agent.acceptProgress().map(({ instruction_id }) => instruction_id)).toEqual(['ins_0']);
    restart();
    expect(agent.store.outbox.pendingCount()).toBe(1);
    expect(agent.acceptProgress().map(({ instruction_id }) => instruction_id)).toEqual(['ins_1', 'ins_2']);
    await agent.reply();
    expect(effects()).toBe(3);
  });

  it('killed before the response to a reported start, it sends the result with the next request', async () => {
    observed(['sleep', '600']);
    agent.accept();
    await agent.started('ins_0');
    agent.timers.advance(INSTRUCTION.live_interval_ms);
    const killed = agent.instructions;
    agent.kill();
    await killed.stop();
    agent.boot();
    agent.instructions.recover();
    expect(agent.acceptProgress()).toMatchObject([{ instruction_id: 'ins_0', started: true }]);
    const [item] = agent.acceptProgress();
    expect(item).toMatchObject({ instruction_id: 'ins_0', result: { error_code: 'agent_died' } });
    expect(item).not.toHaveProperty('started');
    expect(await agent.reply()).toContain('interrupted');
  });

  it('killed between two instructions, it keeps the first and runs the second', async () => {
    observed(APPEND, APPEND);
    agent.gate = 'confirm';
    agent.accept();
    await agent.nextRequest();
    agent.acceptResult('ins_0');
    restart();
    // Without a live channel it asks first: a pause may have blocked the second one meanwhile.
    await agent.nextRequest();
    expect(agent.acceptProgress()).toEqual([]);
    await agent.nextRequest();
    agent.acceptResult('ins_1');
    expect(await agent.reply()).toContain('2\\. `conductor::exec` — ok');
    expect(effects()).toBe(2);
  });

  it('killed before the reply is queued, it queues the reply once after the restart', async () => {
    observed(APPEND);
    agent.accept();
    await agent.nextRequest();
    agent.acceptResult('ins_0');
    restart();
    await agent.reply();
    restart();
    expect(agent.replies).toHaveLength(1);
    expect(effects()).toBe(1);
  });

  it('the started mark of an instruction can be set once', () => {
    observed(APPEND);
    agent.accept();
    const ledger = new ExecutionStore(agent.store.db);
    expect([ledger.start('ins_0', 1), ledger.start('ins_0', 2)]).toEqual([true, false]);
    expect(ledger.execution('ins_0')?.started_at).toBe(1);
  });

  it('killed while the edge runs a tool, it asks once and takes the response as the result', async () => {
    agent = new InstructionHost();
    agent.instructions.onFinalMessage(finalMessage(block('@conductor::status')), 0);
    agent.accept();
    await agent.nextRequest();
    restart();
    expect(agent.store.outbox.pendingCount()).toBe(1);
    expect(agent.pendingRequest('run').path).toBe('/v1/instructions/ins_0/run');
  });

  it('stopping cleanly ends a running program as interrupted and stores that', async () => {
    observed(['sleep', '600']);
    agent.accept();
    await agent.started('ins_0');
    await agent.instructions.stop();
    expect(agent.acceptResult('ins_0')).toMatchObject({ status: 'interrupted', error_code: 'agent_stopped' });
  });
});
