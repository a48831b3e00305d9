import { describe, expect, it } from 'vitest';
import { defaultDeps } from '../../../../local-agent/commands/deps.ts';
import { runCli } from '../../../../local-agent/commands/main.ts';
import type { CommandCall } from '../../../support/command-deps.ts';
import { commandWorld } from '../../../support/command-deps.ts';

const ROOT = '/srv/baa';
const PID = 41;
const RUNNING = {
  edge_url: 'http://127.0.0.1:9000',
  agent_url: 'http://127.0.0.1:9001',
  node_id: 'mini-main',
  pid: PID,
  version: '1.2.3',
};

/** A root with both tokens and, unless it is null, a record; no address is configured. */
function machine(record: object | null, env: Record<string, string> = {}) {
  const files: Record<string, string> = {
    [`${ROOT}/state/operator.token`]: 'operator',
    [`${ROOT}/state/shared.token`]: 'node',
    ...(record && { [`${ROOT}/state/system.json`]: JSON.stringify(record) }),
  };
  const respond = ({ method }: CommandCall): unknown => {
    if (method === 'GET') return { items: [], next_cursor: null };
    throw new Error('refused by this test');
  };
  return commandWorld(respond, {
    env: { BAA_ROOT: ROOT, ...env },
    readFile: (path) => files[path] ?? null,
    isAlive: ({ pid }) => pid === PID,
  });
}

describe('tokens of the command line', () => {
  it('the operator’s token goes to the edge of the root’s record', async () => {
    const world = machine(RUNNING);
    expect(await runCli(['tokens', 'list'], world.deps)).toBe(0);
    expect(world.calls).toMatchObject([{ base: RUNNING.edge_url, token: 'operator' }]);
  });

  it('the node’s token goes to the agent of the root’s record', async () => {
    const world = machine(RUNNING);
    expect(await runCli(['status', '--local'], world.deps)).toBe(0);
    expect(world.calls).toMatchObject([{ base: RUNNING.agent_url, token: 'node' }]);
  });

  it('an address of the configuration gets the token', async () => {
    const world = machine(null, { BAA_CONTROL_API_BASE: 'https://edge.example' });
    expect(await runCli(['tokens', 'list'], world.deps)).toBe(0);
    expect(world.calls).toMatchObject([{ base: 'https://edge.example', token: 'operator' }]);
  });

  it.each(['tokens list', 'status', 'status --local', 'pair', 'start'])(
    '%s sends no token to the usual ports when no address is known',
    async (command) => {
      const world = machine(null);
      expect(await runCli(command.split(' '), world.deps)).toBe(2);
      expect(world.calls).toEqual([]);
      expect(world.stderr()).toMatch(/no (edge|agent) is (known|named)/);
    },
  );

  it.each(['tokens list', 'status --local', 'pair'])(
    '%s sends no token to the ports of a system that has ended',
    async (command) => {
      const world = machine({ ...RUNNING, pid: PID + 1 });
      expect(await runCli(command.split(' '), world.deps)).toBe(3);
      expect(world.calls).toEqual([]);
      expect(world.stderr()).toMatch(
        /the system of \/srv\/baa does not run: start it with "npm start -- --root \/srv\/baa"/,
      );
    },
  );

  it('a host without an operator’s token says how to get one from another host', async () => {
    const world = machine(RUNNING);
    const { readFile } = world.deps;
    world.deps.readFile = (path) => (path.endsWith('operator.token') ? null : readFile(path));
    world.deps.env = { ...world.deps.env, npm_lifecycle_event: 'conductor' };
    expect(await runCli(['tokens', 'list'], world.deps)).toBe(2);
    expect(world.stderr()).toContain('/srv/baa/state/operator.token (mode 600)');
    expect(world.stderr()).toContain('npm run conductor -- tokens create --role browser_admin --subject NAME');
  });

  it('no token goes to the addresses of a system whose process id another process has', async () => {
    const world = machine({ ...RUNNING, pid: process.pid, began: 'another boot 1' });
    world.deps.isAlive = defaultDeps.isAlive;
    for (const command of [['tokens', 'list'], ['status', '--local'], ['pair']])
      expect(await runCli(command, world.deps)).toBe(3);
    expect(world.calls).toEqual([]);
  });

  it('no token goes to the usual port of the agent when the system runs without one', async () => {
    const world = machine({ ...RUNNING, agent_url: null });
    expect(await runCli(['status', '--local'], world.deps)).toBe(3);
    expect(world.calls).toEqual([]);
    expect(world.stderr()).toMatch(/no agent runs in the system of \/srv\/baa/);
  });
});

describe('the PATH of programs', () => {
  const ask = async (world: ReturnType<typeof machine>) => {
    expect(await runCli(['checklist'], world.deps)).toBe(0);
    return world.stdout();
  };
  /** An agent that responds with that part of its snapshot. */
  function agentWith(program_path: object) {
    const world = machine(RUNNING);
    world.deps.connect = () => ({
      call: async <T>({ schema }: { schema: { parse: (value: unknown) => T } }) => schema.parse({ program_path }),
      close: async () => undefined,
    });
    return world;
  }

  it('checklist shows the one of the running agent, and which folders it leaves out', async () => {
    const out = await ask(agentWith({ path: '/usr/bin:/bin', left_out: ['/srv/work/bin'] }));
    expect(out).toMatch(/^PATH of programs +\/usr\/bin:\/bin$/m);
    expect(out).toMatch(/^left out +\/srv\/work\/bin \(a chat can write there; program_path sets PATH\)$/m);
    expect(await ask(agentWith({ path: '/bin', left_out: [] }))).not.toMatch('left out');
  });

  it('checklist shows program_path, or what PATH will be, while no agent runs', async () => {
    expect(await ask(machine(null, { BAA_PROGRAM_PATH: '/opt/bin' }))).toMatch(/^PATH of programs +\/opt\/bin$/m);
    expect(await ask(machine(null))).toMatch(
      /^PATH of programs +the agent's own, without folders that a chat can write/m,
    );
  });
});

describe('the warnings of the local agent', () => {
  const snapshot = { warnings: ['policy.json is broken: no such key'] };
  const status = {
    system: { mode: 'running', mode_version: 1, reason: null, requested_by: null, source: null, updated_at: 0 },
  };

  it('status shows them beside the view of the edge', async () => {
    const world = machine(RUNNING);
    world.deps.connect = (base) => ({
      async call<T>({ schema }: { schema: { parse: (value: unknown) => T } }): Promise<T> {
        return base === RUNNING.agent_url ? schema.parse(snapshot) : (status as T);
      },
      async close() {},
    });
    expect(await runCli(['status', '--json'], world.deps)).toBe(0);
    expect(JSON.parse(world.stdout())).toEqual(status);
    expect(world.stderr()).toMatch('warning: policy.json is broken: no such key');
  });
});
