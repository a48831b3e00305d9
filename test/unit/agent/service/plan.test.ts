import { describe, expect, it } from 'vitest';
import type { ConfigSources } from '../../../../local-agent/config/resolve.ts';
import { resolveConfig } from '../../../../local-agent/config/resolve.ts';
import type { SystemRecord } from '../../../../local-agent/config/system-record.ts';
import { planService, servicePath } from '../../../../local-agent/service/plan.ts';
import { stableNode } from '../../../../local-agent/service/stable-node.ts';

const record = (edge_url: string, agent_url: string | null = 'http://127.0.0.1:4317'): SystemRecord => ({
  edge_url,
  agent_url,
  node_id: 'mini',
  pid: null,
  began: null,
  version: '1.0.0',
});

interface Given extends Partial<Pick<ConfigSources, 'flags' | 'env' | 'readFile'>> {
  edgeIsLocal?: boolean;
  recorded?: SystemRecord | null;
}

function planOf({ flags = {}, env = {}, readFile = () => null, edgeIsLocal = false, recorded = null }: Given) {
  return planService({
    resolved: resolveConfig({ flags: { root: '/srv/baa', ...flags }, env, readFile }),
    env,
    record: recorded,
    exists: (path) => edgeIsLocal && path === '/srv/baa/edge/bootstrap.token',
    node: '/usr/bin/node',
    program: '/opt/conductor',
  });
}
const FIRST_WORDS = ['/usr/bin/node', '/opt/conductor/local-agent/stack/launch.js'];

describe('what a service runs', () => {
  it('is the whole system, at the ports that it has had, where the root has a local edge', () => {
    const recorded = record('http://127.0.0.1:9001', 'http://127.0.0.1:9002');
    const { kind, argv, environment } = planOf({ edgeIsLocal: true, recorded });
    expect(kind).toBe('system');
    expect(argv).toEqual([...FIRST_WORDS, 'system', '--root', '/srv/baa', '--port', '9001', '--agent-port', '9002']);
    expect(Object.keys(environment)).toEqual(['PATH']);
  });

  it('is the whole system where nothing has run yet and no edge is named', () => {
    expect(planOf({})).toMatchObject({ kind: 'system', why: 'no edge is named for this root, so it gets a local one' });
  });

  it('is the whole system where a shell names the local edge', () => {
    expect(planOf({ edgeIsLocal: true, env: { BAA_CONTROL_API_BASE: 'http://localhost:8787' } }).kind).toBe('system');
  });

  it('is the agent where config.toml names an edge, whose address the service reads there', () => {
    const { kind, argv, environment } = planOf({
      edgeIsLocal: true,
      readFile: (path) => (path === '/srv/baa/config.toml' ? 'control_api_base = "https://edge.example"' : null),
    });
    expect(kind).toBe('agent');
    expect(argv).toEqual([...FIRST_WORDS, 'agent', '--root', '/srv/baa']);
    expect(Object.keys(environment)).toEqual(['PATH']);
  });

  it('is the agent of an edge that only an earlier start has named', () => {
    const { kind, environment } = planOf({ recorded: record('https://edge.example') });
    expect(kind).toBe('agent');
    expect(environment.BAA_CONTROL_API_BASE).toBe('https://edge.example');
  });

  it('has the settings that this call names as variables, and no secret', () => {
    const { environment } = planOf({
      flags: { role: 'primary', preferred: false, localApi: '' },
      env: {
        BAA_CONTROL_API_BASE: 'https://edge.example',
        BAA_CONDUCTOR_PRIORITY: '7',
        BAA_SHARED_TOKEN: 'secret',
        BAA_OPERATOR_TOKEN: 'secret',
        LANG: 'de_DE.UTF-8',
        OPENAI_API_KEY: 'secret',
      },
    });
    const { PATH: _path, ...rest } = environment;
    expect(rest).toEqual({
      LANG: 'de_DE.UTF-8',
      BAA_CONTROL_API_BASE: 'https://edge.example',
      BAA_CONDUCTOR_LOCAL_API: '',
      BAA_CONDUCTOR_ROLE: 'primary',
      BAA_CONDUCTOR_PRIORITY: '7',
      BAA_CONDUCTOR_PREFERRED: 'false',
    });
  });
});

describe('the PATH of a service', () => {
  it('is that of the shell, without relative folders and those that npm and a version manager add for a while', () => {
    const path =
      '/opt/conductor/node_modules/.bin:/usr/lib/node_modules/npm/node_modules/@npmcli/run-script/lib/node-gyp-bin:/home/ada/.local/bin:.:/run/user/1/fnm_multishells/1_2/bin:/usr/bin:/home/ada/.local/bin';
    expect(servicePath(path)).toBe('/home/ada/.local/bin:/usr/bin:/usr/local/bin:/bin:/usr/sbin:/sbin');
  });

  it('has the usual folders where the shell has none', () => {
    expect(servicePath(undefined)).toBe('/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin');
  });
});

describe('the Node of a service', () => {
  const links: Readonly<Record<string, string>> = {
    '/opt/homebrew/bin/node': '/opt/homebrew/Cellar/node/24.1.0/bin/node',
    '/usr/bin/node': '/usr/bin/node',
  };
  const nodeOf = (execPath: string) =>
    stableNode({
      execPath,
      path: '/usr/bin:/opt/homebrew/bin',
      realPath: (path) => links[path] ?? (path === execPath ? path : null),
      program: '/opt/conductor',
    });

  it('is named by the folder of PATH that keeps leading to it after an upgrade', () => {
    expect(nodeOf('/opt/homebrew/Cellar/node/24.1.0/bin/node')).toBe('/opt/homebrew/bin/node');
  });

  it('is named by its own path when no folder of PATH leads to it', () => {
    expect(nodeOf('/home/ada/.nvm/versions/node/v24.1.0/bin/node')).toBe(
      '/home/ada/.nvm/versions/node/v24.1.0/bin/node',
    );
  });
});
