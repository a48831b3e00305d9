/**
 * One supervised child process. When it dies, the death is printed and the child is restarted, after a delay that grows
 * with repeated deaths. The child leads its own process group: a Ctrl-C then reaches only the supervisor, which stops the
 * children in order, and processes that a dead child leaves behind can be killed with it.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Backoff } from '../../schema/domain/retry.ts';
import { retryDelayMs } from '../../schema/domain/retry.ts';
import { signalGroup } from '../lib/kill-group.ts';

export interface ChildSpec {
  name: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** Receives each line that the child prints; by default the line is passed to `say`, prefixed with the child's name. */
  output?: (line: string) => void;
}

export interface SupervisedEvents {
  /** A new process of the child runs. */
  started: [pid: number];
  died: [reason: string];
  message: [message: unknown];
}

/**
 * Environment for the C library of Linux: one pool of memory for all threads, and what is freed goes back to the system, also
 * in the pieces of this size that a start needs in numbers. It saves 20 MB for an agent and 25 MB for the edge.
 */
export const SMALL_HEAP = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '65536',
  MALLOC_TRIM_THRESHOLD_: '65536',
};

const RESTART: Backoff = { base_ms: 250, max_ms: 10_000, jitter: 0 };
/** Alive for this long counts as healthy: the next death starts from the shortest delay again. */
const HEALTHY_AFTER_MS = 30_000;

export class Supervised extends EventEmitter<SupervisedEvents> {
  readonly #spec: ChildSpec;
  readonly #say: (line: string) => void;
  #child: ChildProcess | null = null;
  #startedAt = 0;
  /** Early deaths in a row. */
  #deaths = 0;
  #restart: NodeJS.Timeout | null = null;
  #stopping = false;

  constructor(spec: ChildSpec, say: (line: string) => void) {
    super();
    this.#spec = spec;
    this.#say = say;
  }

  get name(): string {
    return this.#spec.name;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  start(): void {
    const { name, args, env, cwd, output = (line: string) => this.#say(`${name} | ${line}`) } = this.#spec;
    const child = spawn(process.execPath, args, {
      cwd,
      env: { ...process.env, ...env },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child = child;
    this.#startedAt = Date.now();
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', output);
    }
    child.on('message', (message) => this.emit('message', message));
    child.on('error', (error) => this.#say(`${name} could not be started: ${error.message}`));
    child.once('exit', (code, signal) => this.#onExit(child, signal ?? `exit code ${code}`));
    if (child.pid !== undefined) this.emit('started', child.pid);
  }

  send(message: object): void {
    // A child that is ending has closed the channel; its death is handled by its exit.
    this.#child?.send(message, () => undefined);
  }

  /** Ends the process group at once; the supervisor then restarts it. */
  kill(): void {
    if (this.#child?.pid !== undefined) signalGroup(this.#child.pid, 'SIGKILL');
  }

  /** Sends SIGTERM, and SIGKILL to the process group after `graceMs`; the supervisor then restarts the child. */
  terminate(graceMs: number): void {
    const child = this.#child;
    if (child === null) return;
    child.kill('SIGTERM');
    const timer = setTimeout(() => this.kill(), graceMs);
    child.once('exit', () => clearTimeout(timer));
  }

  /** Sends SIGTERM and waits for the child to exit; after `timeoutMs` its group is killed. */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopping = true;
    if (this.#restart) clearTimeout(this.#restart);
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => this.kill(), timeoutMs);
    await exited;
    clearTimeout(timer);
  }

  #onExit(child: ChildProcess, reason: string): void {
    if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
    this.#child = null;
    if (this.#stopping) return;
    this.#deaths = Date.now() - this.#startedAt > HEALTHY_AFTER_MS ? 1 : this.#deaths + 1;
    this.emit('died', reason);
    // A listener may have stopped the child for good.
    if (this.#stopping) return;
    const delayMs = retryDelayMs(this.#deaths, RESTART, 0);
    this.#say(`${this.#spec.name} died (${reason}); starting it again in ${delayMs} ms`);
    this.#restart = setTimeout(() => this.start(), delayMs);
  }
}
