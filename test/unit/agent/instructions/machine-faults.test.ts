import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { CHANNEL } from '../../../../schema/defaults.ts';
import { makeDiskOf } from '../../../support/disk-full.ts';
import { block, finalMessage, InstructionHost } from './instruction-host.ts';

const hosts: InstructionHost[] = [];
function host(): InstructionHost {
  const made = new InstructionHost({ policy: { exec: { default: 'allow' } } });
  hosts.push(made);
  return made;
}
afterEach(async () => {
  for (const one of hosts.splice(0)) await one.close();
});

/** An instruction whose effect can be counted: it appends a line to `runs.txt`. */
const COUNTED = `@conductor::exec::${JSON.stringify({ argv: ['sh', '-c', 'echo ran >> runs.txt'] })}`;
const runsOf = (agent: InstructionHost): string => {
  const path = join(agent.workspace, 'runs.txt');
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
};
const warnings = (agent: InstructionHost): string => JSON.stringify(agent.logged);

/** Lets the agent's timers run, and what follows from them, until `holds`. */
async function elapseUntil(agent: InstructionHost, holds: () => boolean): Promise<void> {
  while (!holds()) {
    await agent.timers.elapse(500);
    await setTimeout(1);
  }
}

describe('an instruction of an agent without free file descriptors', () => {
  it('is not started, is reported, and runs once when there are some', async () => {
    const agent = host();
    agent.hasFreeDescriptors = false;
    agent.instructions.onFinalMessage(finalMessage(block(COUNTED)), 0);
    agent.accept();
    await agent.timers.elapse(10_000);
    expect(runsOf(agent)).toBe('');
    expect(agent.hasRequests()).toBe(false);
    expect(warnings(agent)).toMatch(/no free file descriptors; nothing has started.*ulimit -n/);
    agent.hasFreeDescriptors = true;
    await elapseUntil(agent, () => agent.hasRequests());
    await agent.started('ins_0');
    await elapseUntil(agent, () => runsOf(agent) !== '');
    await agent.timers.elapse(10_000);
    expect(runsOf(agent)).toBe('ran\n');
  });
});

describe('an instruction of an agent on a full disk', () => {
  it('does not start while its mark cannot be stored, and runs once when there is space', async () => {
    const agent = host();
    agent.instructions.onFinalMessage(finalMessage(block(COUNTED)), 0);
    const disk = makeDiskOf(agent.store);
    agent.accept();
    disk.isFull = true;
    await agent.timers.elapse(10_000);
    expect(runsOf(agent)).toBe('');
    expect(warnings(agent)).toMatch(/database or disk is full; free space/);
    disk.isFull = false;
    await elapseUntil(agent, () => agent.hasRequests());
    await elapseUntil(agent, () => runsOf(agent) !== '');
    await agent.timers.elapse(10_000);
    expect(runsOf(agent)).toBe('ran\n');
  });

  it('whose effect has happened keeps its result until it can be stored, and does not run again', async () => {
    const agent = host();
    agent.instructions.onFinalMessage(finalMessage(block(COUNTED)), 0);
    const disk = makeDiskOf(agent.store);
    agent.accept();
    await agent.started('ins_0');
    disk.isFull = true;
    await elapseUntil(agent, () => warnings(agent).includes('"instruction_id":"ins_0"'));
    appendFileSync(join(agent.workspace, 'runs.txt'), 'the disk was full here\n');
    await agent.timers.elapse(10_000);
    disk.isFull = false;
    await elapseUntil(agent, () => {
      const { result } = agent.store.db.prepare('SELECT result FROM executions').get() ?? {};
      return result !== null;
    });
    const reported = agent.acceptProgress();
    // The start may have been reported before its result was stored.
    if (agent.hasRequests()) reported.push(...agent.acceptProgress());
    expect(reported.find((item) => item.result)).toMatchObject({ result: { status: 'succeeded' } });
    expect(runsOf(agent)).toBe('ran\nthe disk was full here\n');
  });
});

describe('a first instruction that has waited', () => {
  const start = (agent: InstructionHost): void => {
    agent.instructions.onFinalMessage(finalMessage(block(COUNTED)), 0);
    agent.hasFreeDescriptors = false;
    agent.accept();
  };

  /** An agent whose first instruction waited for descriptors while the edge was silent, and which then asked the edge. */
  async function waitedThroughSilence(): Promise<InstructionHost> {
    const agent = host();
    agent.gate = 'confirm';
    start(agent);
    await agent.timers.flush();
    agent.silentMs = CHANNEL.trust_ms + 1;
    agent.hasFreeDescriptors = true;
    await elapseUntil(agent, () => agent.hasRequests());
    return agent;
  }

  it('is asked about before it starts when the edge has been silent for too long', async () => {
    const agent = await waitedThroughSilence();
    expect(runsOf(agent)).toBe('');
    expect(agent.acceptProgress({ ins_0: { status: 'blocked', gate: 'system_paused' } }, 'paused')).toEqual([]);
    await agent.reply();
    expect(runsOf(agent)).toBe('');
  });

  it('starts after the edge has confirmed it', async () => {
    const agent = await waitedThroughSilence();
    agent.acceptProgress();
    await elapseUntil(agent, () => runsOf(agent) !== '');
    expect(runsOf(agent)).toBe('ran\n');
  });

  it('starts without a question while the channel is alive', async () => {
    const agent = host();
    start(agent);
    await agent.timers.flush();
    agent.silentMs = CHANNEL.trust_ms + 1;
    agent.hasFreeDescriptors = true;
    await elapseUntil(agent, () => runsOf(agent) !== '');
    expect(runsOf(agent)).toBe('ran\n');
  });
});
