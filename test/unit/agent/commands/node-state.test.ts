import { expect, it } from 'vitest';
import { runCli } from '../../../../local-agent/commands/main.ts';
import { nodeState } from '../../../../local-agent/commands/status.ts';
import { commandWorld } from '../../../support/command-deps.ts';
import { leaseView } from '../../../support/fake-edge.ts';

it.each([
  ['leader', { connected: true, contact_age_ms: 10 }, 'leader'],
  ['leader', { connected: false, contact_age_ms: 75_000 }, 'leader (not connected for 75 s)'],
  ['standby', { connected: false, contact_age_ms: 600_000 }, 'standby (not connected for 10 min)'],
  ['degraded', { connected: false, contact_age_ms: 3 * 3_600_000 }, 'degraded (not connected for 3 h)'],
  ['leader', { connected: false, contact_age_ms: null }, 'leader (not connected)'],
] as const)('a node that reported %s with %o is listed as %s', (status, presence, shown) => {
  expect(nodeState({ status, presence, draining: false })).toBe(shown);
});

it('a drained node is listed as drained', () => {
  const presence = { connected: true, contact_age_ms: 10 };
  expect(nodeState({ status: 'standby', presence, draining: true })).toBe('standby, drained');
});

/** The status of a system with one node. */
function statusOf(live_runs: object[]) {
  const node = {
    controller_id: 'mini-main',
    host: 'mini',
    role: 'primary',
    priority: 50,
    status: 'leader',
    version: '1.2.3',
    metadata: {},
    started_at: null,
    last_heartbeat_at: 0,
    draining: false,
    created_at: 0,
    presence: { connected: true, contact_age_ms: 10 },
    unreadable: [],
    live_runs,
  };
  const system = {
    mode: 'running',
    version: 1,
    hold: false,
    since: 0,
    requested_by: null,
    reason: null,
    holder_id: 'mini-main',
    lease_expires_at: null,
    term: 1,
    drained: false,
  };
  return {
    system,
    lease: leaseView({ holder_id: 'mini-main', term: 1 }),
    nodes: [node],
    clients: [],
    renewal: { pending: 0, running: 0, due: 0, next_due_at: null },
    tasks: { queued: 3, running: 1, blocked: 2, runs: live_runs.length },
    recent_tasks: [],
    ticks: [],
    recent_messages: [],
    recent_instructions: [],
  };
}

it('status lists the open tasks, and what each node runs, in words', async () => {
  const ids = { run_id: 'run_1', task_id: 'task_1', step_id: 'step_1' };
  const names = { task_title: 'tidy\u001b[31m up', step_name: 'work', status: 'running', created_at: 0 };
  const world = commandWorld(() => statusOf([{ ...ids, ...names, progress: 'waiting for the model' }]));
  expect(await runCli(['status'], world.deps)).toBe(0);
  expect(world.stdout()).toMatch(/^tasks +3 queued, 1 running, 2 waiting for a person$/m);
  expect(world.stdout()).toMatch(/^run_1 +mini-main +tidy.*up +work +waiting for the model +1970-01-01/m);
  expect(world.stdout()).not.toContain('\u001b');
});

it('status says so when no step runs', async () => {
  const world = commandWorld(() => statusOf([]));
  expect(await runCli(['status'], world.deps)).toBe(0);
  expect(world.stdout()).toContain('no step runs now');
});
