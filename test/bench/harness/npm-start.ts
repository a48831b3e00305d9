/** `npm start` as a built program, in a process tree of its own, and the names of its processes. */
import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { REPOSITORY } from '../../../local-agent/stack/layout.ts';
import type { Cleanup } from './cleanup.ts';

export const AGENT = 'agent';
export const SUPERVISOR = 'supervisor';
export const EDGE = 'process of the edge';
export const RUNTIME = 'runtime of the edge';
const LAUNCH = 'local-agent/stack/launch.js';

const ReadySchema = z.looseObject({
  ready: z.literal(true),
  edge_url: z.string(),
  agent_url: z.string(),
  controller_id: z.string(),
});
export type Ready = z.infer<typeof ReadySchema>;

export interface Started extends Ready {
  pid: number;
  /** From the start of the process to its ready line. */
  readySeconds: number;
}

/** Names one of its processes by the base names of its arguments. */
export function nameOf(argv: string[]): string {
  if (argv.includes('agent.js')) return AGENT;
  if (argv.includes('edge.js')) return EDGE;
  if (argv[0] === 'workerd') return RUNTIME;
  return argv.includes('launch.js') ? SUPERVISOR : (argv[1] ?? argv[0] ?? '');
}

/** Builds the program when its sources have changed, so that no start does. */
export function buildProgram(): void {
  spawnSync(process.execPath, ['local-agent/stack/build.ts'], { cwd: REPOSITORY, stdio: 'ignore' });
}

/** Starts it on a root, with free ports and that environment; it is stopped at the end. */
export async function npmStart(cleanup: Cleanup, root: string, env: NodeJS.ProcessEnv = {}): Promise<Started> {
  const began = performance.now();
  const args = [LAUNCH, 'system', '--root', root, '--port', '0', '--agent-port', '0', '--json'];
  const system = spawn(process.execPath, args, {
    cwd: REPOSITORY,
    env: { PATH: process.env.PATH, HOME: root, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const { pid = 0 } = cleanup.add(system, stopped);
  const ready = await readyLine(system);
  return { ...ready, pid, readySeconds: (performance.now() - began) / 1_000 };
}

async function readyLine({ stdout }: ChildProcess): Promise<Ready> {
  if (stdout === null) throw new Error('npm start has no output');
  for await (const line of createInterface({ input: stdout })) {
    if (line.startsWith('{"ready":true')) return ReadySchema.parse(JSON.parse(line));
  }
  throw new Error('npm start ended before it was ready');
}

/** Asks a process to end, and waits for it. */
export async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'close');
}
