/** `init` on the first host of a deployed edge, and its questions. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../../../../local-agent/commands/main.ts';
import type { Prompts } from '../../../../local-agent/commands/prompts.ts';
import { CanceledError } from '../../../../local-agent/commands/prompts.ts';
import { resolveConfig } from '../../../../local-agent/config/resolve.ts';
import { EdgeError } from '../../../../local-agent/edge/http-client.ts';
import { readOwnFile, writeNewPrivateFile } from '../../../../local-agent/host/own-files.ts';
import type { CommandCall } from '../../../support/command-deps.ts';
import { commandWorld } from '../../../support/command-deps.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const EDGE = 'https://edge.example';
const NODE_TOKEN = 'baa_node';

/** An edge that knows an operator's token and, as `taken`, one node. */
function edge(taken: string | null = null) {
  return ({ path, method, body, token }: CommandCall) => {
    const row = {
      token_id: 'tok_1',
      subject: 'x',
      created_by: 'ops',
      created_at: 0,
      expires_at: null,
      revoked_at: null,
    };
    if (path === '/v1/session') {
      const of = token === 'baa_operator' ? ['ops_admin', null] : ['controller', 'mini'];
      return { ...row, role: of[0], controller_id: of[1], via: 'token' };
    }
    if (path.startsWith('/v1/controllers/')) {
      if (path.endsWith(`/${taken}`)) return {};
      throw new EdgeError('status', 404, 'controller_not_found', 'no such node');
    }
    if (method === 'GET') return { items: [], next_cursor: null };
    return { ...row, ...(body as object), last_used_at: null, token: NODE_TOKEN };
  };
}

/** A person who answers questions in order: the first piece of each question, and the answer. */
function person(
  answers: readonly (readonly [question: string, answer: string | null])[],
): Prompts & { asked: string[] } {
  const left = [...answers];
  const asked: string[] = [];
  const next = (question: string, byDefault: string, problem: (value: string) => string | null = () => null) => {
    const [expected = '', answer] = left.shift() ?? [];
    expect(question).toContain(expected);
    asked.push(`${expected} (${byDefault})`);
    const value = answer ?? byDefault;
    const refusal = problem(value);
    if (refusal !== null) throw new Error(`${question}: ${refusal}`);
    return Promise.resolve(value);
  };
  return {
    asked,
    text: next,
    secret: (question, problem) => next(question, '', problem),
    choose: (question, choices, byDefault) => next(`${question} [${choices.join()}]`, byDefault),
    confirm: () => Promise.reject(new Error('nothing is to be confirmed')),
  };
}

function newHost(over: { env?: Record<string, string>; prompts?: Prompts; taken?: string; piped?: string } = {}) {
  const root = join(tempDir(), 'root');
  const world = commandWorld(edge(over.taken), {
    env: over.env ?? {},
    prompts: over.prompts ?? null,
    readFile: readOwnFile,
    writeNewFile: writeNewPrivateFile,
    readSecret: async () => over.piped ?? '',
  });
  const config = () => resolveConfig({ flags: { root }, env: {}, readFile: readOwnFile }).config;
  return { root, world, config, init: (...args: string[]) => runCli(['init', '--root', root, ...args], world.deps) };
}

describe('init on the first host of a deployed edge', () => {
  const env = { BAA_OPERATOR_TOKEN: 'baa_operator' };

  it('it creates the token of the node, and keeps both tokens for their owner only', async () => {
    const { root, world, config, init } = newHost({ env });
    expect(await init('--control-api-base', EDGE, '--node-id', 'studio', '--role', 'primary')).toBe(0);
    const body = { role: 'controller', subject: 'studio', controller_id: 'studio' };
    expect(world.calls.at(-1)).toMatchObject({ method: 'POST', path: '/v1/tokens', token: 'baa_operator', body });
    const written = { nodeId: 'studio', role: 'primary', sharedToken: NODE_TOKEN, operatorToken: 'baa_operator' };
    expect(config()).toMatchObject({ ...written, controlApiBase: EDGE });
    for (const name of ['operator.token', 'shared.token'])
      expect(statSync(join(root, 'state', name)).mode & 0o777, name).toBe(0o600);
  });

  it('without an id the node has the name of the host', async () => {
    const { config, init } = newHost({ env });
    expect(await init('--control-api-base', EDGE, '--host', 'studio')).toBe(0);
    expect(config().nodeId).toBe('studio');
  });

  it('a node of that id is left alone, and no file is written', async () => {
    const { root, world, init } = newHost({ env, taken: 'studio' });
    expect(await init('--control-api-base', EDGE, '--node-id', 'studio')).toBe(1);
    expect(world.stderr()).toMatch('node studio exists already');
    expect(world.calls.filter(({ method }) => method === 'POST')).toEqual([]);
    expect(existsSync(join(root, 'config.toml'))).toBe(false);
  });
});

describe('the token of a node', () => {
  it('it settles the id of the node, so another one is refused', async () => {
    const { root, world, init } = newHost({ env: { BAA_SHARED_TOKEN: NODE_TOKEN } });
    expect(await init('--control-api-base', EDGE, '--node-id', 'studio')).toBe(2);
    expect(world.stderr()).toMatch('--node-id: the token belongs to the node mini');
    expect(existsSync(root)).toBe(false);
  });
});

describe('the questions of init', () => {
  const NEW_NODE = [
    ['Address of the edge', EDGE],
    ['Token', 'baa_operator'],
    ['Name of this host', 'studio'],
    ['Id of the new node', null],
    ['Role', null],
    ['Address on this host', null],
  ] as const;

  it('on a terminal everything that is missing is asked for, with its default', async () => {
    const prompts = person(NEW_NODE);
    const { config, init } = newHost({ prompts });
    expect(await init()).toBe(0);
    expect(prompts.asked).toEqual([
      'Address of the edge (http://127.0.0.1:8787)',
      'Token ()',
      expect.stringMatching(/^Name of this host \(.+\)$/),
      'Id of the new node (studio)',
      'Role (primary)',
      'Address on this host (http://127.0.0.1:4317)',
    ]);
    const written = { nodeId: 'studio', host: 'studio', role: 'primary', localApi: 'http://127.0.0.1:4317' };
    expect(config()).toMatchObject({ ...written, controlApiBase: EDGE, operatorToken: 'baa_operator' });
  });

  it('the token of a node answers the question for the id of the node', async () => {
    const prompts = person([NEW_NODE[0], ['Token', NODE_TOKEN], NEW_NODE[2], NEW_NODE[4], NEW_NODE[5]]);
    const { config, root, init } = newHost({ prompts });
    expect(await init()).toBe(0);
    expect(config()).toMatchObject({ nodeId: 'mini', role: 'standby', sharedToken: NODE_TOKEN });
    expect(existsSync(join(root, 'state/operator.token'))).toBe(false);
  });

  it('what an option or a variable says is not asked for', async () => {
    const prompts = person([NEW_NODE[0], NEW_NODE[4]]);
    const env = { BAA_OPERATOR_TOKEN: 'baa_operator', BAA_CONDUCTOR_HOST: 'studio' };
    const { init } = newHost({ prompts, env });
    expect(await init('--node-id', 'studio', '--local-api', 'http://127.0.0.1:4400')).toBe(0);
    expect(prompts.asked).toHaveLength(2);
  });

  it('with edge and token given nothing is asked for, on a terminal either', async () => {
    const { init } = newHost({ prompts: person([]), env: { BAA_SHARED_TOKEN: NODE_TOKEN } });
    expect(await init('--control-api-base', EDGE)).toBe(0);
  });

  it('an answer that the setting does not take is refused at the question', async () => {
    const { world, init } = newHost({ prompts: person([['Address of the edge', 'not an address']]) });
    expect(await init()).toBe(1);
    expect(world.stderr()).toMatch('Address of the edge: an http:// or https:// address');
  });

  it('without a terminal nothing is asked for, and the missing option is named', async () => {
    const { world, init } = newHost();
    expect(await init()).toBe(2);
    expect(world.stderr()).toMatch('--control-api-base is missing');
  });

  it('a person who leaves a question leaves nothing behind', async () => {
    const prompts = { ...person([]), text: () => Promise.reject(new CanceledError('canceled: nothing was changed')) };
    const { root, world, init } = newHost({ prompts });
    expect(await init()).toBe(1);
    expect(world.stderr()).toBe('conductor: canceled: nothing was changed');
    expect(existsSync(root)).toBe(false);
  });

  it('a root that is set up is refused before the first question', async () => {
    const first = newHost({ env: { BAA_SHARED_TOKEN: NODE_TOKEN } });
    await first.init('--control-api-base', EDGE);
    const before = readFileSync(join(first.root, 'config.toml'), 'utf8');
    const again = newHost({ prompts: person([]) });
    expect(await runCli(['init', '--root', first.root], again.world.deps)).toBe(1);
    expect(again.world.stderr()).toMatch('is set up already');
    expect(readFileSync(join(first.root, 'config.toml'), 'utf8')).toBe(before);
  });
});
