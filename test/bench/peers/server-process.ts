/** Database servers of the machine, started on loopback over a folder of their own and stopped by their own handle. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import type { Cleanup } from '../harness/cleanup.ts';

const POSTGRES_HOMES = '/usr/lib/postgresql';

function folders(): string[] {
  const postgres = existsSync(POSTGRES_HOMES)
    ? readdirSync(POSTGRES_HOMES).map((version) => join(POSTGRES_HOMES, version, 'bin'))
    : [];
  return [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', ...postgres];
}

/** Where that program is, or null. */
export function findProgram(name: string): string | null {
  for (const folder of folders()) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return null;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export interface Identity {
  uid: number;
  gid: number;
}

/** Starts it. At the end it gets a signal to stop, and its exit is awaited. */
export function startServer(cleanup: Cleanup, program: string, args: string[], identity?: Identity): ChildProcess {
  const child = spawn(program, args, { stdio: 'ignore', ...identity });
  cleanup.add(child, async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGINT');
    await exit;
  });
  return child;
}

const TRY_EVERY_MS = 50;

/** When `attempt` succeeds for the first time. Rejects when the server has ended. */
export async function whenReady<T>(child: ChildProcess, attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended with ${child.exitCode}`, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, TRY_EVERY_MS));
    }
  }
}

/** Opens a TCP or Unix socket. */
export async function openSocket(where: { port: number } | { path: string }, cleanup: Cleanup) {
  const socket = 'port' in where ? connect({ ...where, host: '127.0.0.1', noDelay: true }) : connect(where);
  await once(socket, 'connect');
  return cleanup.add(socket, () => socket.destroy());
}
