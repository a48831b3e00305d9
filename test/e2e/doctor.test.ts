/** `conductor doctor` on a real system: what is broken on purpose is found, and its own advice mends it. */
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultDeps } from '../../local-agent/commands/deps.ts';
import { runCli } from '../../local-agent/commands/main.ts';
import type { SystemRecord } from '../../local-agent/config/system-record.ts';
import { SystemRecordSchema } from '../../local-agent/config/system-record.ts';
import type { CheckReport, DoctorReport } from '../../local-agent/doctor/report.ts';
import { DoctorReportSchema } from '../../local-agent/doctor/report.ts';
import { newId } from '../../schema/ids.ts';
import { until } from '../support/cluster.ts';
import { RunningLine, runLine } from '../support/system.ts';

const CONDUCTOR = 'conductor() { node local-agent/cli.ts "$@"; };';

/** Fewer than a list shows at once. */
const MOST_LISTED = 150;
const DAY_MS = 86_400_000;

class System {
  readonly home: string;
  readonly root: string;
  #line: RunningLine;

  constructor(home: string, name = 'root', starts = true) {
    this.home = home;
    this.root = join(home, name);
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

  async doctor(...options: string[]): Promise<{ code: number; report: DoctorReport }> {
    const out: string[] = [];
    const env = { PATH: process.env.PATH, HOME: this.home };
    const deps = { ...defaultDeps, env, isTerminal: false, print: (line: string) => void out.push(line) };
    const code = await runCli(['doctor', '--json', '--root', this.root, ...options], deps);
    return { code, report: DoctorReportSchema.parse(JSON.parse(out.join('\n'))) };
  }

  async look(id: string): Promise<CheckReport> {
    const found = (await this.doctor()).report.checks.find((one) => one.id === id);
    if (found === undefined) throw new Error(`no check ${id}`);
    return found;
  }

  /** Runs the line that a finding advises. */
  async follow(command: string | null | undefined): Promise<void> {
    const { code, err } = await runLine(`${CONDUCTOR} ${command ?? 'false'}`, this.home);
    expect([code, err]).toEqual([0, expect.anything()]);
  }

  /** Finds something by a check, follows its advice, and looks until it is gone. */
  async mends(id: string, what: RegExp): Promise<void> {
    const { findings } = await this.look(id);
    expect(findings).toMatchObject([{ what: expect.stringMatching(what) }]);
    await this.follow(findings[0]?.command);
    await until(async () => (await this.look(id)).state === 'ok');
  }

  path(name: string): string {
    return join(this.root, name);
  }

  /** Changes the database of the edge by hand. */
  d1(change: string): void {
    const folder = this.path('edge/v3/d1');
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    const file = names.find((name) => /\/[0-9a-f]{64}\.sqlite$/.test(name)) ?? '';
    const db = new DatabaseSync(join(folder, file));
    db.exec(`PRAGMA busy_timeout = 5000; ${change}`);
    db.close();
  }
}

describe('conductor doctor', () => {
  let system: System;
  beforeAll(async () => {
    system = new System(mkdtempSync(join(tmpdir(), 'conductor-doctor-')));
    await system.ready();
  });
  afterAll(async () => {
    await system.end('SIGINT');
    rmSync(system.home, { recursive: true, force: true, maxRetries: 20 });
  });

  it('a new system has no error, and the exit code is 0', async () => {
    const { code, report } = await system.doctor();
    expect(report.checks.flatMap(({ findings }) => findings).filter(({ severity }) => severity === 'error')).toEqual(
      [],
    );
    expect(report.checks.filter(({ state }) => state === 'skipped')).toEqual([]);
    expect(code).toBe(0);
    const people = await runLine(`${CONDUCTOR} conductor doctor --root ${system.root}`, system.home);
    expect(people.out).toMatch(/^ {2}✓ fine: Deadlines: everything that runs or is claimed has a live deadline$/m);
    expect(people.out).toMatch(/! warning: Browsers: no browser is paired/);
  });

  it('a token that others can read is an error until its command has run', async () => {
    chmodSync(system.path('state/operator.token'), 0o644);
    expect(await system.doctor()).toMatchObject({ code: 1, report: { errors: 1 } });
    await system.mends('rights', /operator.token can be read/);
  });

  it('--fix mends the rights of the root', async () => {
    chmodSync(system.root, 0o755);
    const { report } = await system.doctor('--fix');
    expect(report.checks.find(({ id }) => id === 'rights')).toMatchObject({ state: 'ok', fixed: [expect.anything()] });
  });

  it('a policy and a configuration with an error are named with the place, and other checks are still made', async () => {
    writeFileSync(system.path('policy.json'), '{"tools": {"exec": "maybe"}}', { mode: 0o600 });
    writeFileSync(system.path('config.toml'), 'lease_ttl_secs = 30\n', { mode: 0o600 });
    const broken = await system.look('config');
    expect(broken.findings).toMatchObject([{ what: expect.stringMatching(/config.toml: .*lease_ttl_secs/) }]);
    rmSync(system.path('config.toml'));
    expect((await system.look('policy')).findings).toMatchObject([{ what: expect.stringContaining('tools.exec') }]);
    rmSync(system.path('policy.json'));
  });

  it('a repository of tasks that is none is mended by its command', async () => {
    mkdirSync(join(system.home, 'demo'));
    writeFileSync(system.path('config.toml'), `[repos]\ndemo = "${system.home}/demo"\n`, { mode: 0o600 });
    await system.mends('repositories', /repos.demo: .* is no Git repository/);
  });

  it('a job that runs without a deadline is found, and its command ends it', async () => {
    const id = newId('job', Date.now());
    system.d1(`INSERT INTO renewal_jobs (job_id, local_conversation_id, message_id, status, payload, payload_kind,
      attempt_count, max_attempts, created_at, updated_at) VALUES ('${id}', 'lc', 'm', 'running', 'x', 'text', 1, 3, 1, 1)`);
    await system.mends('deadlines', new RegExp(`renewal job ${id} \\(running\\) has no deadline`));
  });

  it('a paused system is a note, and its command resumes it', async () => {
    await system.follow(`conductor pause --root ${system.root}`);
    await system.mends('leader', /the system is paused/);
  });

  it('a database that was restored to an earlier point is found, and its command raises its fence', async () => {
    system.d1('UPDATE fence SET term = 0, mode_version = 0');
    await system.mends('objects', /the database is behind its objects/);
  });

  it('a database without the newest migration is found, and the migration is named', async () => {
    system.d1("UPDATE d1_migrations SET name = '9999_later.sql' WHERE name = '0017_grants.sql'");
    expect((await system.look('migrations')).findings).toMatchObject([
      { what: expect.stringContaining('0017_grants.sql') },
    ]);
    system.d1("UPDATE d1_migrations SET name = '0017_grants.sql' WHERE name = '9999_later.sql'");
  });

  it('diagnostics writes one private file, in which no planted secret and no text of a chat is', async () => {
    const token = readFileSync(system.path('state/operator.token'), 'utf8').trim();
    const planted = [
      'planted-in-the-environment',
      'planted-in-a-header',
      'what-was-said-in-a-chat',
      'planted-in-a-file',
    ];
    writeFileSync(join(system.home, 'keys'), `MY_KEY=${planted[3]}\n`, { mode: 0o600 });
    writeFileSync(system.path('config.toml'), `[agents.echo]\ncommand = "echo"\nenv_file = "${system.home}/keys"\n`);
    const lines = [
      { level: 30, msg: `authorization: Bearer ${planted[1]}`, text: planted[2] },
      { level: 30, msg: `${planted[0]} ${planted[3]} ${token} in ${system.home}` },
    ];
    writeFileSync(system.path('logs/agent.planted.log'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    const file = join(system.home, 'report.json');
    const line = `${CONDUCTOR} conductor diagnostics --root ${system.root} --output ${file}`;
    const { code, out } = await runLine(line, system.home, { MY_SECRET: planted[0] ?? '' });
    expect([code, out]).toEqual([0, expect.stringContaining(`${file} is written, readable by you only`)]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const text = readFileSync(file, 'utf8');
    expect(text).toMatch(/authorization: \[hidden\]/);
    expect(text).toMatch(/\[hidden\] \[hidden\] \[hidden\] in ~/);
    const bootstrap = readFileSync(system.path('edge/bootstrap.token'), 'utf8').trim();
    for (const secret of [...planted, token, bootstrap, system.home]) expect(text).not.toContain(secret);
    expect(JSON.parse(text)).toMatchObject({
      doctor: { errors: 0 },
      edge: { nodes: [{}] },
      agent: { lease: { is_leader: true } },
    });
  });

  it('an agent that was stopped by a signal hangs, and its command brings it back', async () => {
    const { note } = await system.look('agent');
    const pid = Number(/process (\d+)/.exec(note ?? '')?.[1]);
    process.kill(pid, 'SIGSTOP');
    await system.mends('agent', new RegExp(`process ${pid}\\) takes connections .* but does not respond`));
    expect((await system.look('agent')).note).not.toContain(`process ${pid}`);
  });

  it('a token that expires soon gets a new end by its command, and the old secret is gone', async () => {
    const before = readFileSync(system.path('state/operator.token'), 'utf8');
    const now = Date.now();
    system.d1(`UPDATE tokens SET created_at = ${now - 30 * DAY_MS}, expires_at = ${now + 3 * DAY_MS}
      WHERE role = 'ops_admin' AND subject LIKE 'operator@%'`);
    await system.mends('operator-token', /expires in \d days/);
    expect(readFileSync(system.path('state/operator.token'), 'utf8')).not.toBe(before);
  });

  it('a system that was killed is named as such, and its line mends it at its ports, and both refused tokens', async () => {
    const before = system.record();
    await system.end('SIGKILL');
    for (const name of ['operator', 'shared'])
      writeFileSync(system.path(`state/${name}.token`), 'baa_of-another-system');
    const { findings } = await system.look('system');
    expect(findings).toMatchObject([{ what: expect.stringContaining('ended without a stop') }]);
    await system.startBy(findings[0]?.command);
    const { edge_url, agent_url } = system.record();
    expect([edge_url, agent_url]).toEqual([before.edge_url, before.agent_url]);
    const { report } = await system.doctor();
    expect(report.errors).toBe(0);
  });

  it('ports that other programs have taken are one finding, whose line starts the system at others', async () => {
    await system.end('SIGINT');
    const { edge_url, agent_url } = system.record();
    const ports = [edge_url, agent_url ?? ''].map((url) => Number(new URL(url).port));
    const others = await Promise.all(
      ports.map(async (port) => {
        const server = createServer().listen(port, '127.0.0.1');
        await once(server, 'listening');
        return server;
      }),
    );
    const { findings } = await system.look('ports');
    expect(findings).toHaveLength(1);
    await system.startBy(findings[0]?.command);
    for (const server of others) server.close();
    const { report } = await system.doctor();
    expect(report.errors).toBe(0);
  });

  it('a backup under load starts as a new root with all that was acknowledged before it, and an intact record', async () => {
    const { edge_url } = SystemRecordSchema.parse(JSON.parse(readFileSync(system.path('state/system.json'), 'utf8')));
    const headers = {
      authorization: `Bearer ${readFileSync(system.path('state/operator.token'), 'utf8').trim()}`,
      'content-type': 'application/json',
    };
    const acknowledged: string[] = [];
    let isOver = false;
    const load = (async () => {
      for (let n = 1; !isOver && n <= MOST_LISTED; n += 1) {
        const body = JSON.stringify({ role: 'readonly', subject: `load-${n}` });
        const response = await fetch(`${edge_url}/v1/tokens`, { method: 'POST', headers, body });
        if (response.ok) acknowledged.push(`load-${n}`);
      }
    })();
    await until(async () => acknowledged.length > 5);
    const before = [...acknowledged];
    await system.follow(`conductor backup ${system.home}/backup.zip --root ${system.root}`);
    isOver = true;
    await load;
    await system.end('SIGINT');

    const restored = new System(system.home, 'restored', false);
    await restored.follow(`conductor restore ${system.home}/backup.zip --root ${restored.root}`);
    await restored.restart();
    try {
      expect(existsSync(restored.path('edge/restored'))).toBe(false);
      const edge = SystemRecordSchema.parse(
        JSON.parse(readFileSync(restored.path('state/system.json'), 'utf8')),
      ).edge_url;
      const list = await (await fetch(`${edge}/v1/tokens?limit=200`, { headers })).text();
      for (const subject of before) expect(list).toContain(`"${subject}"`);
      const verified = await runLine(
        `${CONDUCTOR} conductor journal verify --json --root ${restored.root}`,
        system.home,
      );
      expect(JSON.parse(verified.out)).toMatchObject({ people: { ok: true } });
      expect((await restored.doctor()).report.errors).toBe(0);
    } finally {
      await restored.end('SIGINT');
    }
  });
});
