import { describe, expect, it } from 'vitest';
import type { Status } from '../../../schema/contracts/status.ts';
import { RETENTION } from '../../../schema/defaults.ts';
import { OTHER_NODE } from '../support/conductor.ts';
import { NODE, rowsOf } from '../support/edge.ts';
import { SHELL, Tasks } from './support.ts';

const conductor = await new Tasks().start();
const { edge } = conductor;
const MINUTE_MS = 60_000;
const soon = { constraints: { takeover_after_ms: MINUTE_MS } };

describe('a run whose node does not report', () => {
  it('is lost after its deadline, and another host takes the step over', async () => {
    const { task_id } = await conductor.create(soon);
    const run = await conductor.claimed();
    expect(run.deadline_in_ms).toBe(MINUTE_MS);
    edge.now += MINUTE_MS - 1;
    await conductor.tick();
    expect(await conductor.statuses(task_id)).toBe('running running');
    edge.now += 1;
    await conductor.tick();
    const { runs, steps } = await conductor.detail(task_id);
    expect(runs).toMatchObject([{ status: 'lost', error_code: 'deadline', deadline_at: null }]);
    expect(steps).toMatchObject([{ status: 'pending', attempt: 1 }]);
    for (const [what, body] of [
      ['heartbeat', { checkpoint_seq: 0 }],
      ['logs', { chunks: [{ stream: 'stdout', offset: 0, data: btoa('late') }] }],
      ['complete', { exit_code: 0 }],
    ] as const) {
      expect(await conductor.refused(run, what, body), what).toMatchObject({ status: 409, error: 'stale_run' });
    }
    await conductor.leads(NODE);
    const taken = await conductor.claimed();
    expect(taken).toMatchObject({ task_id, attempt: 2, previous: { run_id: run.run_id, status: 'lost' } });
    // A stale report does not reach the run that has the step now.
    expect(await conductor.refused(run, 'complete', { exit_code: 0 })).toMatchObject({ error: 'stale_run' });
    await conductor.complete(taken);
  });

  it('keeps its claim while it reports, and most reports write nothing', async () => {
    await conductor.create(soon);
    const run = await conductor.claimed();
    for (let at = 0; at < 8; at += 1) {
      edge.now += 15_000;
      expect((await conductor.heartbeat(run)).deadline_in_ms).toBeGreaterThan(MINUTE_MS - 15_000);
      await conductor.tick();
    }
    const before = edge.lines.length;
    edge.now += 1_000;
    const { deadline_in_ms } = await conductor.heartbeat(run);
    expect(deadline_in_ms).toBe(MINUTE_MS - 1_000);
    expect(edge.lines.slice(before)).toMatchObject([{ rows_written: 0 }]);
    await conductor.complete(run);
  });

  it('ends its task when no attempt is left, in every mode', async () => {
    const { task_id } = await conductor.create({ ...soon, steps: [{ ...SHELL, max_attempts: 1 }] });
    await conductor.claimed();
    await conductor.mode('pause');
    edge.now += MINUTE_MS;
    await conductor.tick();
    expect(await conductor.detail(task_id)).toMatchObject({ status: 'failed', error_code: 'deadline' });
    await conductor.mode('resume');
  });

  it('ends canceled when its task was canceled', async () => {
    const { task_id } = await conductor.create(soon);
    await conductor.claimed();
    await edge.data('POST', `/v1/tasks/${task_id}/cancel`, { body: {} });
    edge.now += MINUTE_MS;
    await conductor.tick();
    expect(await conductor.statuses(task_id)).toBe('canceled canceled');
  });

  it('is not lost by a tick that read it before its report came', async () => {
    const { task_id } = await conductor.create(soon);
    const run = await conductor.claimed();
    edge.now += MINUTE_MS;
    await edge.race(
      () => conductor.tick(),
      () => conductor.heartbeat(run),
    );
    expect(await conductor.statuses(task_id)).toBe('running running');
    await conductor.complete(run);
  });
});

describe('an interrupting pause', () => {
  it('asks the nodes to end their runs, once, and their tasks are canceled', async () => {
    const { task_id } = await conductor.create({ steps: [SHELL, SHELL], priority: 1_000 });
    await conductor.leads(NODE);
    const run = await conductor.claimed();
    const pause = () => edge.data<{ summary: string }>('POST', '/v1/system/pause', { body: { interrupt: true } });
    expect((await pause()).summary).toContain('1 runs asked to end');
    expect((await pause()).summary).toContain('0 runs asked to end');
    expect(await conductor.heartbeat(run)).toMatchObject({ cancel: true });
    await conductor.fail(run, { status: 'canceled', error_code: 'interrupted' });
    expect(await conductor.statuses(task_id)).toBe('canceled canceled canceled');
    await conductor.mode('resume');
  });
});

describe('a restored database', () => {
  it('ends the tasks that it shows as open, and none of them runs again by itself', async () => {
    const queued = await conductor.create();
    const waiting = await conductor.create({ constraints: { after: [queued.task_id] } });
    await conductor.leads(NODE);
    const begun = await conductor.create({ priority: 90, steps: [SHELL, SHELL] });
    const run = await conductor.claimed();
    const check = await edge.data<{ quarantined: { tasks: number } }>('POST', '/v1/system/restore-check', {
      body: { force: true },
    });
    expect(check.quarantined.tasks).toBe(3);
    expect(await conductor.statuses(queued.task_id)).toBe('canceled canceled');
    expect(await conductor.statuses(waiting.task_id)).toBe('canceled canceled');
    expect(await conductor.statuses(begun.task_id)).toBe('failed failed canceled');
    expect(await conductor.refused(run, 'complete', { exit_code: 0 })).toMatchObject({ error: 'stale_run' });
    await conductor.leads(NODE);
    expect(await conductor.claim()).toMatchObject({ run: null });
    await edge.data('POST', `/v1/tasks/${begun.task_id}/retry`, { body: {} });
    expect(await conductor.claimed()).toMatchObject({ task_id: begun.task_id });
  });
});

describe('retention', () => {
  it('deletes a task that ended long ago with all that belongs to it, and nothing of others', async () => {
    await conductor.leads(NODE);
    const kept = await conductor.create({ steps: [SHELL] });
    await edge.data('POST', `/v1/tasks/${kept.task_id}/cancel`, { body: {} });
    const old = await conductor.create();
    const run = await conductor.claimed();
    const token = await conductor.token();
    const headers = { 'idempotency-key': `${'a'.repeat(36)}/run:${run.run_id}/1` };
    const chunks = [{ stream: 'stdout', offset: 0, data: btoa('out') }];
    const body = { run_id: run.run_id, chunks };
    await edge.data('POST', `/v1/steps/${run.step_id}/logs`, { token, body, headers });
    const sha256 = 'a'.repeat(64);
    await conductor.report(run, 'checkpoint', {
      seq: 1,
      type: 'log_tail',
      size: 9,
      sha256,
      truncated: true,
      content: btoa('out'),
    });
    await conductor.complete(run);
    await rowsOf('UPDATE tasks SET finished_at = ? WHERE task_id = ?', edge.now - RETENTION.task_ms - 1, old.task_id);
    await conductor.tick();
    for (const table of ['tasks', 'steps', 'runs', 'checkpoint_contents']) {
      expect(await rowsOf(`SELECT 1 FROM ${table} WHERE task_id = ?`, old.task_id), table).toEqual([]);
    }
    for (const table of ['run_logs', 'checkpoints']) {
      expect(await rowsOf(`SELECT 1 FROM ${table} WHERE run_id = ?`, run.run_id), table).toEqual([]);
    }
    expect(await rowsOf('SELECT 1 FROM outbox_marks WHERE stream = ?', `run:${run.run_id}`)).toEqual([]);
    expect(await conductor.statuses(kept.task_id)).toBe('canceled canceled');
  });
});

describe('the snapshot, the metrics and the end of draining', () => {
  it('show what each node runs, with its task, its step and what it does', async () => {
    await conductor.leads(NODE);
    await conductor.create({ title: 'tidy up' });
    const run = await conductor.claimed();
    await conductor.heartbeat(run, { started: true, progress: 'waiting for the model' });
    const { nodes } = await edge.data<Status>('GET', '/v1/status');
    const runsOf = (id: string) => nodes.find(({ controller_id }) => controller_id === id)?.live_runs;
    const { run_id, task_id, step_id } = run;
    const words = {
      task_title: 'tidy up',
      step_name: SHELL.name,
      status: 'running',
      progress: 'waiting for the model',
    };
    expect(runsOf(NODE)).toContainEqual({ run_id, task_id, step_id, ...words, created_at: expect.any(Number) });
    expect(runsOf(OTHER_NODE)).not.toContainEqual(expect.objectContaining({ run_id }));
    await conductor.complete(run);
    const after = await edge.data<Status>('GET', '/v1/status');
    expect(after.nodes.flatMap(({ live_runs }) => live_runs.map((live) => live.run_id))).not.toContain(run_id);
  });

  it('count what is open', async () => {
    await conductor.leads(NODE);
    await conductor.create();
    const run = await conductor.claimed();
    await conductor.create({ constraints: { target_host: OTHER_NODE } });
    type Snapshot = { tasks: { running: number; queued: number; runs: number }; recent_tasks: { title: string }[] };
    const { tasks, recent_tasks } = await edge.data<Snapshot>('GET', '/v1/status');
    expect(tasks.running).toBeGreaterThanOrEqual(1);
    expect(tasks.queued).toBeGreaterThanOrEqual(1);
    expect(tasks.runs).toBeGreaterThanOrEqual(1);
    expect(recent_tasks[0]).toMatchObject({ title: 'a task' });
    const metrics = (await edge.call('GET', '/v1/metrics')).text;
    expect(metrics).toContain(`conductor_tasks{status="running"} ${tasks.running}`);
    expect(metrics).toContain(`conductor_runs_live ${tasks.runs}`);
    await conductor.mode('drain');
    expect(await edge.data('GET', '/v1/system/state')).toMatchObject({ drained: false });
    await conductor.complete(run);
    await conductor.mode('resume');
  });
});
