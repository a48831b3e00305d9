/** The agent is killed at each stage of a message, and another one opens the same file. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { block, finalMessage, InstructionHost } from './instruction-host.ts';

let agent: InstructionHost;
afterEach(async () => agent.close());

const APPEND = ['sh', '-c', 'echo effect >> effects.txt'];
const POLICY = { exec: { default: 'allow' } };

function observe(...argvs: string[][]): void {
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

async function runToTheReply(): Promise<void> {
  await agent.nextRequest();
  agent.acceptStarted('ins_0');
  await agent.nextRequest();
  agent.acceptResult('ins_0');
  await agent.reply();
}

describe('an agent that is killed and restarted', () => {
  it('killed before the claim, it still sends the message, which runs once', async () => {
    observe(APPEND);
    restart();
    agent.accept();
    await runToTheReply();
    expect(effects()).toBe(1);
  });

  it('killed after the claim, it runs the instruction after the restart', async () => {
    observe(APPEND);
    agent.accept();
    // Killed before the turn of the event loop in which it would start.
    restart();
    await runToTheReply();
    expect(effects()).toBe(1);
    expect(agent.replies).toHaveLength(1);
  });

  it('killed after the claim and restarted after its expiry, it does not run the instruction', async () => {
    observe(APPEND);
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
    observe(['sh', '-c', 'echo effect >> effects.txt; sleep 600']);
    agent.accept();
    await agent.nextRequest();
    // The mark is set and the program runs. Its end cannot be stored any more.
    const killed = agent.instructions;
    agent.kill();
    await killed.stop();
    agent.boot();
    agent.instructions.recover();
    agent.acceptStarted('ins_0');
    expect(agent.acceptResult('ins_0')).toMatchObject({ status: 'interrupted', error_code: 'agent_died' });
    expect(await agent.reply()).toContain('interrupted');
    expect(effects()).toBeLessThanOrEqual(1);
  });

  it('killed after the effect and before the report, it reports the stored result and runs nothing again', async () => {
    observe(APPEND);
    agent.accept();
    await agent.nextRequest();
    agent.acceptStarted('ins_0');
    await agent.nextRequest();
    restart();
    expect(agent.acceptResult('ins_0')).toMatchObject({ status: 'succeeded', exit_code: 0 });
    await agent.reply();
    expect(effects()).toBe(1);
  });

  it('killed between two instructions, it keeps the first result and runs the second instruction', async () => {
    observe(APPEND, APPEND);
    agent.accept();
    await agent.nextRequest();
    agent.acceptStarted('ins_0');
    await agent.nextRequest();
    agent.acceptResult('ins_0', [
      { instruction_id: 'ins_1', index: 1, status: 'claimed', claim_expires_in_ms: 60_000, gate: null },
    ]);
    restart();
    await agent.nextRequest();
    agent.acceptStarted('ins_1');
    await agent.nextRequest();
    agent.acceptResult('ins_1');
    expect(await agent.reply()).toContain('2\\. `conductor::exec` — ok');
    expect(effects()).toBe(2);
  });

  it('killed before the reply is queued, it queues one reply after the restart', async () => {
    observe(APPEND);
    agent.accept();
    await agent.nextRequest();
    agent.acceptStarted('ins_0');
    await agent.nextRequest();
    agent.acceptResult('ins_0');
    restart();
    await agent.reply();
    restart();
    expect(agent.replies).toHaveLength(1);
    expect(effects()).toBe(1);
  });

  it('killed while the edge runs a tool, it keeps one request in the outbox', async () => {
    agent = new InstructionHost();
    agent.instructions.onFinalMessage(finalMessage(block('@conductor::status')), 0);
    agent.accept();
    await agent.nextRequest();
    restart();
    expect(agent.store.outbox.pendingCount()).toBe(1);
    expect(agent.pendingRequest('run').path).toBe('/v1/instructions/ins_0/run');
  });

  it('stopped cleanly, it ends a running program as interrupted and stores that', async () => {
    observe(['sleep', '600']);
    agent.accept();
    await agent.nextRequest();
    await agent.instructions.stop();
    agent.acceptStarted('ins_0');
    expect(agent.acceptResult('ins_0')).toMatchObject({ status: 'interrupted', error_code: 'agent_stopped' });
  });
});
