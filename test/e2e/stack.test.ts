/**
 * `npm start` as its user sees it: its output, its errors, the restart of processes that die, and that no process is left
 * when it ends.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { REPOSITORY } from '../../local-agent/stack/layout.ts';
import { until } from '../support/cluster.ts';

const ReadySchema = z.strictObject({
  ready: z.literal(true),
  edge_url: z.url(),
  agent_url: z.url().nullable(),
  sign_in_url: z.url(),
  ops_token_file: z.string(),
  controller_id: z.string(),
  root: z.string(),
});

const running: ChildProcess[] = [];
const roots: string[] = [];
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true, maxRetries: 20 });
});

function newRoot(): string {
  const root = mkdtempSync(join(tmpdir(), 'conductor-stack-'));
  roots.push(root);
  return root;
}

/** Runs `npm start -- …args` and collects its output. */
function npmStart(...args: string[]) {
  const child = spawn(process.execPath, [join(REPOSITORY, 'local-agent/stack/main.ts'), ...args], { stdio: 'pipe' });
  running.push(child);
  const out: string[] = [];
  const err: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => out.push(line));
  createInterface({ input: child.stderr }).on('line', (line) => err.push(line));
  const exited = once(child, 'close').then(([code]: (number | null)[]) => code);
  return { child, out, err, exited };
}

async function started(root: string, ...args: string[]) {
  const system = npmStart('--root', root, '--port', '0', '--agent-port', '0', '--json', ...args);
  const line = await until(async () => system.out[0] ?? (system.child.exitCode !== null && 'it has exited'));
  return { ...system, ready: ReadySchema.parse(JSON.parse(line)) };
}

/** Runs only on a system that shows the environment of processes. */
const itSeesProcesses = it.runIf(existsSync('/proc/self/environ'));

/** All processes of this system: those whose environment or command line names the root. */
function processesOf(root: string, self: number | undefined): number[] {
  const mentions = (pid: string): boolean => {
    try {
      return ['environ', 'cmdline'].some((file) => readFileSync(`/proc/${pid}/${file}`, 'latin1').includes(root));
    } catch {
      return false;
    }
  };
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== self && mentions(name))
    .map(Number);
}

async function isHealthy(url: string | null): Promise<boolean> {
  const response = await fetch(`${url}/healthz`).catch(() => null);
  await response?.body?.cancel();
  return response?.ok === true;
}

function findChild(name: 'edge.ts' | 'agent.ts', root: string, self: number | undefined): number {
  const found = processesOf(root, self).find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(name));
  if (found === undefined) throw new Error(`no process runs ${name}`);
  return found;
}

describe('npm start', () => {
  it('--json prints one line with all addresses, and only the owner can read the files', async () => {
    const root = newRoot();
    const { ready } = await started(root, '--host', 'mini');
    expect(ready).toMatchObject({ controller_id: 'mini-main', root });
    expect(await Promise.all([isHealthy(ready.edge_url), isHealthy(ready.agent_url)])).toEqual([true, true]);
    expect(ready.sign_in_url).toMatch(`${ready.edge_url}/v1/session/link/`);
    expect(readFileSync(ready.ops_token_file, 'utf8')).toMatch(/^baa_/);
    const edgeFiles = readdirSync(join(root, 'edge'), { recursive: true, encoding: 'utf8' });
    const open = [ready.ops_token_file, ...edgeFiles.map((name) => join(root, 'edge', name))].filter(
      (path) => (statSync(path).mode & 0o077) !== 0,
    );
    expect(open).toEqual([]);
  });

  it.each([
    [['--port', 'x'], /--port/],
    [['--node-id', 'no such/id'], /--node-id/],
    [['--prot', '1'], /--prot/],
    [['extra'], /extra/],
  ])('%j exits with 2 and is explained', async (args, message) => {
    const { exited, err } = npmStart(...args);
    expect(await exited).toBe(2);
    expect(err.join('\n')).toMatch(message);
  });

  it('a taken port is reported in one line, with the option to choose another', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { exited, err } = npmStart('--root', newRoot(), '--port', String(port));
    expect(await exited).toBe(1);
    expect(err).toEqual([expect.stringMatching(`port ${port} is taken.*--port`)]);
    server.close();
  });

  it('a second edge does not touch the state of a running one', async () => {
    const root = newRoot();
    const first = await started(root, '--no-agent');
    const second = npmStart('--root', root, '--port', '0', '--no-agent');
    expect(await second.exited).toBe(1);
    expect(second.err.join('\n')).toMatch('another edge is running on');
    expect(await isHealthy(first.ready.edge_url)).toBe(true);
  });

  itSeesProcesses(
    'a killed agent and a killed edge are restarted, which is printed, as is that it responds',
    async () => {
      const root = newRoot();
      const { child, err, ready } = await started(root);
      for (const [name, program, url] of [
        ['agent', 'agent.ts', ready.agent_url],
        ['edge', 'edge.ts', ready.edge_url],
      ] as const) {
        const pid = findChild(program, root, child.pid);
        process.kill(pid, 'SIGKILL');
        await until(async () => err.some((line) => line.startsWith(`${name} died (SIGKILL); starting it again`)));
        await until(async () => err.includes(`${name} responds again`));
        expect(await isHealthy(url)).toBe(true);
        expect(findChild(program, root, child.pid)).not.toBe(pid);
      }
    },
  );

  itSeesProcesses.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s ends it with 0 and leaves no process behind',
    async (signal) => {
      const root = newRoot();
      const { child, exited } = await started(root);
      child.kill(signal);
      child.kill(signal);
      expect(await exited).toBe(0);
      await until(async () => processesOf(root, child.pid).length === 0);
    },
  );

  itSeesProcesses('a kill of npm start itself leaves no process behind', async () => {
    const root = newRoot();
    const { child } = await started(root);
    child.kill('SIGKILL');
    await until(async () => processesOf(root, child.pid).length === 0);
  });
});

describe('the edge on its own', () => {
  it('the edge exits when its parent has died during the start', async () => {
    const root = newRoot();
    const env = { BAA_STACK_PORT: '0', BAA_STACK_STATE: root, BAA_BOOTSTRAP_TOKEN: 'a-secret-of-this-test-only' };
    const edge = spawn(process.execPath, [join(REPOSITORY, 'local-agent/stack/edge.ts')], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    running.push(edge);
    const exited = once(edge, 'exit');
    await until(async () => existsSync(join(root, 'edge.lock')));
    edge.disconnect();
    expect(await exited).toEqual([0, null]);
  });
});
