import { describe, expect, it } from 'vitest';
import type { ServiceManager } from '../../../../local-agent/service/manager.ts';
import { ServiceError } from '../../../../local-agent/service/manager.ts';
import type { ServicePlan } from '../../../../local-agent/service/plan.ts';
import { serviceState } from '../../../../local-agent/service/state.ts';
import { readSystemdFile, systemdFile } from '../../../../local-agent/service/systemd-file.ts';

const plan: ServicePlan = {
  kind: 'agent',
  why: '',
  root: '/srv/baa',
  argv: ['/usr/bin/node', '/opt/launch.js', 'agent', '--root', '/srv/baa'],
  environment: { PATH: '/usr/bin', BAA_CONDUCTOR_ROLE: 'primary' },
  logsDir: '/srv/baa/logs',
};
const running = { loaded: true, running: true, fails: false, pid: 1, word: 'active (running)' };

/** The state with an installed file, of which only what is asked is there. */
function stateWith(installed: string | null, look: ServiceManager['look'] = async () => running) {
  const unused = async () => undefined;
  const manager: ServiceManager = {
    name: 'systemd',
    file: '/home/ada/.config/systemd/user/baa-conductor.service',
    render: systemdFile,
    read: readSystemdFile,
    look,
    apply: unused,
    start: unused,
    restart: unused,
    stop: unused,
    remove: unused,
    logCommand: () => [],
    advice: async () => [],
  };
  const host = { readFile: () => installed, exists: (path: string) => /^\/(usr\/bin|opt|other)\//.test(path) };
  return serviceState({ manager, host, plan });
}

const codesOf = async (installed: string) => (await stateWith(installed)).stale.map(({ code }) => code);

describe('the state of a service', () => {
  it('is current when the file says what would be installed now, with any PATH and ports', async () => {
    const environment = { ...plan.environment, PATH: '/home/ada/bin:/usr/bin' };
    const argv = [...plan.argv, '--port', '9001'];
    const state = await stateWith(systemdFile({ ...plan, argv, environment }));
    expect(state).toMatchObject({ installed: true, root: '/srv/baa', stale: [], loaded: running, problem: null });
  });

  it('is not installed without a file', async () => {
    expect(await stateWith(null)).toMatchObject({ installed: false, root: null, stale: [] });
  });

  it.each([
    ['another root', { argv: ['/usr/bin/node', '/opt/launch.js', 'agent', '--root', '/srv/other'] }, ['other_root']],
    ['a Node that is gone', { argv: ['/old/node', ...plan.argv.slice(1)] }, ['node_missing']],
    ['another Node', { argv: ['/usr/bin/node20', ...plan.argv.slice(1)] }, ['other_node']],
    ['another program', { argv: ['/usr/bin/node', '/other/launch.js', ...plan.argv.slice(2)] }, ['other_program']],
    [
      'a program that is gone',
      { argv: ['/usr/bin/node', '/old/launch.js', ...plan.argv.slice(2)] },
      ['program_missing'],
    ],
    ['other settings', { environment: { PATH: '/usr/bin' } }, ['other_content']],
    ['another kind', { kind: 'system' as const, argv: plan.argv.with(2, 'system') }, ['other_content']],
  ])('is out of date with %s', async (_what, over, codes) => {
    expect(await codesOf(systemdFile({ ...plan, ...over }))).toEqual(codes);
  });

  it('is out of date when another version wrote the file', async () => {
    expect(await codesOf(systemdFile(plan).replace('RestartSec=10', 'RestartSec=5'))).toEqual(['other_content']);
  });

  it('is out of date when the file is not ours', async () => {
    expect(await codesOf('[Service]\nExecStart=/bin/true\n')).toEqual(['unreadable']);
  });

  it('says why the manager cannot be asked', async () => {
    const look = async () => {
      throw new ServiceError('no user manager runs');
    };
    expect(await stateWith(systemdFile(plan), look)).toMatchObject({ loaded: null, problem: 'no user manager runs' });
  });
});
