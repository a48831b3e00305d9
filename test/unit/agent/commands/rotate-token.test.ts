import { describe, expect, it } from 'vitest';
import { runCli } from '../../../../local-agent/commands/main.ts';
import { EdgeError } from '../../../../local-agent/edge/http-client.ts';
import type { CommandCall } from '../../../support/command-deps.ts';
import { commandWorld } from '../../../support/command-deps.ts';

const OPERATOR_FILE = '/srv/baa/state/operator.token';
const SHARED_FILE = '/srv/baa/state/shared.token';
const BASE = { BAA_ROOT: '/srv/baa', BAA_CONTROL_API_BASE: 'http://edge' };
const NEW = 'baa_new';

const row = {
  role: 'ops_admin',
  subject: 'ops',
  controller_id: null,
  created_by: 'bootstrap',
  created_at: 0,
  expires_at: null,
  revoked_at: null,
  last_used_at: null,
};

interface Given {
  env?: Record<string, string>;
  files?: Record<string, string>;
  rotate?: () => string;
}

const FILES = { [OPERATOR_FILE]: 'op\n', [SHARED_FILE]: 'node\n' };

/** A root with both tokens in files; the operator's is tok_op, the node's is tok_node. */
function scene({ env = BASE, files = FILES, rotate = () => NEW }: Given = {}) {
  const disk = new Map<string, string>(Object.entries(files));
  const order: string[] = [];
  const ids: Record<string, string> = { op: 'tok_op', node: 'tok_node' };
  const respond = ({ path, method, token }: CommandCall) => {
    order.push(`${method} ${path}`);
    if (path === '/v1/session')
      return {
        token_id: ids[token],
        role: 'ops_admin',
        subject: 'ops',
        controller_id: null,
        via: 'token',
        expires_at: null,
      };
    return { ...row, token_id: path.split('/')[3], token: rotate() };
  };
  const world = commandWorld(respond, {
    env,
    readFile: (path) => disk.get(path) ?? null,
    writeFile: (path, text) => {
      order.push(`write ${path}`);
      disk.set(path, text);
    },
  });
  return { ...world, disk, order };
}

describe('tokens rotate', () => {
  it('the operator’s own token is replaced in its file, and not printed', async () => {
    const world = scene();
    expect(await runCli(['tokens', 'rotate', 'tok_op'], world.deps)).toBe(0);
    expect(world.disk.get(OPERATOR_FILE)).toBe(`${NEW}\n`);
    expect(world.disk.get(SHARED_FILE)).toBe('node\n');
    expect(world.stdout()).toBe('');
    expect(world.stderr()).toBe(`tok_op has a new secret, and it is in ${OPERATOR_FILE}; the old one is invalid now`);
  });

  it('the node’s own token is replaced in its file, and the agent has to be restarted', async () => {
    const world = scene();
    expect(await runCli(['tokens', 'rotate', 'tok_node', '--json'], world.deps)).toBe(0);
    expect(world.disk.get(SHARED_FILE)).toBe(`${NEW}\n`);
    expect(JSON.parse(world.stdout())).toMatchObject({ token_id: 'tok_node', written_to: SHARED_FILE });
    expect(world.stdout()).not.toContain(NEW);
    expect(world.stderr()).toMatch('restart the agent of this node');
  });

  it('a token of another host is printed once, and no file changes', async () => {
    const world = scene();
    expect(await runCli(['tokens', 'rotate', 'tok_other'], world.deps)).toBe(0);
    expect(world.stdout()).toBe(NEW);
    expect(world.order).not.toContain(expect.stringMatching(/^write/));
    expect(world.disk.get(OPERATOR_FILE)).toBe('op\n');
  });

  it('an own token from the environment is printed with the variable that has to change', async () => {
    const world = scene({ env: { ...BASE, BAA_OPERATOR_TOKEN: 'op' }, files: {} });
    expect(await runCli(['tokens', 'rotate', 'tok_op'], world.deps)).toBe(0);
    expect(world.stdout()).toBe(NEW);
    expect(world.stderr()).toMatch('this host uses the old secret from BAA_OPERATOR_TOKEN: replace it there');
  });

  it('a file that cannot be written stops it before the old secret is gone', async () => {
    const world = scene();
    const deps = {
      ...world.deps,
      writeFile: () => {
        throw new Error('read-only file system');
      },
    };
    expect(await runCli(['tokens', 'rotate', 'tok_op'], deps)).toBe(1);
    expect(world.order.filter((step) => step.startsWith('POST'))).toEqual([]);
  });

  it('a file that fails after the rotation leaves the new secret on the screen', async () => {
    const world = scene();
    let writes = 0;
    const deps = {
      ...world.deps,
      writeFile: () => {
        writes += 1;
        if (writes > 1) throw new Error('no space left');
      },
    };
    expect(await runCli(['tokens', 'rotate', 'tok_op'], deps)).toBe(1);
    expect(world.stdout()).toBe(NEW);
    expect(world.stderr()).toMatch(`${OPERATOR_FILE} could not be written: no space left`);
  });

  it('a response that does not arrive is said to leave both secrets in doubt', async () => {
    const world = scene({
      rotate: () => {
        throw new EdgeError('network', 0, 'network', 'http://edge cannot be reached');
      },
    });
    expect(await runCli(['tokens', 'rotate', 'tok_op'], world.deps)).toBe(3);
    expect(world.stderr()).toMatch('the old secret may be invalid and the new one is lost');
  });
});
