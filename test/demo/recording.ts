/**
 * `npm run demo -- --recording FILE`: the first minutes in a terminal, played on a system of its own, written as a picture. The commands
 * run in pseudo terminals (`script` of util-linux, so on Linux). What is of this machine is replaced by what a person has: the home
 * folder by `~`, free ports by the usual ones, and the sign-in link by its beginning.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { USUAL_PORTS } from '../../local-agent/config/system-kind.ts';
import { REPOSITORY } from '../../local-agent/stack/layout.ts';
import type { Part } from './terminal-svg.ts';
import { terminalSvg } from './terminal-svg.ts';

const SIZE = 'stty cols 108 rows 30';
const START = 'local-agent/stack/launch.js system --port 0 --agent-port 0 --node-id laptop-main --host laptop';
const PROMPT = '\x1b[32m$\x1b[39m ';
/** A person reads that long before the next command, and a command is typed that long. */
const READ_SECONDS = 3.5;
const TYPE_SECONDS = 0.9;
const TITLE = 'The first five minutes in a terminal: start, look, run, approve, check';

class Session {
  readonly parts: Part[] = [];
  readonly #home: string;
  #system: ChildProcess | null = null;
  /** What of this machine is replaced, by what. */
  readonly #replaced: [RegExp | string, string][];

  constructor(home: string) {
    this.#home = home;
    this.#replaced = [
      [home, '~'],
      [`operator@${hostname()}`, 'operator@laptop'],
      [/(\/v1\/session\/link\/)\S+/, '$1…'],
    ];
  }

  /** Starts the system and keeps what it has printed until it is ready. */
  async start(): Promise<void> {
    const system = this.#run(START);
    this.#system = system;
    let printed = '';
    await new Promise<void>((resolve, reject) => {
      system.once('exit', () => reject(new Error(`npm start has ended: ${printed}`)));
      system.stdout?.on('data', (chunk) => {
        printed += String(chunk);
        if (/conductor -- pair/.test(printed)) resolve();
      });
    });
    const [, edge = ''] = /edge +http:\/\/127\.0\.0\.1:(\d+)/.exec(printed) ?? [];
    const [, agent = ''] = /local API +http:\/\/127\.0\.0\.1:(\d+)/.exec(printed) ?? [];
    this.#replaced.push(
      [`127.0.0.1:${edge}`, `127.0.0.1:${USUAL_PORTS.edge}`],
      [`127.0.0.1:${agent}`, `127.0.0.1:${USUAL_PORTS.agent}`],
    );
    this.#record('npm ci && npm start', printed);
  }

  /** Runs a command of `conductor` to its end; resolves with what it has printed. */
  async conductor(command: string): Promise<string> {
    // Nothing to type into: what would ask on a terminal prints the next command instead.
    const child = this.#run(`local-agent/stack/conductor.js ${command} </dev/null`);
    const printed = child.stdout === null ? '' : await text(child.stdout);
    this.#record(`conductor ${command}`, printed);
    return printed;
  }

  async stop(): Promise<void> {
    if (this.#system === null) return;
    const ended = once(this.#system, 'exit');
    this.#system.kill('SIGTERM');
    await ended;
  }

  #run(command: string): ChildProcess {
    const env = { PATH: process.env.PATH, HOME: this.#home, TERM: 'xterm-256color', NO_UPDATE_NOTIFIER: '1' };
    const line = `${SIZE}; exec ${process.execPath} ${command}`;
    return spawn('script', ['-qec', line, '/dev/null'], { cwd: REPOSITORY, env, stdio: ['ignore', 'pipe', 'inherit'] });
  }

  #record(command: string, printed: string): void {
    const own = this.#replaced.reduce(
      (kept, [what, by]) => kept.replaceAll(typeof what === 'string' ? what : new RegExp(what, 'g'), by),
      printed,
    );
    const lines = own
      .replaceAll('\r', '')
      .replace(/^\^C|\n+$/g, '')
      .split('\n');
    this.parts.push(
      { after: READ_SECONDS, lines: [`${PROMPT}${command}`] },
      { after: TYPE_SECONDS, lines: [...lines, ''] },
    );
  }
}

export async function recordTerminal(file: string): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'conductor-recording-'));
  const session = new Session(home);
  try {
    await session.start();
    await session.conductor('status');
    const asked = await session.conductor(`run 'conductor::exec::{"argv": ["uname", "-s"]}' --wait 1`);
    const [id = ''] = /ins_\w+/.exec(asked) ?? [];
    const shown = await session.conductor(`instructions approve ${id}`);
    const [, hash = ''] = /--hash (\w+)/.exec(shown) ?? [];
    if (hash !== '') await session.conductor(`instructions approve ${id} --hash ${hash}`);
    await session.conductor('instructions list');
    await session.conductor('doctor');
  } finally {
    await session.stop();
    rmSync(home, { recursive: true, force: true });
  }
  writeFileSync(file, terminalSvg(TITLE, session.parts));
}
