/**
 * `conductor doctor` on a real system: each finding is produced, found, and gone after a person has done what doctor says. The
 * lines are those that doctor prints, run by a shell.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SystemRecordSchema } from '../../local-agent/config/system-record.ts';
import type { FindingCode } from '../../local-agent/doctor/finding-codes.ts';
import { FINDING_CODES } from '../../local-agent/doctor/finding-codes.ts';
import { until } from '../support/cluster.ts';
import type { Fault } from '../support/doctor-faults.ts';
import { FAULTS } from '../support/doctor-faults.ts';
import { ROUNDS, WITH_FIREFOX } from '../support/doctor-rounds.ts';
import { CONDUCTOR, DoctorSystem } from '../support/doctor-system.ts';
import { runLine } from '../support/system.ts';

/** Fewer than a list shows at once. */
const MOST_LISTED = 150;
/** Processes are found as Linux shows them, and services are those of systemd. */
const IS_LINUX = process.platform === 'linux';
const ALONE = Object.entries(FAULTS) as [FindingCode, Fault][];

it('every finding that doctor can have is produced and mended by a test', () => {
  const produced = [...ALONE.map(([code]) => code), ...ROUNDS.flatMap(({ codes }) => codes), ...WITH_FIREFOX];
  expect(produced.toSorted()).toEqual([...FINDING_CODES].toSorted());
});

describe('conductor doctor', () => {
  let system: DoctorSystem;
  beforeAll(async () => {
    system = new DoctorSystem(mkdtempSync(join(tmpdir(), 'conductor-doctor-')));
    await system.ready();
  });
  afterEach(() => {
    system.reset();
    for (const name of ['config.toml', 'policy.json', 'tmp.moved']) rmSync(system.path(name), { force: true });
    for (const name of ['done', '.config', 'further', 'unit-state'])
      rmSync(join(system.home, name), { recursive: true, force: true });
  });
  afterAll(async () => {
    await system.end('SIGINT');
    rmSync(system.home, { recursive: true, force: true, maxRetries: 20 });
  });

  it('a new system has no error, and the exit code is 0', async () => {
    const report = await system.doctor();
    expect(report.checks.flatMap(({ findings }) => findings).filter(({ severity }) => severity === 'error')).toEqual(
      [],
    );
    expect(report.checks.filter(({ state }) => state === 'skipped')).toEqual([]);
    const people = await runLine(`${CONDUCTOR} conductor doctor --root ${system.root}`, system.home);
    expect(people.code).toBe(0);
    expect(people.out).toMatch(/^ {2}✓ fine: Deadlines: everything that runs or is claimed has a live deadline$/m);
    expect(people.out).toMatch(/! warning: Browsers: no browser is paired/);
  });

  it.runIf(IS_LINUX).each(ALONE)('%s: its advice mends it', async (code, { produce, person, root }) => {
    await produce(system);
    const [found] = await system.see([code], root?.(system));
    if (found === undefined) throw new Error(code);
    // A line that only shows something may fail, such as curl where nothing responds.
    if (found.command !== null) await system.run(found.command, code === 'edge_unreachable' ? 7 : 0);
    else expect(person).toBeDefined();
    await person?.(system, found);
    await until(async () => (await system.findings([code], root?.(system)))[0] === undefined);
  });

  it.runIf(IS_LINUX).each(ROUNDS.map(({ codes, run }) => [codes.join(', '), codes, run] as const))(
    '%s: its advice mends it',
    async (_names, codes, run) => {
      await run(system);
      await until(async () => (await system.findings(codes)).every((found) => found === undefined));
      await until(async () => {
        const { errors, skipped } = await system.doctor();
        return errors === 0 && skipped === 0;
      });
    },
  );

  it.each(['secret_readable', 'rules_writable', 'folder_open'] as const)(
    '%s: --fix does the same as its line',
    async (code) => {
      const modes = () =>
        ['.', 'state/operator.token', 'policy.json'].map((name) =>
          existsSync(system.path(name)) ? statSync(system.path(name)).mode & 0o777 : null,
        );
      const { produce }: Fault = FAULTS[code];
      await produce(system);
      const [found] = await system.findings([code]);
      expect(found?.fixable).toBe(true);
      await system.follow(found?.command);
      const byHand = modes();
      await produce(system);
      expect(modes()).not.toEqual(byHand);
      await system.doctor({ fix: true });
      expect(modes()).toEqual(byHand);
    },
  );
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

    const restored = new DoctorSystem(system.home, 'restored', false);
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
      expect((await restored.doctor()).errors).toBe(0);
    } finally {
      await restored.end('SIGINT');
    }
  });
});
