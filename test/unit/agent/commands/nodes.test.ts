import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../../../../local-agent/commands/main.ts';
import { resolveConfig } from '../../../../local-agent/config/resolve.ts';
import { EdgeError } from '../../../../local-agent/edge/http-client.ts';
import { readOwnFile, writeNewPrivateFile } from '../../../../local-agent/host/own-files.ts';
import type { CommandCall } from '../../../support/command-deps.ts';
import { commandWorld } from '../../../support/command-deps.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const TOKEN = 'baa_a_node_token_0001';
const created = {
  token_id: 'tok_1',
  role: 'controller',
  subject: 'mini',
  controller_id: 'mini',
  created_by: 'op',
  created_at: 0,
  expires_at: null,
  revoked_at: null,
  last_used_at: null,
  token: TOKEN,
};

function edge({ method, path }: CommandCall): unknown {
  if (method === 'POST') return created;
  if (path.startsWith('/v1/tokens')) return { items: [], next_cursor: null };
  if (path === '/v1/controllers/here') return { controller_id: 'here' };
  throw new EdgeError('status', 404, 'not_found', 'no such node');
}

describe('nodes add', () => {
  it('nodes add creates a token that is bound to the node and prints the one line that sets up its host', async () => {
    const world = commandWorld(edge);
    expect(await runCli(['nodes', 'add', 'mini'], world.deps)).toBe(0);
    expect(world.calls.at(-1)).toMatchObject({
      method: 'POST',
      path: '/v1/tokens',
      body: { role: 'controller', subject: 'mini', controller_id: 'mini' },
    });
    expect(world.out).toEqual([`BAA_SHARED_TOKEN=${TOKEN} npm run conductor -- init --control-api-base http://edge`]);
  });

  it('a second host cannot get the id of an existing node', async () => {
    const world = commandWorld(edge);
    expect(await runCli(['nodes', 'add', 'here'], world.deps)).toBe(1);
    expect(world.stderr()).toMatch(/node here exists already.*choose another name/);
    expect(world.calls.map(({ method }) => method)).toEqual(['GET']);
  });

  /** An edge that has issued these tokens, one a page; the node has not registered. */
  function edgeWith(...tokens: object[]) {
    return commandWorld((call) => {
      const { pathname, searchParams } = new URL(call.path, 'http://edge');
      if (call.method !== 'GET' || pathname !== '/v1/tokens') return edge(call);
      const at = Number(searchParams.get('cursor') ?? 0);
      const ofNode = [searchParams.get('role'), searchParams.get('controller_id')].join() === 'controller,mini';
      const items = ofNode ? tokens.slice(at, at + 1).map((one) => ({ ...created, ...one })) : [];
      return { items, next_cursor: at + 1 < tokens.length ? String(at + 1) : null };
    });
  }

  it('nodes add creates no second token while one of the node is valid, and prints the line that revokes it', async () => {
    const world = edgeWith({ token_id: 'tok_old', revoked_at: 1 }, { token_id: 'tok_first' });
    expect(await runCli(['nodes', 'add', 'mini', '--root', '/srv/other'], world.deps)).toBe(1);
    expect(world.stderr()).toMatch(
      /node mini has a valid token already, tok_first.*: conductor tokens revoke tok_first --root \/srv\/other$/m,
    );
    expect(world.out).toEqual([]);
    expect(world.calls.map(({ method }) => method)).not.toContain('POST');
  });

  it('nodes add creates a token when those of the node are revoked or have expired', async () => {
    const world = edgeWith({ revoked_at: 1 }, { expires_at: 1 });
    expect(await runCli(['nodes', 'add', 'mini'], world.deps)).toBe(0);
    expect(world.calls.at(-1)).toMatchObject({ method: 'POST', path: '/v1/tokens' });
  });

  it('an edge on this machine only is pointed out, with a tunnel to it', async () => {
    const world = commandWorld(edge);
    await runCli(['nodes', 'add', 'mini', '--control-api-base', 'http://127.0.0.1:8787'], world.deps);
    expect(world.stderr()).toMatch('ssh -N -R 8787:127.0.0.1:8787 mini');
  });
});

describe('init', () => {
  /** A new host whose edge says that of the token. */
  function newHost(session: object = {}, over: { env?: Record<string, string>; piped?: string } = {}) {
    const root = join(tempDir(), 'root');
    const respond = () => ({ ...created, via: 'token', ...session });
    const world = commandWorld(respond, {
      env: { BAA_SHARED_TOKEN: TOKEN, ...over.env },
      readFile: readOwnFile,
      writeNewFile: writeNewPrivateFile,
      readSecret: async () => over.piped ?? '',
    });
    const init = (...args: string[]) =>
      runCli(['init', '--root', root, '--control-api-base', 'https://edge.example', ...args], world.deps);
    return { root, world, init };
  }
  const configOf = (root: string) => resolveConfig({ flags: { root }, env: {}, readFile: readOwnFile }).config;

  it('init writes the edge, the node id of the token and the token, readable by the owner only', async () => {
    const { root, world, init } = newHost();
    expect(await init()).toBe(0);
    expect(world.calls).toMatchObject([{ base: 'https://edge.example', token: TOKEN, path: '/v1/session' }]);
    expect(configOf(root)).toMatchObject({
      controlApiBase: 'https://edge.example',
      nodeId: 'mini',
      sharedToken: TOKEN,
      role: 'standby',
      preferred: false,
    });
    expect(statSync(join(root, 'state/shared.token')).mode & 0o077).toBe(0);
    expect(existsSync(join(root, 'workspace'))).toBe(true);
    expect(world.stdout()).toMatch(`start it with: conductor start --root ${root}`);
  });

  it('init keeps the settings that are given', async () => {
    const { root, init } = newHost();
    expect(await init('--preferred', '--host', 'mini.local', '--local-api', 'http://127.0.0.1:4400')).toBe(0);
    expect(configOf(root)).toMatchObject({ preferred: true, host: 'mini.local', localApi: 'http://127.0.0.1:4400' });
  });

  it('init reads the token from a pipe or a person when the environment has none', async () => {
    const { root, init } = newHost({}, { env: { BAA_SHARED_TOKEN: '' }, piped: `${TOKEN}\n` });
    expect(await init()).toBe(0);
    expect(configOf(root).sharedToken).toBe(TOKEN);
  });

  it('init without a token, or with the token of a person, writes nothing and says what is needed', async () => {
    const without = newHost({}, { env: { BAA_SHARED_TOKEN: '' } });
    expect(await without.init()).toBe(2);
    expect(without.world.stderr()).toMatch(/no token: set BAA_SHARED_TOKEN/);
    const person = newHost({ role: 'ops_admin', controller_id: null });
    expect(await person.init()).toBe(1);
    expect(person.world.stderr()).toMatch(/has the role ops_admin.*nodes add/);
    expect([existsSync(without.root), existsSync(person.root)]).toEqual([false, false]);
  });

  it('init does not replace a root that is set up', async () => {
    const { root, world, init } = newHost();
    await init();
    const before = readFileSync(join(root, 'config.toml'), 'utf8');
    expect(await init('--preferred')).toBe(1);
    expect(world.stderr()).toMatch(/is set up already/);
    expect(readFileSync(join(root, 'config.toml'), 'utf8')).toBe(before);
  });
});
