import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ResolvedConfig } from '../../../../local-agent/config/resolve.ts';
import { resolveConfig } from '../../../../local-agent/config/resolve.ts';

const DEFAULT_ROOT = join(homedir(), '.baa');
const KNOWN_ROOTS = join(homedir(), '.local/state/baa-conductor/roots.json');
const ALIVE = 41;
const DEAD = 42;

function record(port: number, over: object = {}): string {
  return JSON.stringify({
    edge_url: `http://127.0.0.1:${port}`,
    agent_url: `http://127.0.0.1:${port + 1}`,
    node_id: `node-${port}`,
    pid: ALIVE,
    version: '1.2.3',
    ...over,
  });
}

interface Machine {
  /** Records by root. */
  systems?: Record<string, string>;
  known?: string[];
  files?: Record<string, string>;
}

function resolveOn({ systems = {}, known = [], files = {} }: Machine, flags = {}, env = {}): ResolvedConfig {
  const records = Object.entries(systems).map(([root, text]) => [join(root, 'state', 'system.json'), text]);
  const all: Record<string, string> = {
    ...Object.fromEntries(records),
    [KNOWN_ROOTS]: JSON.stringify({ roots: known }),
    ...files,
  };
  return resolveConfig({
    flags,
    env,
    readFile: (path) => all[path] ?? null,
    isAlive: ({ pid }) => pid === ALIVE,
    findsRunning: true,
  });
}

describe('the record of a running system', () => {
  it('--root alone gives the addresses and the node id', () => {
    const { config, origins, system } = resolveOn({ systems: { '/a': record(9000) } }, { root: '/a' });
    expect(config).toMatchObject({
      controlApiBase: 'http://127.0.0.1:9000',
      localApi: 'http://127.0.0.1:9001',
      nodeId: 'node-9000',
    });
    expect(origins).toMatchObject({ controlApiBase: 'system.json', localApi: 'system.json', nodeId: 'system.json' });
    expect(system).toBe('running');
  });

  it.each([
    ['a dead process', DEAD],
    ['no process, after a stop', null],
  ])('a record of %s keeps the node id and gives no address', (_, pid) => {
    const { config, origins, system } = resolveOn({ systems: { '/a': record(9000, { pid }) } }, { root: '/a' });
    expect(config.nodeId).toBe('node-9000');
    expect(origins).toMatchObject({ controlApiBase: 'default', localApi: 'default' });
    expect(system).toBe('stopped');
  });

  it('a record without an agent gives the address of the edge only', () => {
    const { origins } = resolveOn({ systems: { '/a': record(9000, { agent_url: null }) } }, { root: '/a' });
    expect(origins).toMatchObject({ controlApiBase: 'system.json', localApi: 'default' });
  });

  it('options, environment and config.toml come before the record', () => {
    const machine = {
      systems: { '/a': record(9000) },
      files: { '/a/config.toml': 'control_api_base = "https://edge.example"' },
    };
    const { config } = resolveOn(
      machine,
      { root: '/a', nodeId: 'mine' },
      { BAA_CONDUCTOR_LOCAL_API: 'http://[::1]:1' },
    );
    expect(config).toMatchObject({
      controlApiBase: 'https://edge.example',
      localApi: 'http://[::1]:1',
      nodeId: 'mine',
    });
  });

  it('a damaged record is an error that names the file and what to do', () => {
    expect(() => resolveOn({ systems: { '/a': '{"pid": 1' } }, { root: '/a' })).toThrow(
      /\/a\/state\/system\.json is damaged.*Remove it and start the system again/,
    );
  });
});

describe('the root of a command that names none', () => {
  const both = { '/a': record(9000), '/b': record(9100) };

  it('BAA_ROOT is used before everything that is found', () => {
    const { config } = resolveOn({ systems: both, known: ['/a'] }, {}, { BAA_ROOT: '/b' });
    expect(config).toMatchObject({ root: '/b', controlApiBase: 'http://127.0.0.1:9100' });
  });

  it('the default root is used when it has a record, also of a stopped system', () => {
    const systems = { ...both, [DEFAULT_ROOT]: record(8787, { pid: null }) };
    const { config, system } = resolveOn({ systems, known: ['/a', '/b'] });
    expect([config.root, system]).toEqual([DEFAULT_ROOT, 'stopped']);
  });

  it('the only running system is found', () => {
    const systems = { '/a': record(9000), '/b': record(9100, { pid: DEAD }), '/c': 'damaged' };
    const { config, origins } = resolveOn({ systems, known: ['/a', '/b', '/c', '/gone'] });
    expect(config).toMatchObject({ root: '/a', controlApiBase: 'http://127.0.0.1:9000' });
    expect(origins.root).toBe('roots.json');
  });

  it('several running systems are an error that lists them', () => {
    expect(() => resolveOn({ systems: both, known: ['/a', '/b'] })).toThrow(
      'several systems run on this machine; name one with --root: /a, /b',
    );
  });

  it('the default root is used when no system runs', () => {
    expect(resolveOn({ known: ['/a'] }).config.root).toBe(DEFAULT_ROOT);
  });

  it('a damaged list of roots counts as empty', () => {
    expect(resolveOn({ files: { [KNOWN_ROOTS]: '[' } }).config.root).toBe(DEFAULT_ROOT);
  });
});
