/** A failure of edge or agent names the root, the address and the token that were used, and what to do. */
import { describe, expect, it } from 'vitest';
import { runCli } from '../../../../local-agent/commands/main.ts';
import { EdgeError } from '../../../../local-agent/edge/http-client.ts';
import { commandWorld } from '../../../support/command-deps.ts';

const silent = new EdgeError('network', 0, 'network', 'http://edge cannot be reached: getaddrinfo ENOTFOUND edge');
const RECORD = {
  edge_url: 'http://127.0.0.1:8787',
  agent_url: 'http://127.0.0.1:4317',
  node_id: 'mini-main',
  pid: 42,
  began: null,
  version: '1',
};

/** A command in a root with these files; edge and agent fail. */
async function failing(error: EdgeError, argv: string[], env: Record<string, string>, files: Record<string, string>) {
  const world = commandWorld(
    () => {
      throw error;
    },
    { env, isAlive: () => true, readFile: (path) => files[path] ?? null },
  );
  const code = await runCli(argv, world.deps);
  return { code, lines: world.err };
}

const LOCAL = {
  '/srv/baa/state/system.json': JSON.stringify(RECORD),
  '/srv/baa/state/operator.token': 'operator',
  '/srv/baa/state/shared.token': 'node',
  '/srv/baa/edge/bootstrap.token': 'secret',
};

describe('an edge that cannot be reached', () => {
  it('of a local system is said with its root, where its address is from, and how to start it', async () => {
    const { code, lines } = await failing(silent, ['tasks', 'list'], { BAA_ROOT: '/srv/baa' }, LOCAL);
    expect(code).toBe(3);
    expect(lines).toEqual([
      `conductor: ${silent.message}`,
      'It is the edge of the root /srv/baa (BAA_ROOT); its address is from its state/system.json. If it has ended, start it: npm start -- --root /srv/baa. conductor doctor --root /srv/baa looks for the cause',
    ]);
  });

  it('that was named is said with its source, and doctor', async () => {
    const argv = ['tasks', 'list', '--root', '/srv/baa', '--control-api-base', 'https://edge'];
    const { lines } = await failing(silent, argv, { BAA_OPERATOR_TOKEN: 'x' }, {});
    expect(lines[1]).toBe(
      'It is the edge of the root /srv/baa (--root); its address is from --control-api-base. conductor doctor --root /srv/baa looks for the cause',
    );
  });
});

describe('a token that is refused', () => {
  it.each([
    ['unknown_token', 401],
    ['revoked_token', 401],
    ['forbidden', 403],
  ])('as %s is said with its source, and doctor', async (error, status) => {
    const refused = new EdgeError('status', status, error, 'no');
    const { code, lines } = await failing(refused, ['tasks', 'list'], { BAA_ROOT: '/srv/baa' }, LOCAL);
    expect(code).toBe(1);
    expect(lines[1]).toBe(
      'It is the edge of the root /srv/baa (BAA_ROOT); its address is from its state/system.json; the token is from the file operator.token of its state folder. conductor doctor --root /srv/baa looks for the cause',
    );
  });
});

it('an agent that cannot be reached is said as the agent', async () => {
  const { lines } = await failing(silent, ['status', '--local'], { BAA_ROOT: '/srv/baa' }, LOCAL);
  expect(lines[1]).toContain('It is the agent of the root /srv/baa');
});

it('a request that the edge refuses for itself says nothing of that', async () => {
  const refused = new EdgeError('status', 404, 'not_found', 'there is no task');
  const { lines } = await failing(refused, ['tasks', 'list'], { BAA_ROOT: '/srv/baa' }, LOCAL);
  expect(lines).toEqual(['conductor: not_found: there is no task']);
});
