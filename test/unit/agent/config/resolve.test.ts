import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { settingOptions } from '../../../../local-agent/config/flags.ts';
import type { ConfigSources } from '../../../../local-agent/config/resolve.ts';
import { ConfigError, resolveConfig } from '../../../../local-agent/config/resolve.ts';
import { SETTINGS } from '../../../../local-agent/config/settings.ts';
import { configWarnings } from '../../../../local-agent/config/warnings.ts';

const ROOT = '/srv/baa';

function resolve(over: Partial<Omit<ConfigSources, 'readFile'>> & { files?: Record<string, string> } = {}) {
  const { flags = {}, env = { BAA_ROOT: ROOT }, files = {} } = over;
  return resolveConfig({ flags, env, readFile: (path) => files[path] ?? null });
}
const toml = (text: string) => ({ [`${ROOT}/config.toml`]: text });

describe('the configuration', () => {
  it('the defaults are the documented ones', () => {
    const { config, origins } = resolveConfig({ flags: {}, env: {}, readFile: () => null });
    const [host] = hostname().split('.');
    expect(config).toMatchObject({
      root: join(homedir(), '.baa'),
      role: 'standby',
      host,
      nodeId: `${host}-standby`,
      preferred: false,
      priority: 50,
      localApi: 'http://127.0.0.1:4317',
      sharedToken: null,
      heartbeatIntervalMs: 5_000,
      leaseRenewIntervalMs: 5_000,
      leaseTtlSec: 30,
      renewFailureThreshold: 2,
      instructionTimeoutMs: 60_000,
      execInstructionTimeoutMs: 600_000,
      executionJournalLimit: 50,
      deliveryInlineThreshold: 12_000,
      stateDir: join(homedir(), '.baa', 'state'),
    });
    expect(new Set(Object.values(origins))).toEqual(new Set(['default']));
  });

  it('a flag wins over the environment, that over config.toml, and that over the default', () => {
    const files = toml('host = "from-file"\npriority = 7\nlease_ttl_sec = 20\npreferred = false');
    const env = { BAA_ROOT: ROOT, BAA_CONDUCTOR_HOST: 'from-env', BAA_CONDUCTOR_PRIORITY: '8' };
    const { config, origins } = resolve({ flags: { host: 'from-flag' }, env, files });
    expect(config).toMatchObject({ host: 'from-flag', priority: 8, leaseTtlSec: 20, preferred: false });
    expect(origins).toMatchObject({
      host: 'flag',
      priority: 'environment',
      leaseTtlSec: 'config.toml',
      role: 'default',
    });
  });

  it('every setting except the operator’s token is an option of the same name', () => {
    const options = new Set(settingOptions.map((option) => option.attributeName()));
    expect([...options, 'operatorToken'].sort()).toEqual(Object.keys(SETTINGS).sort());
  });

  it('the role primary, which only a source can name, determines node id, preference and priority', () => {
    const { config } = resolve({ flags: { role: 'primary', host: 'mini' } });
    expect(config).toMatchObject({ nodeId: 'mini-main', preferred: true, priority: 100 });
  });

  it('--no-preferred and a trailing slash are understood', () => {
    const { config } = resolve({ flags: { preferred: false, controlApiBase: 'https://control.example.test/' } });
    expect(config).toMatchObject({ preferred: false, controlApiBase: 'https://control.example.test' });
  });

  it('tokens are read from the state folder when no other source has them', () => {
    const files = { [`${ROOT}/state/shared.token`]: 'baa_node\n', [`${ROOT}/state/operator.token`]: 'baa_operator\n' };
    expect(resolve({ files }).config).toMatchObject({ sharedToken: 'baa_node', operatorToken: 'baa_operator' });
    const env = { BAA_ROOT: ROOT, BAA_SHARED_TOKEN: 'baa_env' };
    expect(resolve({ files, env }).config.sharedToken).toBe('baa_env');
  });

  it('tokens are read from the configured state folder', () => {
    const env = { BAA_ROOT: ROOT, BAA_STATE_DIR: '/other' };
    expect(resolve({ env, files: { '/other/shared.token': 'baa_there' } }).config.sharedToken).toBe('baa_there');
  });

  it('an empty variable counts as missing, except where empty turns a feature off', () => {
    const env = { BAA_ROOT: ROOT, BAA_CONDUCTOR_PRIORITY: '', BAA_CONDUCTOR_LOCAL_API: '' };
    expect(resolve({ env }).config).toMatchObject({ priority: 50, localApi: null });
  });

  it('the error names every invalid value and its source, and shows no secret', () => {
    const attempt = () =>
      resolve({
        flags: { leaseTtlSec: '5', sharedToken: 'two words' },
        env: { BAA_ROOT: ROOT, BAA_CONDUCTOR_ROLE: 'king' },
        files: toml('priority = "high"'),
      });
    expect(attempt).toThrow(ConfigError);
    expect(attempt).toThrow(/--lease-ttl-sec: .*"5"/);
    expect(attempt).toThrow(/BAA_CONDUCTOR_ROLE: .*"king"/);
    expect(attempt).toThrow(/config\.toml: priority: /);
    expect(attempt).not.toThrow(/two words/);
  });

  it.each(['1e3', ' ', '0x10', '5.5', 'NaN'])('%j is not a number', (value) => {
    expect(() => resolve({ flags: { heartbeatIntervalMs: value } })).toThrow(/--heartbeat-interval-ms/);
  });

  it('an unknown key in config.toml and an invalid file are refused', () => {
    expect(() => resolve({ files: toml('hots = "typo"') })).toThrow(/hots/);
    expect(() => resolve({ files: toml('host = ') })).toThrow(ConfigError);
  });

  it('says of a name in config.toml that is none where the names are, and of a wrong value what it may be', () => {
    expect(() => resolve({ files: toml('hots = "typo"') })).toThrow(
      /hots: no field of this name is known here\. conductor config --help lists the settings/,
    );
    const wrongValues = () => resolve({ files: toml('[repos]\napp = 5\n[agents.x]\ncomand = "a"') });
    expect(wrongValues).toThrow(
      /repos\.app: a text; it is 5; agents\.x\.command: a text; it is missing; agents\.x\.comand: no field of this name/,
    );
    expect(wrongValues).not.toThrow(/config --help/);
  });
});

describe('warnings', () => {
  const warnings = (env: Record<string, string>, mode = 0o700) => {
    const { config } = resolve({ env: { BAA_ROOT: ROOT, ...env } });
    return configWarnings(config, () => mode).join('\n');
  };

  it('a sound configuration has no warnings', () => {
    expect(warnings({ BAA_SHARED_TOKEN: 'baa_good' })).toBe('');
  });

  it.each([
    ['a missing token', {}, /BAA_SHARED_TOKEN is not set/],
    ['a placeholder', { BAA_SHARED_TOKEN: 'replace-me' }, /replace-me/],
    ['no local API', { BAA_CONDUCTOR_LOCAL_API: '' }, /BAA_CONDUCTOR_LOCAL_API is empty/],
    ['a renew interval that is not below the TTL', { BAA_CONDUCTOR_LEASE_RENEW_INTERVAL_MS: '30000' }, /will expire/],
  ])('%s leads to a warning', (_, env, expected) => {
    expect(warnings(env)).toMatch(expected);
  });

  it('a folder that others can read leads to a warning', () => {
    expect(warnings({ BAA_SHARED_TOKEN: 'baa_good' }, 0o755)).toMatch('/srv/baa/state is open to other users');
  });

  it.each([0o602, 0o620])(
    'a policy.json or config.toml with mode %o, which others can write, leads to a warning',
    (mode) => {
      const found = warnings({ BAA_SHARED_TOKEN: 'baa_good' }, mode);
      for (const name of ['policy.json', 'config.toml']) {
        expect(found).toContain(`/srv/baa/${name} can be written by other users`);
      }
    },
  );

  it('the PATH of programs has absolute folders only', () => {
    const path = '/opt/bin:/usr/bin';
    expect(resolve({ files: toml(`program_path = "${path}"`) }).config.programPath).toBe(path);
    expect(() => resolve({ files: toml('program_path = "bin:/usr/bin"') })).toThrow(/program_path: absolute folders/);
  });
});
