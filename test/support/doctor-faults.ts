/**
 * Every finding of `doctor` that is mended while the system runs: how a test produces it, and what a person does beside running
 * the line that doctor prints. Those that a start mends are in doctor-rounds.ts.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import type { FindingCode } from '../../local-agent/doctor/finding-codes.ts';
import { systemMachine } from '../../local-agent/doctor/machine.ts';
import type { FindingReport } from '../../local-agent/doctor/report.ts';
import { readBuild } from '../../local-agent/firefox/build-kind.ts';
import { findProgram } from '../../local-agent/host/find-program.ts';
import { API_LEVEL } from '../../schema/contracts/common.ts';
import { newId } from '../../schema/ids.ts';
import { until } from './cluster.ts';
import type { DoctorSystem } from './doctor-system.ts';

export interface Fault {
  produce: (s: DoctorSystem) => void | Promise<void>;
  /** What the advice asks of a person, after its line has run. */
  person?: (s: DoctorSystem, finding: FindingReport) => void | Promise<void>;
  /** Why a part of it is only said to doctor, and not done. */
  simulated?: string;
  /** The root that doctor looks at, when it is another. */
  root?: (s: DoctorSystem) => string;
}

const real = systemMachine(process.env, async () => null);
const DAY_MS = 86_400_000;
const MIB = 1024 * 1024;
const flag = (s: DoctorSystem): string => join(s.home, 'done');
const isDone = (s: DoctorSystem): boolean => existsSync(flag(s));
/** A program in the place of another, which notes that it ran. */
const noted = (s: DoctorSystem, name: string, body = ''): void => s.program(name, `${body}touch '${flag(s)}'`);
/** The update of this program: the checkout of a test must stay as it is. */
const fakeUpdate = (s: DoctorSystem): void => {
  s.program('git', 'test "$*" = pull');
  noted(s, 'npm', 'test "$*" = ci || exit 1\n');
};
const configured = (s: DoctorSystem, text: string): void => s.write('config.toml', text);
/** The file that a text names first. */
const fileIn = (text: string, name: string): string => new RegExp(`\\S*${name}`).exec(text)?.[0] ?? '';

/** The root of a further host, whose edge has that address. */
async function furtherHost(s: DoctorSystem, address: string): Promise<void> {
  const root = join(s.home, 'further');
  mkdirSync(join(root, 'state'), { recursive: true, mode: 0o700 });
  chmodSync(root, 0o700);
  writeFileSync(join(root, 'config.toml'), `control_api_base = "${address}"\n`, { mode: 0o600 });
  const token = readFileSync(s.path('state/shared.token'));
  writeFileSync(join(root, 'state/shared.token'), token, { mode: 0o600 });
}
const further = (s: DoctorSystem): string => join(s.home, 'further');
/** A person corrects the address in the place that the advice names. */
async function correctAddress(s: DoctorSystem, { advice }: FindingReport): Promise<void> {
  if (!advice.includes('control_api_base in config.toml')) throw new Error(`it names no place: ${advice}`);
  await furtherHost(s, s.record().edge_url);
}

/** systemctl, which has no user manager to talk to here: it keeps one word, the state of the unit. */
const SYSTEMCTL = `case "$2" in
  show) case "$(cat "$STATE" 2>/dev/null)" in
    fails) printf 'LoadState=loaded\\nActiveState=activating\\nSubState=auto-restart\\nMainPID=0\\nUnitFileState=enabled\\n' ;;
    active) printf 'LoadState=loaded\\nActiveState=active\\nSubState=running\\nMainPID=4242\\nUnitFileState=enabled\\n' ;;
    *) printf 'LoadState=loaded\\nActiveState=inactive\\nSubState=dead\\nMainPID=0\\nUnitFileState=enabled\\n' ;;
    esac ;;
  start | restart) echo active > "$STATE" ;;
esac`;
const stateOf = (s: DoctorSystem): string => join(s.home, 'unit-state');
const unitOf = (s: DoctorSystem): string => join(s.home, '.config/systemd/user/baa-conductor.service');
/** The unit as `service install` has written it once. */
let unitText: string | null = null;
async function installService(s: DoctorSystem): Promise<void> {
  s.env.XDG_CONFIG_HOME = join(s.home, '.config');
  s.program('systemctl', `STATE='${stateOf(s)}'\n${SYSTEMCTL}`);
  s.program('loginctl', 'echo yes');
  s.program('journalctl', 'echo "the reason is that the disk was full"');
  if (unitText === null) {
    await s.run(`conductor service install --role primary --root ${s.root}`);
    unitText = readFileSync(unitOf(s), 'utf8');
  }
  mkdirSync(dirname(unitOf(s)), { recursive: true });
  writeFileSync(unitOf(s), unitText);
  writeFileSync(stateOf(s), 'active');
}
function alterUnit(s: DoctorSystem, from: RegExp, to: string): void {
  writeFileSync(unitOf(s), readFileSync(unitOf(s), 'utf8').replace(from, to));
}
const BY_HAND = 'the user manager of systemd does not run in a test; programs in its place keep its state';
const NEWER = 'a newer version of this program is only said to be there after its update';

export const FAULTS = {
  node_too_old: {
    simulated: 'a test runs with one Node',
    produce: (s) => {
      noted(s, 'npm', 'test "$*" = ci || exit 1\n');
      s.machine = Object.defineProperty({}, 'nodeVersion', {
        enumerable: true,
        get: () => (isDone(s) ? real.nodeVersion : '20.19.0'),
      });
    },
  },
  git_missing: {
    produce: (s) => {
      s.env.PATH = s.bin;
    },
    person: (s) => symlinkSync(findProgram('git', process.env.PATH ?? '') ?? '', join(s.bin, 'git')),
  },
  git_too_old: {
    produce: (s) => s.program('git', 'echo git version 2.20.1'),
    person: (s) => rmSync(join(s.bin, 'git')),
  },
  config_invalid: {
    produce: (s) => configured(s, 'lease_ttl_secs = 30\n'),
    person: (_s, { what }) => rmSync(fileIn(what, 'config.toml')),
  },
  lease_renewed_late: {
    produce: (s) => configured(s, 'lease_renew_interval_ms = 60000\n'),
    person: (_s, { advice }) => {
      const least = Number(/less than (\d+)/.exec(advice)?.[1]);
      writeFileSync(fileIn(advice, '/config.toml'), `lease_renew_interval_ms = ${least - 1}\n`);
    },
  },
  folder_not_writable: {
    simulated: 'the superuser may write everywhere, so the bits of the folder are judged in the place of the system',
    produce: (s) => {
      chmodSync(s.path('tmp'), 0o500);
      s.machine = { canWriteIn: (path) => ((real.modeOf(path) ?? 0) & 0o300) === 0o300 };
    },
  },
  folder_of_other_user: {
    simulated: 'a plain user can give no folder away',
    produce: (s) => {
      noted(s, 'sudo', '"$@" && ');
      s.machine = { isOwn: () => isDone(s), canWriteIn: (path) => isDone(s) || path !== s.path('tmp') };
    },
  },
  folder_read_only: {
    simulated: 'a plain user can mount nothing',
    produce: (s) => s.say({ canWriteIn: (path) => path !== s.path('tmp') }),
    person: (s) => s.say({}),
  },
  folder_is_none: {
    produce: (s) => {
      rmSync(s.path('tmp'), { recursive: true });
      s.write('tmp', '');
    },
    person: (s) => mkdirSync(s.path('tmp'), { mode: 0o700 }),
  },
  secret_readable: { produce: (s) => chmodSync(s.path('state/operator.token'), 0o644) },
  rules_writable: {
    produce: (s) => {
      s.write('policy.json', '{}');
      chmodSync(s.path('policy.json'), 0o666);
    },
  },
  folder_open: { produce: (s) => chmodSync(s.root, 0o755) },
  disk_low: {
    simulated: 'a test fills no disk',
    produce: (s) => s.say({ freeBytes: () => 900 * MIB }),
    person: (s) => s.say({}),
  },
  policy_invalid: {
    produce: (s) => s.write('policy.json', '{"tools": {"exec": "maybe"}}'),
    person: (_s, { what }) => writeFileSync(fileIn(what, 'policy.json'), '{"tools": {"exec": "ask"}}'),
  },
  policy_root_wide: {
    produce: (s) => s.write('policy.json', JSON.stringify({ roots: [s.home] })),
    person: (s, { advice }) => {
      const workspace = JSON.stringify({ roots: [s.path('workspace')] });
      writeFileSync(fileIn(advice, 'policy.json'), workspace);
    },
  },
  request_refused: {
    produce: (s) => {
      const refusal = JSON.stringify({ status: 400, code: 'invalid_request', message: 'no field y' });
      s.agentDatabase(`INSERT INTO outbox (stream, seq, kind, method, path, body, context, status, stored_at, age_ms, refusal)
        VALUES ('planted', 1, 'progress', 'POST', '/v1/x', '{}', '{}', 'refused', 1, 0, '${refusal}')`);
    },
  },
  service_broken: {
    simulated: BY_HAND,
    produce: async (s) => {
      await installService(s);
      alterUnit(s, /ExecStart="[^"]+"/, 'ExecStart="/gone/node"');
    },
  },
  service_outdated: {
    simulated: BY_HAND,
    produce: async (s) => {
      await installService(s);
      alterUnit(s, /RestartSec=10/, 'RestartSec=5');
    },
  },
  service_fails: {
    simulated: BY_HAND,
    produce: async (s) => {
      await installService(s);
      writeFileSync(stateOf(s), 'fails');
    },
    person: (s) => writeFileSync(stateOf(s), 'active'),
  },
  service_stopped: {
    simulated: BY_HAND,
    produce: async (s) => {
      await installService(s);
      rmSync(stateOf(s));
    },
  },
  edge_unreachable: {
    produce: (s) => furtherHost(s, 'http://127.0.0.1:1'),
    root: further,
    person: correctAddress,
  },
  edge_foreign: {
    produce: async (s) => {
      const server = createServer((_request, response) => response.end('hello'))
        .listen(0, '127.0.0.1')
        .unref();
      await new Promise((resolve) => server.once('listening', resolve));
      await furtherHost(s, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    },
    root: further,
    person: correctAddress,
  },
  clock_off: {
    simulated: 'a test does not set the clock of its machine',
    produce: (s) => {
      noted(s, 'sudo');
      s.machine = {
        get: async (url, ms) => {
          const contact = await real.get(url, ms);
          return 'reason' in contact || isDone(s) ? contact : { ...contact, date: Date.now() - 60_000 };
        },
      };
    },
  },
  program_older: {
    simulated: NEWER,
    produce: (s) => {
      fakeUpdate(s);
      s.machine = {
        get: async (url, ms) => {
          const contact = await real.get(url, ms);
          return 'reason' in contact || isDone(s) ? contact : { ...contact, level: API_LEVEL + 1 };
        },
      };
    },
  },
  migrations_unknown: {
    simulated: NEWER,
    produce: (s) => {
      fakeUpdate(s);
      // The database itself stays as it is: this program would refuse to start an edge on one of a later version.
      s.machine = {
        namesIn: (path) => {
          const own = real.namesIn(path);
          const newest = own
            .filter((name) => name.endsWith('.sql'))
            .sort()
            .at(-1);
          return isDone(s) ? own : own.filter((name) => name !== newest);
        },
      };
    },
  },
  object_silent: {
    simulated: NEWER,
    produce: (s) => {
      fakeUpdate(s);
      s.health = Object.defineProperty({}, 'objects', {
        enumerable: true,
        get: () => [{ name: 'LeaderLease', problem: isDone(s) ? null : 'this object ran the migration "later"' }],
      });
    },
  },
  database_restored: { produce: (s) => s.d1('UPDATE fence SET term = 0, mode_version = 0') },
  deadline_missing: {
    produce: (s) => {
      const id = newId('job', Date.now());
      s.d1(`INSERT INTO renewal_jobs (job_id, local_conversation_id, message_id, status, payload, payload_kind,
        attempt_count, max_attempts, created_at, updated_at) VALUES ('${id}', 'lc', 'm', 'running', 'x', 'text', 1, 3, 1, 1)`);
    },
  },
  no_leader: {
    produce: async (s) => {
      await s.run(`conductor nodes drain ${s.record().node_id} --root ${s.root}`);
      await until(async () => (await s.findings(['no_leader']))[0] !== undefined);
    },
  },
  not_running: { produce: async (s) => void (await s.run(`conductor pause --root ${s.root}`)) },
  operator_token_expires: {
    produce: (s) => {
      const now = Date.now();
      s.d1(`UPDATE tokens SET created_at = ${now - 30 * DAY_MS}, expires_at = ${now + 3 * DAY_MS}
        WHERE role = 'ops_admin' AND subject LIKE 'operator@%'`);
    },
  },
  firefox_missing: {
    simulated: 'a Firefox of this machine cannot be removed',
    produce: (s) => {
      s.machine = {
        findFirefox: () => {
          throw new Error('no Firefox was found');
        },
      };
    },
    person: (s) => s.say({ findFirefox: () => build(s, 'esr', 'mozilla-esr140') }),
  },
  firefox_signed_only: {
    produce: (s) => s.say({ findFirefox: () => build(s, 'release', 'mozilla-release') }),
    person: (s) => s.say({ findFirefox: () => build(s, 'esr', 'mozilla-esr140') }),
    simulated: 'a test installs no Firefox; its files say which one it is',
  },
  repository_missing: {
    produce: async (s) => {
      await s.run(`git init -q ${s.home}/origin && git -C ${s.home}/origin commit -q --allow-empty -m a`);
      configured(s, `[repos]\ndemo = "${s.home}/a repository"\n`);
    },
    person: async (s, { advice }) => {
      const line = /"(git clone .*?)"/.exec(advice)?.[1] ?? 'false';
      await s.run(line.replace('ADDRESS', join(s.home, 'origin')));
    },
  },
  repository_no_git: {
    produce: (s) => {
      mkdirSync(join(s.home, 'no repository'));
      configured(s, `[repos]\ndemo = "${s.home}/no repository"\n`);
    },
  },
  repository_empty: {
    produce: async (s) => {
      await s.run(`git init -q '${s.home}/empty repository'`);
      configured(s, `[repos]\ndemo = "${s.home}/empty repository"\n`);
    },
  },
  repository_not_trusted: {
    produce: async (s) => {
      await s.run(`git init -q ${s.home}/trusted && git -C ${s.home}/trusted commit -q --allow-empty -m a`);
      configured(s, `[repos]\ndemo = "${s.home}/trusted"\n`);
      // Git has this variable for its own tests: every repository seems to belong to another user.
      s.env.GIT_TEST_ASSUME_DIFFERENT_OWNER = '1';
    },
  },
  coding_agent_variables: {
    produce: (s) => configured(s, `[agents.echo]\ncommand = "echo"\nenv_file = "${s.home}/variables"\n`),
  },
  coding_agent_missing: {
    produce: (s) => configured(s, '[agents.codex]\ncommand = "codex-that-is-not-there"\n'),
    person: (s, { advice }) => {
      s.program('codex', 'echo 1.2.3');
      writeFileSync(fileIn(advice, 'config.toml'), `[agents.codex]\ncommand = "${s.bin}/codex"\n`);
    },
  },
} as const satisfies Partial<Record<FindingCode, Fault>>;

/** A Firefox of that kind, as its files say. */
function build(s: DoctorSystem, name: string, branch: string) {
  const folder = join(s.bin, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'firefox'), '', { mode: 0o755 });
  const ini = `[App]\nVersion=140.0\nSourceRepository=https://hg.mozilla.org/releases/${branch}\n`;
  writeFileSync(join(folder, 'application.ini'), ini);
  const path = join(folder, 'firefox');
  return { program: path, build: readBuild(path) };
}
