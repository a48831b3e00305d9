/** `npm start` run by the real npm: however it is ended, nothing of it is left; an agent that hangs is started again. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { REPOSITORY } from '../../local-agent/stack/layout.ts';
import { until } from '../support/cluster.ts';

const running: ChildProcess[] = [];
const roots: string[] = [];
afterEach(async () => {
  for (const npm of running.splice(0)) npm.kill('SIGKILL');
  for (const root of roots.splice(0)) {
    await until(async () => processesOf(root).length === 0);
    rmSync(root, { recursive: true, force: true, maxRetries: 20 });
  }
});

/** Edge, runtime and agent of this system: their environment names the root. */
function processesOf(root: string): number[] {
  const isOurs = (pid: string): boolean => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`=${root}`);
    } catch {
      return false;
    }
  };
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && isOurs(name))
    .map(Number);
}

async function startedByNpm() {
  const root = mkdtempSync(join(tmpdir(), 'conductor-npm-'));
  roots.push(root);
  const args = ['start', '--', '--root', root, '--port', '0', '--agent-port', '0', '--json'];
  const npm = spawn('npm', args, { cwd: REPOSITORY, stdio: 'pipe', env: { ...process.env, HOME: root } });
  running.push(npm);
  const out: string[] = [];
  const err: string[] = [];
  createInterface({ input: npm.stdout }).on('line', (line) => out.push(line));
  createInterface({ input: npm.stderr }).on('line', (line) => err.push(line));
  const exited = once(npm, 'exit');
  await until(async () => {
    if (npm.exitCode !== null) throw new Error(`npm start has ended: ${err.join('\n')}`);
    return out.some((line) => line.startsWith('{"ready":true'));
  });
  return { root, npm, err, exited };
}

/** The process of the agent; null while there is none. */
function agentOf(root: string): number | null {
  const runsAgent = (pid: number): boolean => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('end-with-parent');
    } catch {
      return false;
    }
  };
  return processesOf(root).find(runsAgent) ?? null;
}

// Runs only on a system that shows the environment of processes.
describe.runIf(existsSync('/proc/self/environ'))('npm start, run by npm', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGKILL'] as const)(
    '%s to npm ends edge, runtime and agent',
    async (signal) => {
      const { root, npm, exited } = await startedByNpm();
      expect(processesOf(root).length).toBeGreaterThan(2);
      npm.kill(signal);
      await exited;
      await until(async () => processesOf(root).length === 0);
    },
  );

  it('an agent that SIGSTOP has frozen is reported, killed and started again', async () => {
    const { root, err } = await startedByNpm();
    const agent = await until(async () => agentOf(root));
    process.kill(agent, 'SIGSTOP');
    await until(async () => err.some((line) => line.startsWith('agent has not responded for 45 s')));
    await until(async () => err.some((line) => line.startsWith('agent died (SIGKILL); starting it again')));
    expect(await until(async () => agentOf(root))).not.toBe(agent);
  });
});
