/** A system as a person runs it: shell lines in the program's folder, with a home folder and nothing else in the environment. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { REPOSITORY } from '../../local-agent/stack/layout.ts';
import { until } from './cluster.ts';

export interface Ended {
  code: number | null;
  out: string;
  err: string;
}

/** A shell line that runs. */
export class RunningLine {
  readonly child: ChildProcess;
  readonly out: string[] = [];
  readonly err: string[] = [];
  readonly ended: Promise<Ended>;

  constructor(line: string, home: string, env: Record<string, string> = {}) {
    // Its own process group, so that a signal reaches every process of the line, as Ctrl-C does.
    this.child = spawn('sh', ['-c', line], {
      cwd: REPOSITORY,
      env: { PATH: process.env.PATH, HOME: home, NO_UPDATE_NOTIFIER: '1', ...env },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { stdout, stderr } = this.child;
    if (stdout) createInterface({ input: stdout }).on('line', (text) => this.out.push(text));
    if (stderr) createInterface({ input: stderr }).on('line', (text) => this.err.push(text));
    this.ended = once(this.child, 'close').then(([code]: (number | null)[]) => ({
      code: code ?? null,
      out: this.out.join('\n'),
      err: this.err.join('\n'),
    }));
  }

  /** Waits until a line of standard output matches; resolves with its first group, or else the whole match. */
  async prints(pattern: RegExp): Promise<string> {
    return until(async () => {
      const found = pattern.exec(this.out.join('\n'));
      if (found) return found[1] ?? found[0];
      if (this.child.exitCode === null) return null;
      throw new Error(`the line has ended without ${pattern}: ${this.out.join('\n')} ${this.err.join('\n')}`);
    });
  }

  async end(signal: NodeJS.Signals): Promise<Ended> {
    const { pid, exitCode, signalCode } = this.child;
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, signal);
    return this.ended;
  }
}

/** Runs a shell line to its end. */
export function runLine(line: string, home: string, env: Record<string, string> = {}): Promise<Ended> {
  return new RunningLine(line, home, env).ended;
}
