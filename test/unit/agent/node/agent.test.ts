import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { AgentDeps } from '../../../../local-agent/agent.ts';
import { startAgent } from '../../../../local-agent/agent.ts';
import type { AgentOptions } from '../../../../local-agent/agent-life.ts';
import { resolveConfig } from '../../../../local-agent/config/resolve.ts';
import { createEdgeClient } from '../../../../local-agent/edge/http-client.ts';
import type { Clock } from '../../../../local-agent/lib/clock.ts';
import { systemClock } from '../../../../local-agent/lib/clock.ts';
import { makeRoot } from '../../../../local-agent/node/folders.ts';
import { openStore } from '../../../../local-agent/store/store.ts';
import { NODE_RUNS } from '../../../../schema/defaults.ts';
import { FakeEdge, leaseView } from '../../../support/fake-edge.ts';
import { serveStartUp } from '../../../support/lease-edge.ts';
import { tempDir } from '../../../support/temp-dir.ts';

let edge: FakeEdge;
beforeEach(async () => {
  edge = serveStartUp(await FakeEdge.start());
});
afterEach(() => edge.stop());

const deps: AgentDeps = {
  clock: systemClock,
  random: () => 0,
  newOutboxId: () => 'box',
  newBootId: () => 'boot',
  newTemporaryName: () => 'tmp',
  version: '1.2.3',
  pid: 1,
  env: {},
  log: pino({ level: 'silent' }),
  connect: (baseUrl, token, caller) => createEdgeClient({ baseUrl, token, now: systemClock.now, ...caller }),
};

function configOf(root: string, localApi = 'http://127.0.0.1:0') {
  const env = {
    BAA_ROOT: root,
    BAA_NODE_ID: 'node-a',
    BAA_CONTROL_API_BASE: edge.url,
    BAA_CONDUCTOR_LOCAL_API: localApi,
    BAA_SHARED_TOKEN: 'node-token',
  };
  const { config } = resolveConfig({ flags: {}, env, readFile: () => null });
  makeRoot(config);
  return config;
}

async function start(options: Partial<AgentOptions> & { root?: string; clock?: Clock } = {}) {
  const { root = tempDir(), once = false, clock = systemClock } = options;
  const agent = await startAgent(configOf(root), { ...deps, clock }, { warnings: ['careful'], once });
  let isStopped = false;
  const stop = async (how?: { callsEdge: boolean }) => {
    if (!isStopped) await agent.stop(how);
    isStopped = true;
  };
  onTestFinished(() => stop());
  return { agent, stop, root };
}

describe('an agent', () => {
  it('an agent registers, leads and sends hello, and its snapshot shows all of it', async () => {
    const { agent } = await start();
    const channel = await edge.channel();
    expect(await channel.frame('hello')).toMatchObject({
      controller_id: 'node-a',
      version: '1.2.3',
      boot_id: 'boot',
      term: 1,
    });
    expect(edge.requests.slice(0, 2).map(({ path }) => path)).toEqual([
      '/v1/controllers/heartbeat',
      '/v1/leader/acquire',
    ]);
    expect(edge.requests[0]?.body).toMatchObject({ controller_id: 'node-a', status: 'standby', version: '1.2.3' });
    expect(agent.snapshot()).toMatchObject({
      identity: { controller_id: 'node-a', role: 'standby' },
      lease: { state: 'leader', is_leader: true, term: 1, holder_id: 'node-a' },
      outbox: { outbox_id: 'box', pending: 0, refused: [] },
      warnings: ['careful'],
      program_path: { path: '/usr/local/bin:/usr/bin:/bin', left_out: [] },
    });
    expect(agent.snapshot().checklist.map(({ status }) => status)).toEqual(Array(6).fill('ok'));
  });

  it('an agent that the edge refuses shows the reason of the edge, and does not claim to take work', async () => {
    edge.on('POST', /heartbeat|acquire/, () => ({ error: 'not_owner' }));
    const { agent } = await start();
    const steps = agent.snapshot().checklist;
    const noteOf = (key: string) => steps.find((step) => step.key === key)?.note;
    expect(noteOf('register-controller')).toMatch('not_owner');
    expect(noteOf('acquire-lease')).toMatch('not_owner');
    expect(noteOf('start-scheduler')).toMatch(
      /^takes no work until the edge accepts this node \(degraded\); browsers connect to/,
    );
  });

  it('an agent releases its lease when a person drains the node, and leads again when that ends', async () => {
    const { agent } = await start();
    const channel = await edge.channel();
    await channel.frame('hello');
    channel.greet();
    await expect.poll(() => agent.snapshot().loops.heartbeat).toBe(true);
    const drain = (draining: boolean) => {
      edge.on('POST', /heartbeat/, ({ body }) => ({ data: { ...Object(body), draining } }));
      channel.send({ type: 'changed', topic: 'node', ids: ['node-a'] });
    };
    drain(true);
    await edge.seen(/release/);
    expect(await channel.frame('draining')).toEqual({ type: 'draining', draining: true });
    await expect.poll(() => agent.snapshot().lease).toMatchObject({ state: 'standby', draining: true });
    drain(false);
    channel.send({ type: 'lease.changed', lease: leaseView({ term: 1 }), candidate: true });
    await expect.poll(() => agent.snapshot().lease).toMatchObject({ state: 'leader', draining: false });
  });

  it('an agent that starts on a drained node requests no lease, and says why', async () => {
    edge.on('POST', /heartbeat/, ({ body }) => ({ data: { ...Object(body), draining: true } }));
    const { agent } = await start();
    expect(await (await edge.channel()).frame('hello')).toMatchObject({ draining: true });
    expect(edge.requests.filter(({ path }) => path.endsWith('/acquire'))).toEqual([]);
    const notes = Object.fromEntries(agent.snapshot().checklist.map(({ key, note }) => [key, note]));
    expect(notes['acquire-lease']).toBe('standby: a person drains this node, so it requests no lease');
    expect(notes['start-scheduler']).toMatch('takes no steps of tasks: a person drains this node');
  });

  it('an agent claims when its channel opens, and learns there of a drain whose notice it missed', async () => {
    const after: Clock['after'] = (delayMs, run) =>
      delayMs === NODE_RUNS.claim_interval_ms ? () => undefined : systemClock.after(delayMs, run);
    edge.on('POST', /claim$/, () => ({ data: { run: null, reason: 'node_draining' } }));
    edge.on('POST', /heartbeat/, ({ body }) => {
      const hasClaimed = edge.requests.some(({ path }) => path.endsWith('/claim'));
      return { data: { ...Object(body), draining: hasClaimed } };
    });
    const { agent } = await start({ clock: { ...systemClock, after } });
    const channel = await edge.channel();
    await channel.frame('hello');
    channel.greet();
    await edge.seen(/release/);
    await expect.poll(() => agent.snapshot().lease).toMatchObject({ state: 'standby', draining: true });
  });

  it('an agent reports a change of its status to the edge', async () => {
    await start();
    const reports = await edge.seen(/heartbeat/, 2);
    expect(reports[0]?.body).toMatchObject({ metadata: { outbox_depth: 0, outbox_refused: 0 } });
    expect(reports[1]?.body).toMatchObject({ status: 'leader' });
  });

  it('an agent shows its state to a caller with its token', async () => {
    const { agent } = await start();
    const response = await fetch(`${agent.snapshot().local_api}/v1/status`, {
      headers: { authorization: 'Bearer node-token' },
    });
    expect(await response.json()).toMatchObject({ ok: true, data: { lease: { state: 'leader' } } });
  });

  it('a stopped agent leaves no timer', async () => {
    const timers = new Set<() => void>();
    const clock: Clock = {
      ...systemClock,
      after(delayMs, run) {
        const cancel = systemClock.after(delayMs, () => {
          timers.delete(cancel);
          run();
        });
        const end = () => {
          timers.delete(cancel);
          cancel();
        };
        timers.add(cancel);
        return end;
      },
    };
    const { agent, stop } = await start({ clock });
    const channel = await edge.channel();
    await channel.frame('hello');
    channel.greet();
    await expect.poll(() => agent.snapshot().loops.heartbeat).toBe(true);
    await stop();
    expect(timers.size).toBe(0);
  });

  it('a stopping agent releases the lease and reports that it stops', async () => {
    const { stop } = await start();
    await (await edge.channel()).frame('hello');
    await stop();
    const [released] = await edge.seen(/release/);
    expect(released?.body).toEqual({ controller_id: 'node-a', term: 1 });
    expect((await edge.seen(/heartbeat/, 3)).at(-1)?.body).toMatchObject({ status: 'stopping' });
  });

  it('an agent whose edge has ended with its stack sends nothing to the port of that edge while it stops', async () => {
    const { agent, stop } = await start();
    const channel = await edge.channel();
    await channel.frame('hello');
    channel.greet();
    await expect.poll(() => agent.snapshot().loops.heartbeat).toBe(true);
    const before = edge.requests.length;
    await stop({ callsEdge: false });
    expect(edge.requests.slice(before)).toEqual([]);
  });

  it('an agent sends the rows of an earlier process under their keys', async () => {
    const root = tempDir();
    const store = openStore(join(root, 'state', 'agent.sqlite'), { now: () => Date.now(), newOutboxId: () => 'box' });
    const path = '/v1/commands/cmd_x/result';
    store.outbox.append({ stream: 'node', kind: 'command_result', method: 'POST', path, body: {}, context: {} });
    store.close();
    edge.on('POST', /result/, () => ({ data: { command_id: 'cmd_x', status: 'done' } }));
    await start({ root });
    const [sent] = await edge.seen(/result/);
    expect(sent?.headers['idempotency-key']).toBe('box/node/1');
  });

  it('an agent claims nothing before its first contact with the edge', async () => {
    edge.acceptsChannels = false;
    const root = tempDir();
    const store = openStore(join(root, 'state', 'agent.sqlite'), { now: () => Date.now(), newOutboxId: () => 'box' });
    const entry = { method: 'POST', body: {}, context: {} } as const;
    store.outbox.append({ ...entry, stream: 'conv:chatgpt:a', kind: 'ingest', path: '/v1/messages' });
    store.outbox.append({ ...entry, stream: 'node', kind: 'command_result', path: '/v1/commands/cmd_x/result' });
    store.close();
    edge
      .on('POST', /result/, () => ({ data: { command_id: 'cmd_x', status: 'done' } }))
      .on('POST', /messages/, () => ({ error: 'conflict' }));
    await start({ root });
    await edge.seen(/result/);
    expect(edge.requests.some(({ path }) => path === '/v1/messages')).toBe(false);
    edge.acceptsChannels = true;
    const channel = await edge.channel();
    await channel.frame('hello');
    channel.greet();
    expect(await edge.seen(/messages/)).toHaveLength(1);
  });

  it('a second agent on the same state folder is refused', async () => {
    const { root } = await start();
    await expect(startAgent(configOf(root), deps, { warnings: [], once: false })).rejects.toThrow(/another agent/);
  });

  it('an agent whose port is taken fails and leaves nothing running', async () => {
    const { agent } = await start();
    const address = agent.snapshot().local_api ?? '';
    const root = tempDir();
    await expect(startAgent(configOf(root, address), deps, { warnings: [], once: false })).rejects.toThrow(
      /taken|in use|EADDRINUSE/,
    );
    openStore(join(root, 'state', 'agent.sqlite'), { now: () => 0, newOutboxId: () => 'box' }).close();
  });
});

describe('run once', () => {
  it('an agent with --run-once registers and requests the lease, and opens nothing', async () => {
    const { agent } = await start({ once: true });
    expect(agent.snapshot()).toMatchObject({ lease: { state: 'leader' }, local_api: null, loops: { lease: false } });
    expect(edge.channels).toHaveLength(0);
  });

  it('an agent with --run-once is degraded when the edge does not respond', async () => {
    edge.on('POST', /./, () => 'drop');
    const { agent } = await start({ once: true });
    expect(agent.snapshot().lease.state).toBe('degraded');
    const [register, acquire] = agent.snapshot().checklist;
    expect([register?.status, acquire?.status]).toEqual(['failed', 'failed']);
  });
});
