/**
 * One running Firefox. It leads a process group of its own, so a Ctrl-C reaches only the command, which closes Firefox in
 * order; what does not end in time is killed, and nothing outside its group.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { readOwnFile } from '../host/own-files.ts';
import { signalGroup } from '../lib/kill-group.ts';
import { Bidi } from './bidi.ts';

/** Together under the 15 seconds in which a service manager expects the end. */
const CLOSE_MS = { bidi: 5_000, term: 6_000, kill: 2_000 } as const;
const BIDI_START_MS = 60_000;
const LOOK_MS = 50;
const LOG_LINES = 8;
const SIGNAL_EXIT = 128;
const SIGNALS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGTERM: 15,
};
const BIDI_FILE = 'WebDriverBiDiServer.json';
const BidiFileSchema = z.object({ ws_host: z.string(), ws_port: z.number().int() });

export interface FirefoxOptions {
  program: string;
  profile: string;
  headless: boolean;
  /** Opens WebDriver BiDi on loopback. */
  bidi: boolean;
  url: string | null;
  env: Readonly<Record<string, string | undefined>>;
}

export class FirefoxProcess {
  /** Resolves with the exit code; for an end by a signal with 128 and its number, as shells do. */
  readonly ended: Promise<number>;
  readonly pid: number;
  readonly #profile: string;
  #isRunning = true;
  #bidiUrl: string | null = null;

  private constructor(child: ChildProcess, pid: number, profile: string) {
    this.pid = pid;
    this.#profile = profile;
    this.ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#isRunning = false;
        resolve(code ?? SIGNAL_EXIT + (SIGNALS[signal ?? ''] ?? 0));
      });
    });
  }

  /** @throws Error when the program cannot be started */
  static async start({ program, profile, headless, bidi, url, env }: FirefoxOptions): Promise<FirefoxProcess> {
    rmSync(join(profile, BIDI_FILE), { force: true });
    const args = [
      '--no-remote',
      '--profile',
      profile,
      ...(headless ? ['--headless'] : []),
      ...(bidi ? ['--remote-debugging-port=0'] : []),
      ...(url === null ? [] : [url]),
    ];
    // A file and no pipe: Firefox writes on when this process has ended.
    const log = openSync(logPath(profile), 'w', 0o600);
    const child = spawn(program, args, { env, detached: true, stdio: ['ignore', log, log] });
    closeSync(log);
    const pid = await new Promise<number>((resolve, reject) => {
      child.once('spawn', () => resolve(child.pid ?? 0));
      child.once('error', (error) => reject(new Error(`${program} cannot be started: ${error.message}`)));
    });
    return new FirefoxProcess(child, pid, profile);
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** The address of WebDriver BiDi, once it listens. @throws Error when it does not */
  async bidiUrl(): Promise<string> {
    const deadline = performance.now() + BIDI_START_MS;
    while (this.#bidiUrl === null) {
      const file = readOwnFile(join(this.#profile, BIDI_FILE));
      const found = file === null ? null : parseBidiFile(file);
      if (found !== null) this.#bidiUrl = `ws://${found.ws_host}:${found.ws_port}`;
      else if (!this.#isRunning)
        throw new Error(`Firefox has ended before WebDriver BiDi was open: ${this.lastOutput()}`);
      else if (performance.now() > deadline) throw new Error('Firefox did not open WebDriver BiDi within a minute');
      else await wait(LOOK_MS);
    }
    return this.#bidiUrl;
  }

  /** The last lines that Firefox has written. */
  lastOutput(): string {
    const lines = readFileSync(logPath(this.#profile), 'utf8').trim().split('\n');
    return `${lines.slice(-LOG_LINES).join('\n')} (${logPath(this.#profile)})`;
  }

  /** Closes Firefox: over BiDi when it is open and free, else by SIGTERM; after the deadlines its group is killed. */
  async close(): Promise<void> {
    if (this.#bidiUrl !== null && this.#isRunning) {
      await within(
        CLOSE_MS.bidi,
        closeOverBidi(this.#bidiUrl).then(() => this.ended),
      );
    }
    if (this.#isRunning) {
      signalGroup(this.pid, 'SIGTERM');
      await within(CLOSE_MS.term, this.ended);
    }
    // Also when Firefox has ended: its content processes are in the group.
    signalGroup(this.pid, 'SIGKILL');
    await within(CLOSE_MS.kill, this.ended);
  }
}

/** Waits until `work` is done or has failed, or the time is over. */
async function within(limitMs: number, work: Promise<unknown>): Promise<void> {
  const done = new AbortController();
  const timer = wait(limitMs, undefined, { signal: done.signal }).catch(() => undefined);
  await Promise.race([work.catch(() => undefined), timer]);
  done.abort();
}

async function closeOverBidi(url: string): Promise<void> {
  const bidi = await Bidi.open(url);
  await bidi.closeBrowser();
}

function logPath(profile: string): string {
  return join(profile, 'conductor-firefox.log');
}

function parseBidiFile(text: string): z.infer<typeof BidiFileSchema> | null {
  try {
    return BidiFileSchema.parse(JSON.parse(text));
  } catch {
    // It is being written.
    return null;
  }
}
