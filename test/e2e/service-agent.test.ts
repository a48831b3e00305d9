/** The agent as a service starts it: the built program under its supervisor, beside an edge that runs apart from it. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { REPOSITORY } from '../../local-agent/stack/layout.ts';
import type { Stack } from '../../local-agent/stack/stack.ts';
import { startStack } from '../../local-agent/stack/stack.ts';
import { until } from '../support/cluster.ts';

const LAUNCHER = join(REPOSITORY, 'local-agent/stack/launch.js');
const root = mkdtempSync(join(tmpdir(), 'conductor-service-'));
const services: ChildProcess[] = [];
let stack: Stack;

beforeAll(async () => {
  stack = await startStack(
    { root, port: 0, agentPort: 0, nodeId: 'mini', host: 'mini', agent: false },
    () => undefined,
  );
});
afterEach(async () => {
  for (const service of services.splice(0)) service.kill('SIGKILL');
  await until(async () => agentOf() === null);
});
afterAll(async () => {
  await stack.stop();
  rmSync(root, { recursive: true, force: true, maxRetries: 20 });
});

/** The agent's process; null while there is none. */
function agentOf(): number | null {
  const isAgent = (pid: string): boolean => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1');
      return command.includes('end-with-parent') && command.includes(root);
    } catch {
      return false;
    }
  };
  const found = readdirSync('/proc').find((name) => /^\d+$/.test(name) && isAgent(name));
  return found === undefined ? null : Number(found);
}

async function startService() {
  const env = { PATH: process.env.PATH, HOME: root, BAA_CONTROL_API_BASE: stack.edgeUrl, BAA_CONDUCTOR_LOCAL_API: '' };
  const service = spawn(process.execPath, [LAUNCHER, 'agent', '--root', root], { cwd: root, env, stdio: 'pipe' });
  services.push(service);
  const out: string[] = [];
  createInterface({ input: service.stdout }).on('line', (line) => out.push(line));
  const isReady = () => out.some((line) => line.startsWith('ok     start-scheduler'));
  await until(async () => {
    if (service.exitCode !== null) throw new Error(`the service has ended: ${out.join('\n')}`);
    return isReady();
  });
  /** Waits until an agent is ready that has another process. */
  const another = async (than: number): Promise<number> => {
    await until(async () => out.filter((line) => line.startsWith('ok     start-scheduler')).length > 1);
    return until(async () => {
      const agent = agentOf();
      return agent !== than && agent;
    });
  };
  return { service, out, agent: await until(async () => agentOf()), another };
}

// Runs only on a system that shows the command lines of processes.
describe.runIf(process.platform === 'linux')('the agent of a service', () => {
  it('runs the built program, starts again after kill -9, and ends with SIGTERM to the service', async () => {
    const { service, out, agent, another } = await startService();
    expect(readFileSync(`/proc/${agent}/cmdline`, 'latin1')).toContain('dist/conductor/agent.js');
    process.kill(agent, 'SIGKILL');
    const next = await another(agent);
    expect(out).toContainEqual(expect.stringMatching(/^agent died \(SIGKILL\); starting it again/));
    const exited = once(service, 'exit');
    service.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    expect(agentOf()).toBeNull();
    expect(next).not.toBe(agent);
  });

  it('is ended and started again when SIGSTOP has frozen it', async () => {
    const { out, agent, another } = await startService();
    process.kill(agent, 'SIGSTOP');
    await another(agent);
    expect(out).toContainEqual(expect.stringMatching(/^agent has not responded for 45 s/));
  });

  it('ends by itself when its service is killed', async () => {
    const { service } = await startService();
    service.kill('SIGKILL');
    await until(async () => agentOf() === null);
  });
});
