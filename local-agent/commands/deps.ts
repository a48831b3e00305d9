/** The dependencies of the commands, which tests replace. */

import type { Environment } from '../config/resolve.ts';
import type { IsAlive } from '../config/system-record.ts';
import { packageVersion } from '../deps.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import { createEdgeClient } from '../edge/http-client.ts';
import { permissionsOf, readOwnFile, replacePrivateFile, writeNewPrivateFile } from '../host/own-files.ts';
import { stillRuns } from '../host/process-start.ts';
import type { Clock } from '../lib/clock.ts';
import { systemClock } from '../lib/clock.ts';
import type { Prompts } from './prompts.ts';
import { terminalPrompts } from './prompts.ts';
import { readSecret } from './read-secret.ts';

export interface CommandDeps {
  env: Environment;
  /** Writes one line to standard output. */
  print: (line: string) => void;
  /** Writes bytes to standard output as they are: the output of a program, which may be piped on. */
  printBytes: (bytes: Uint8Array) => void;
  /** Writes one line to standard error. */
  warn: (line: string) => void;
  /** Whether standard output is a terminal. */
  isTerminal: boolean;
  /** How many columns the terminal has now; null when it does not say. */
  columns: () => number | null;
  clock: Clock;
  /** Version of this software. */
  version: string;
  /** Text of a file, null when it does not exist. */
  readFile: (path: string) => string | null;
  /** Asks a person on a terminal for a secret, or reads it from a pipe. */
  readSecret: (question: string) => Promise<string>;
  /** Asks a person; null when no person is at a terminal. */
  prompts: Prompts | null;
  /** Writes a file that only this user may read. @throws Error when it exists */
  writeNewFile: (path: string, text: string) => void;
  /** Replaces a file that only this user may read, whole or not at all. */
  writeFile: (path: string, text: string) => void;
  /** Permission bits of a path, null when it does not exist. */
  modeOf: (path: string) => number | null;
  /** Whether a process still runs. */
  isAlive: IsAlive;
  /** Makes an HTTP client of the edge, or of an agent's local API. */
  connect: (baseUrl: string, token: string) => EdgeClient;
  /** Resolves when this process is asked to stop, with what asked first. */
  stopSignal: () => Promise<StopCause>;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** `parent_ended`: the stack that started this process, and with it the edge, has ended without stopping it. */
export type StopCause = (typeof SIGNALS)[number] | 'parent_ended';

/** Later signals have no effect: npm passes one on that the whole group got already, and it must not cut the stop short. */
function firstSignal(): Promise<StopCause> {
  return new Promise((resolve) => {
    for (const name of SIGNALS) {
      process.on(name, () => resolve(process.connected === false ? 'parent_ended' : name));
    }
  });
}

export const defaultDeps: CommandDeps = {
  env: process.env,
  print: (line) => process.stdout.write(`${line}\n`),
  printBytes: (bytes) => process.stdout.write(bytes),
  warn: (line) => process.stderr.write(`${line}\n`),
  isTerminal: process.stdout.isTTY === true,
  columns: () => process.stdout.columns || null,
  clock: systemClock,
  version: packageVersion(),
  readFile: readOwnFile,
  readSecret,
  prompts: process.stdin.isTTY === true && process.stdout.isTTY === true ? terminalPrompts : null,
  writeNewFile: writeNewPrivateFile,
  writeFile: replacePrivateFile,
  modeOf: permissionsOf,
  isAlive: stillRuns,
  connect: (baseUrl, token) => createEdgeClient({ baseUrl, token, now: systemClock.now }),
  stopSignal: firstSignal,
};
