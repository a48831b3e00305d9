/** Every finding about this machine, produced on purpose: it is found, says why it matters, and what to do. */
import { chmodSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Group } from '../../../../local-agent/doctor/check.ts';
import { CHECKS } from '../../../../local-agent/doctor/checks.ts';
import { itFinds } from '../../../support/doctor-cases.ts';
import type { DoctorCase } from '../../../support/doctor-scene.ts';
import {
  at,
  DoctorScene,
  furtherHost,
  served,
  serviceState,
  set,
  snapshot,
  startedAsAgent,
  stop,
} from '../../../support/doctor-scene.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const GROUPS: readonly Group[] = ['program', 'files', 'system'];

const CASES: DoctorCase[] = [
  ['node-version', 'an old Node', 'error', /Node 20.19.0 .* needs 22.18/, /npm ci/, set({ nodeVersion: '20.19.0' })],
  [
    'git',
    'no Git',
    'error',
    /git is not installed, or in no folder of PATH/,
    null,
    set({ askProgram: async () => ({ code: null, text: 'spawn git ENOENT' }) }),
  ],
  [
    'git',
    'an old Git',
    'warning',
    /git is 2.20.1/,
    null,
    set({ askProgram: async () => ({ code: 0, text: 'git version 2.20.1' }) }),
  ],
  [
    'config',
    'an unknown key',
    'error',
    /config.toml: .*lease_ttl_secs/,
    null,
    (s) => s.write('config.toml', 'lease_ttl_secs = 5\n'),
  ],
  [
    'config',
    'a file that is no TOML',
    'error',
    /config.toml: .*2: {2}host =/s,
    null,
    (s) => s.write('config.toml', 'priority = 1\nhost = \n'),
  ],
  [
    'config',
    'a damaged record',
    'error',
    /system.json is damaged/,
    /^rm .*system.json$/,
    (s) => {
      s.record = null;
      s.write('state/system.json', '{');
    },
  ],
  [
    'config',
    'a renewal later than the lease',
    'warning',
    /lease_renew_interval_ms is 60000, and the lease lasts 30 s/,
    null,
    (s) => s.write('config.toml', 'lease_renew_interval_ms = 60000\nlease_ttl_sec = 30\n'),
  ],
  [
    'folders',
    'a folder without the right to write',
    'error',
    /cannot write in .*\/logs/,
    /^chmod u\+rwx .*\/logs$/,
    (s) => {
      chmodSync(s.path('logs'), 0o500);
      s.machine.canWriteIn = (path) => !path.endsWith('/logs');
    },
  ],
  [
    'folders',
    'a file in place of a folder',
    'error',
    /\/runs is no folder/,
    /^mv \S+\/runs \S+\/runs.moved$/,
    (s) => {
      rmSync(s.path('runs'), { recursive: true });
      s.write('runs', '');
    },
  ],
  [
    'rights',
    'a token that others read',
    'error',
    /operator.token can be read by other users \(mode 644\)/,
    /^chmod 600 .*operator.token$/,
    (s) => chmodSync(s.path('state/operator.token'), 0o644),
  ],
  [
    'rights',
    'a policy that others write',
    'error',
    /policy.json can be written by other users/,
    /^chmod 600 .*policy.json$/,
    (s) => {
      s.write('policy.json', '{}');
      chmodSync(s.path('policy.json'), 0o666);
    },
  ],
  [
    'rights',
    'a root that is open',
    'warning',
    /is open to other users \(mode 755\)/,
    /^chmod 700 /,
    (s) => chmodSync(s.root, 0o755),
  ],
  [
    'disk-space',
    'a disk that is almost full',
    'error',
    /has 100 MiB left/,
    /^du -sk /,
    set({ freeBytes: () => 100 * 1024 ** 2 }),
  ],
  [
    'disk-space',
    'a disk with little room',
    'warning',
    /has 900 MiB left/,
    /^du -sk /,
    set({ freeBytes: () => 900 * 1024 ** 2 }),
  ],
  [
    'policy',
    'a policy that is no JSON',
    'error',
    /policy.json: it is not JSON: .*position 1/,
    null,
    (s) => s.write('policy.json', '{]'),
  ],
  [
    'policy',
    'a policy with an unknown key',
    'error',
    /policy.json: .*rootz/,
    null,
    (s) => s.write('policy.json', '{"rootz": []}'),
  ],
  [
    'policy',
    'a root that holds the home folder',
    'warning',
    /policy root \/home holds the home folder/,
    null,
    (s) => s.write('policy.json', '{"roots": ["/home"]}'),
  ],
  [
    'system',
    'a root without a system',
    'warning',
    /no system was started/,
    /npm start -- --root /,
    (s) => {
      s.record = null;
      rmSync(s.path('state/system.json'), { force: true });
    },
  ],
  [
    'system',
    'a system that was killed',
    'warning',
    /names the process 4200, which has ended without a stop/,
    /npm start/,
    (s) => {
      s.isRunning = false;
    },
  ],
  [
    'system',
    'a system that was stopped',
    'warning',
    /was stopped/,
    /npm start -- --root \S+ --port 18787 --agent-port 14317$/,
    stop,
  ],
  [
    'system',
    'a stopped system with a service',
    'warning',
    /was stopped/,
    /^conductor service start --root /,
    (s) => {
      stop(s);
      const loaded = { loaded: true, running: false, fails: false, pid: null, word: 'inactive' };
      s.machine.serviceOf = async () => serviceState({ loaded });
    },
  ],
  [
    'system',
    'a stopped agent whose edge only the record names',
    'warning',
    /was stopped/,
    /^conductor start --root \S+ --control-api-base http:\/\/127.0.0.1:18787$/,
    (s) => {
      stop(s);
      startedAsAgent(s);
    },
  ],
  [
    'ports',
    'another program on the port of the agent',
    'error',
    /port 14317 is taken by process 77 \(python3 -m http\)/,
    /npm start -- --root \S+ --port 18787 --agent-port 0$/,
    (s) => {
      stop(s);
      s.machine.listenerOf = async (port) => (port === 14_317 ? { pid: 77, command: 'python3 -m http' } : null);
    },
  ],
  [
    'ports',
    'another program on the port of the edge',
    'error',
    /port 8787 is taken by a program of another user/,
    /npm start -- --root \S+ --port 0$/,
    (s) => {
      s.record = null;
      s.machine.listenerOf = async (port) => (port === 8787 ? { pid: null, command: null } : null);
    },
  ],
  [
    'ports',
    'other programs on both ports',
    'error',
    /port 18787 is taken by process 77, and port 14317 is taken by process 77/,
    /npm start -- --root \S+ --port 0 --agent-port 0$/,
    (s) => {
      stop(s);
      s.machine.listenerOf = async () => ({ pid: 77, command: null });
    },
  ],
  [
    'ports',
    'another program on a port of a service',
    'error',
    /port 14317 is taken by process 77/,
    /^conductor service start --root /,
    (s) => {
      stop(s);
      const loaded = { loaded: true, running: false, fails: false, pid: null, word: 'inactive' };
      s.machine.serviceOf = async () => serviceState({ loaded });
      s.machine.listenerOf = async (port) => (port === 14_317 ? { pid: 77, command: null } : null);
    },
  ],
  [
    'ports',
    'the agent of another root on the usual port',
    'error',
    /port 4317 is taken by the system of .*other \(process 9\)/,
    /--agent-port 0$/,
    (s) => {
      stop(s);
      mkdirSync(s.path('other/state'), { recursive: true });
      s.write('other/state/system.json', JSON.stringify({ ...s.record, pid: 9, agent_url: 'http://127.0.0.1:4317' }));
      s.record = null;
      rmSync(s.path('state/system.json'), { force: true });
      s.machine.knownRoots = () => [s.root, s.path('other')];
      s.machine.isAlive = ({ pid }) => pid === 9;
      s.machine.listenerOf = async (port) => (port === 4317 ? { pid: 9, command: null } : null);
    },
  ],
  [
    'agent',
    'an agent that hangs',
    'error',
    /process 4242\) takes connections .* but does not respond within 3 s/,
    /^kill -9 4242$/,
    (s) => {
      s.machine.get = async (url) => (url.includes('14317') ? { reason: 'timeout', silent: true } : at({})());
      s.machine.listenerOf = async () => ({ pid: 4242, command: 'node' });
    },
  ],
  [
    'agent',
    'an agent that is gone',
    'error',
    /no agent listens at/,
    /logs agent --root/,
    set({ get: async (url) => (url.includes('14317') ? { reason: 'refused', silent: false } : at({})()) }),
  ],
  [
    'outbox',
    'a refused request',
    'warning',
    /progress to \/v1\/x: invalid_request \(400\): no field y/,
    /doctor --forget-refused --root/,
    (s) =>
      s.agent(
        snapshot({
          outbox: {
            pending: 0,
            refused: [
              {
                kind: 'progress',
                path: '/v1/x',
                refusal: { status: 400, code: 'invalid_request', message: 'no field y' },
              },
            ],
          },
        }),
      ),
  ],
  [
    'outbox',
    'a refused request while no agent runs',
    'warning',
    /progress to \/v1\/x/,
    /doctor --forget-refused/,
    (s) => {
      stop(s);
      s.write('state/agent.sqlite', '');
      s.machine.readRefused = () => [
        { kind: 'progress', path: '/v1/x', refusal: { status: 409, code: 'conflict', message: 'm' } },
      ];
    },
  ],
  [
    'service',
    'a service whose Node is gone',
    'error',
    /conductor.service is out of date: its Node is no longer there/,
    /service install --root/,
    set({
      serviceOf: async () => serviceState({ stale: [{ code: 'node_missing', text: 'its Node is no longer there' }] }),
    }),
  ],
  [
    'service',
    'a service of another version',
    'warning',
    /out of date: it was written by another version/,
    /service install --root/,
    set({
      serviceOf: async () =>
        serviceState({ stale: [{ code: 'other_content', text: 'it was written by another version' }] }),
    }),
  ],
  [
    'service',
    'a service that does not run',
    'warning',
    /is installed, but does not run \(failed\)/,
    /service start --root/,
    set({
      serviceOf: async () =>
        serviceState({ loaded: { loaded: true, running: false, fails: false, pid: null, word: 'failed' } }),
    }),
  ],
];

describe('a finding of doctor about this machine', () => {
  itFinds(CASES, GROUPS);

  it('rights: a folder outside of the root is found, and --fix leaves it to the person', async () => {
    const scene = new DoctorScene();
    const away = tempDir();
    chmodSync(away, 0o755);
    scene.write('config.toml', `tmp_dir = ${JSON.stringify(away)}\n`);
    const { findings, fixed } = await scene.look('rights', { fix: true });
    expect(findings).toMatchObject([{ fixable: false, command: `chmod 700 ${away}` }]);
    expect(fixed).toEqual([]);
    expect(statSync(away).mode & 0o777).toBe(0o755);
  });

  it('agent: a person who runs it in a terminal has to start it again, as nothing else does', async () => {
    const advice = async (...alter: ((scene: DoctorScene) => void)[]) => {
      const scene = new DoctorScene();
      scene.machine.get = async (url) => (url.includes('14317') ? { reason: 'timeout', silent: true } : at({})());
      scene.machine.listenerOf = async () => ({ pid: 4242, command: 'node' });
      for (const one of alter) one(scene);
      return (await scene.look('agent')).findings[0]?.advice ?? '';
    };
    expect(await advice()).toContain('what supervises it starts it again');
    expect(await advice(furtherHost)).toMatch(/then start it again with "conductor start --root \S+"/);
    expect(await advice(furtherHost, served)).toContain('what supervises it starts it again');
  });

  it('lines of npm work in any folder, and where npm runs doctor they are as a person types them there', async () => {
    const scene = new DoctorScene();
    stop(scene);
    const command = async () => (await scene.look('system')).findings[0]?.command ?? '';
    expect(await command()).toMatch(/^cd \S+ && npm start -- --root /);
    scene.env.npm_lifecycle_event = 'conductor';
    expect(await command()).toMatch(/^npm start -- --root /);
  });

  it('a healthy system has none, and every check can be made', async () => {
    const reports = await new DoctorScene().examine();
    expect(reports.filter(({ state }) => state !== 'ok')).toEqual([]);
    expect(reports).toHaveLength(CHECKS.length);
  });

  it('the rules of a policy are named as those of its file only when the file is there', async () => {
    const scene = new DoctorScene();
    const policyNote = async () => JSON.stringify((await scene.examine()).find(({ id }) => id === 'policy'));
    rmSync(scene.path('policy.json'), { force: true });
    expect(await policyNote()).toContain('policy.json is not there; the defaults allow ');
    scene.write('policy.json', '{}');
    expect(await policyNote()).toContain('policy.json allows ');
  });
});
