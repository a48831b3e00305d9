/** A whole system for `conductor doctor`: a test breaks something in it, and follows what doctor says as a person would. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'vitest';
import { defaultDeps } from '../../local-agent/commands/deps.ts';
import { examine } from '../../local-agent/commands/doctor.ts';
import type { SystemRecord } from '../../local-agent/config/system-record.ts';
import { SystemRecordSchema } from '../../local-agent/config/system-record.ts';
import type { FindingCode } from '../../local-agent/doctor/finding-codes.ts';
import type { Machine } from '../../local-agent/doctor/machine.ts';
import type { DoctorReport, FindingReport } from '../../local-agent/doctor/report.ts';
import { DoctorReportSchema } from '../../local-agent/doctor/report.ts';
import type { EdgeClient, EdgeRequest } from '../../local-agent/edge/http-client.ts';
import type { Ended } from './system.ts';
import { RunningLine, runLine } from './system.ts';

export const CONDUCTOR = 'conductor() { node "$PWD/local-agent/stack/conductor.js" "$@"; };';
/** Git wants a name for a commit, which every person has who uses it. */
const AUTHOR = {
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@b.example',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@b.example',
};

/** Of what the system has printed, in an error. */
const MAX_LINES = 20;

export class DoctorSystem {
  readonly home: string;
  readonly root: string;
  /** The first folder of PATH, for programs that a test puts in the place of others. */
  readonly bin: string;
  /** Variables of the person who runs doctor. */
  env: Record<string, string> = {};
  /** What this machine cannot be made to say, and says in the eyes of doctor. */
  machine: Partial<Machine> = {};
  /** What the edge cannot be made to say of its health. */
  health: object = {};
  #line: RunningLine;

  constructor(home: string, name = 'root', starts = true) {
    this.home = home;
    this.root = join(home, name);
    this.bin = join(home, 'bin');
    mkdirSync(this.bin, { recursive: true });
    this.#line = starts ? this.#start() : new RunningLine('true', home);
  }

  #start(): RunningLine {
    return new RunningLine(
      `node local-agent/stack/main.ts --root ${this.root} --port 0 --agent-port 0 --json`,
      this.home,
    );
  }

  async ready(): Promise<void> {
    await this.#line.prints(/^\{.*"ready".*\}$/m);
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    await this.#line.end(signal);
  }

  async restart(): Promise<void> {
    this.#line = this.#start();
    await this.ready();
  }

  /** Starts the system by the line that a finding advises, exactly as it is printed. */
  async startBy(command: string | null | undefined): Promise<void> {
    this.#line = new RunningLine(command ?? 'false', this.home);
    await this.#line.prints(/The conductor is running/);
  }

  record(): SystemRecord {
    return SystemRecordSchema.parse(JSON.parse(readFileSync(this.path('state/system.json'), 'utf8')));
  }

  path(name: string): string {
    return join(this.root, name);
  }

  write(name: string, text: string): void {
    writeFileSync(this.path(name), text, { mode: 0o600 });
  }

  /** A program that is found before others of that name. */
  program(name: string, body: string): void {
    writeFileSync(join(this.bin, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  }

  /** Lets this machine say something else to doctor. */
  say(machine: Partial<Machine>): void {
    this.machine = machine;
  }

  /** Takes everything back by which a test has altered what doctor sees. */
  reset(): void {
    this.env = {};
    this.machine = {};
    this.health = {};
    for (const name of readdirSync(this.bin)) rmSync(join(this.bin, name), { recursive: true });
  }

  get #path(): string {
    return `${this.bin}:${process.env.PATH}`;
  }

  #connect = (baseUrl: string, token: string): EdgeClient => {
    const client = defaultDeps.connect(baseUrl, token);
    const call = async <T>(request: EdgeRequest<T>): Promise<T> => {
      const said = await client.call(request);
      return request.path === '/v1/system/health' ? request.schema.parse({ ...said, ...this.health }) : said;
    };
    return { call, close: () => client.close() };
  };

  async doctor({ fix = false, root = this.root } = {}): Promise<DoctorReport> {
    const env = { PATH: this.#path, HOME: this.home, ...this.env };
    const deps = { ...defaultDeps, env, isTerminal: false, connect: this.#connect };
    return DoctorReportSchema.parse(await examine({ root }, deps, { fix, machine: this.machine }));
  }

  /** The findings of these codes, in their order; undefined for one that is not there. */
  async findings(codes: readonly FindingCode[], root = this.root): Promise<(FindingReport | undefined)[]> {
    const all = (await this.doctor({ root })).checks.flatMap(({ findings }) => findings);
    return codes.map((code) => all.find((one) => one.code === code));
  }

  /** The findings of these codes, which all have to be there. */
  async see(codes: readonly FindingCode[], root = this.root): Promise<FindingReport[]> {
    const { checks } = await this.doctor({ root });
    const all = checks.flatMap(({ findings }) => findings);
    return codes.map((code) => {
      const found = all.find((one) => one.code === code);
      if (found !== undefined) return found;
      const others = checks.filter(({ state }) => state !== 'ok').map(({ id, note, findings }) => [id, note, findings]);
      const said = this.#line.out.slice(-MAX_LINES).join('\n');
      throw new Error(`doctor does not find ${code}, but ${JSON.stringify(others)}; the system has printed:\n${said}`);
    });
  }

  /** Runs a line as a person does who copies it into a shell. */
  async run(line: string, ends?: number): Promise<Ended> {
    const env = { PATH: this.#path, ...AUTHOR, ...this.env };
    const ended = await runLine(`${CONDUCTOR} ${line}`, this.home, env);
    expect([ended.code, line, ended.err]).toEqual([ends ?? 0, line, expect.anything()]);
    return ended;
  }

  /** Runs the line that a finding advises. */
  async follow(command: string | null | undefined): Promise<void> {
    await this.run(command ?? 'false');
  }

  /** Changes the database of the edge by hand. */
  d1(change: string): void {
    const folder = this.path('edge/v3/d1');
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    const file = names.find((name) => /\/[0-9a-f]{64}\.sqlite$/.test(name)) ?? '';
    this.#sql(join(folder, file), change);
  }

  /** Changes the database of the agent by hand. */
  agentDatabase(change: string): void {
    this.#sql(this.path('state/agent.sqlite'), change);
  }

  #sql(path: string, change: string): void {
    const db = new DatabaseSync(path);
    db.exec(`PRAGMA busy_timeout = 5000; ${change}`);
    db.close();
  }
}
