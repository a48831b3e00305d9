import { describe, expect, it } from 'vitest';
import { RUN } from '../../../schema/defaults.ts';
import { OTHER_NODE } from '../support/conductor.ts';
import { EVENTS, NODE, rowsOf } from '../support/edge.ts';
import { SHELL, Tasks } from './support.ts';

const conductor = await new Tasks().start();
const { edge } = conductor;
const steps = (count: number) => Array.from({ length: count }, (_, at) => ({ ...SHELL, name: `step ${at}` }));

const USED = { input_tokens: 100, output_tokens: 5 };

describe('a task', () => {
  it('runs its steps in order, each with what the ones before it left', async () => {
    const constraints = { takeover_after_ms: 60_000, target_host: NODE };
    const { task_id } = await conductor.create({ steps: steps(2), goal: 'the goal', constraints });
    const first = await conductor.claimed();
    expect(first).toMatchObject({ task_id, step_index: 0, attempt: 1, status: 'prepared', kind: 'shell' });
    expect(first).toMatchObject({
      task: { goal: 'the goal', is_persons: true, constraints: { target_host: NODE } },
      worktree: { repo: null },
    });
    expect(await conductor.statuses(task_id)).toBe('running running pending');
    expect(await conductor.claim()).toMatchObject({ run: null, reason: 'nothing_to_claim' });
    await conductor.complete(first, { summary: 'first is done' });
    const second = await conductor.claimed();
    expect(second).toMatchObject({ task_id, step_index: 1, outputs: [{ status: 'done', summary: 'first is done' }] });
    await conductor.complete(second, { summary: 'all is done' });
    const detail = await conductor.detail(task_id);
    expect(detail).toMatchObject({ status: 'done', result_summary: 'all is done', assigned_controller_id: NODE });
    expect(detail.runs.map(({ status, exit_code }) => [status, exit_code])).toEqual([
      ['succeeded', 0],
      ['succeeded', 0],
    ]);
    expect(detail.finished_at).not.toBeNull();
  });

  it('gives a failed step its attempts, and fails with the last of them', async () => {
    const { task_id } = await conductor.create({ steps: steps(2) });
    const first = await conductor.claimed();
    await conductor.fail(first, { error_text: 'exit code 1', session_id: 'session-1', usage: USED });
    expect(await conductor.statuses(task_id)).toBe('running pending pending');
    const second = await conductor.claimed();
    expect(second).toMatchObject({ attempt: 2, previous: { run_id: first.run_id, session_id: 'session-1' } });
    const usage = { input_tokens: 50, cost_usd: 0.25 };
    await conductor.fail(second, { status: 'timeout', error_code: 'timeout', usage });
    expect(await conductor.statuses(task_id)).toBe('failed timeout canceled');
    const { error_code, steps: shown } = await conductor.detail(task_id);
    expect(error_code).toBe('timeout');
    // Of all attempts.
    expect(shown.map((step) => step.usage)).toEqual([{ input_tokens: 150, output_tokens: 5, cost_usd: 0.25 }, null]);
    await edge.data('POST', `/v1/tasks/${task_id}/retry`, { body: { reason: 'the disk was full' } });
    expect(await conductor.statuses(task_id)).toBe('queued pending pending');
    const again = await conductor.claimed();
    expect(again).toMatchObject({ attempt: 1, step_index: 0, previous: { run_id: second.run_id } });
    await conductor.complete(again);
    await conductor.complete(await conductor.claimed());
    expect(await edge.error('POST', `/v1/tasks/${task_id}/retry`, { body: {} })).toMatchObject({ status: 409 });
  });

  it('does not try again what its node calls final', async () => {
    const { task_id } = await conductor.create();
    await conductor.fail(await conductor.claimed(), { error_code: 'denied', final: true });
    expect(await conductor.detail(task_id)).toMatchObject({ status: 'failed', error_code: 'denied' });
  });

  it('gives the attempt back when a pause came before the start', async () => {
    const { task_id } = await conductor.create();
    await conductor.fail(await conductor.claimed(), { status: 'canceled', error_code: 'system_paused' });
    expect(await conductor.statuses(task_id)).toBe('running pending');
    expect(await conductor.claimed()).toMatchObject({ attempt: 1, task_id });
    await edge.data('POST', `/v1/tasks/${task_id}/cancel`, { body: {} });
  });

  it('announces what happens to it', async () => {
    const { task_id } = await conductor.create();
    await conductor.complete(await conductor.claimed());
    const events = await rowsOf<{ type: string }>(
      `SELECT type FROM ${EVENTS} WHERE topic = 'tasks' AND subject_id = ? ORDER BY seq`,
      task_id,
    );
    expect(events.map(({ type }) => type)).toEqual(['created', 'changed', 'step_changed', 'ended']);
  });
});

describe('a step that needs a person', () => {
  async function blocked(count = 2) {
    const { task_id } = await conductor.create({ steps: steps(count) });
    const run = await conductor.claimed();
    await conductor.fail(run, { status: 'blocked', error_code: 'needs_human', error_text: 'which of the two?' });
    return { task_id, run };
  }

  it('blocks its task until a person lets it continue', async () => {
    const { task_id, run } = await blocked();
    expect(await conductor.detail(task_id)).toMatchObject({ status: 'blocked', waiting_reason: 'needs_human' });
    const body = { outcome: 'done', note: 'the first one' };
    const path = `/v1/steps/${run.step_id}/resolve`;
    expect(await edge.data('POST', path, { body })).toMatchObject({ status: 'done', task_status: 'running' });
    expect(await edge.error('POST', path, { body })).toMatchObject({ status: 409, error: 'conflict' });
    const next = await conductor.claimed();
    expect(next).toMatchObject({ step_index: 1, outputs: [{ summary: 'the first one' }] });
    await conductor.complete(next);
  });

  it('fails its task when a person rejects it, and can be canceled', async () => {
    const { task_id, run } = await blocked();
    await edge.data('POST', `/v1/steps/${run.step_id}/resolve`, { body: { outcome: 'failed', note: 'no' } });
    expect(await conductor.detail(task_id)).toMatchObject({ status: 'failed', error_text: 'no' });
    const other = await blocked(1);
    await edge.data('POST', `/v1/tasks/${other.task_id}/cancel`, { body: {} });
    expect(await conductor.statuses(other.task_id)).toBe('canceled canceled');
  });
});

describe('canceling', () => {
  it('ends a queued task at once, and a running one through its node', async () => {
    const queued = await conductor.create();
    await edge.data('POST', `/v1/tasks/${queued.task_id}/cancel`, { body: {} });
    expect(await conductor.statuses(queued.task_id)).toBe('canceled canceled');
    const { task_id } = await conductor.create({ steps: steps(2) });
    const run = await conductor.claimed();
    const canceled = await edge.data<{ status: string }>('POST', `/v1/tasks/${task_id}/cancel`, { body: {} });
    expect(canceled).toMatchObject({ status: 'running' });
    expect(await conductor.heartbeat(run)).toMatchObject({ cancel: true });
    const [command] = await rowsOf<{ body: string }>(
      "SELECT body FROM commands WHERE kind = 'step.cancel' ORDER BY command_id DESC LIMIT 1",
    );
    expect(JSON.parse(command?.body ?? '{}')).toEqual({ run_id: run.run_id, step_id: run.step_id, reason: 'canceled' });
    await conductor.fail(run, { status: 'canceled', error_code: 'canceled' });
    expect(await conductor.statuses(task_id)).toBe('canceled canceled canceled');
    expect(await edge.error('POST', `/v1/tasks/${task_id}/cancel`, { body: {} })).toMatchObject({
      status: 409,
      error: 'already_finished',
    });
  });
});

describe('handing a task over', () => {
  it('lets its node give the run up, and another host continue it', async () => {
    const { task_id } = await conductor.create();
    const run = await conductor.claimed();
    const asked = await edge.data('POST', `/v1/tasks/${task_id}/hand-over`, { body: {} });
    expect(asked).toEqual({ task_id, run_id: run.run_id });
    expect(await conductor.heartbeat(run)).toMatchObject({ hand_over: true, cancel: false });
    await conductor.fail(run, { status: 'lost', error_code: 'handed_over' });
    // It leads still, and does not take back what it was asked to give up.
    expect(await conductor.claim()).toMatchObject({ run: null, reason: 'nothing_to_claim' });
    const next = await conductor.claimed({ term: undefined }, OTHER_NODE);
    expect(next).toMatchObject({ task_id, attempt: 1, previous: { controller_id: NODE, error_code: 'handed_over' } });
    expect(await conductor.refused(run, 'heartbeat', { checkpoint_seq: 0 })).toMatchObject({ error: 'stale_run' });
    await conductor.complete(next, {}, OTHER_NODE);
  });

  it('gives it back after a while, because there may be no other host', async () => {
    const { task_id } = await conductor.create({ steps: steps(2) });
    await conductor.fail(await conductor.claimed(), { status: 'lost', error_code: 'handed_over' });
    expect(await conductor.claim()).toMatchObject({ run: null });
    edge.now += RUN.hand_over_except_ms;
    await conductor.leads(NODE);
    expect(await conductor.claimed()).toMatchObject({ task_id });
    await edge.data('POST', `/v1/tasks/${task_id}/cancel`, { body: {} });
  });

  it('is refused for a task that is addressed to a host', async () => {
    const { task_id } = await conductor.create({ constraints: { target_host: 'mini' } });
    const run = await conductor.claimed();
    const error = await edge.error('POST', `/v1/tasks/${task_id}/hand-over`, { body: {} });
    expect(error).toMatchObject({ status: 409, error: 'conflict' });
    await conductor.complete(run);
  });

  it('needs a running step', async () => {
    const { task_id } = await conductor.create();
    const error = await edge.error('POST', `/v1/tasks/${task_id}/hand-over`, { body: {} });
    expect(error).toMatchObject({ status: 409, error: 'conflict' });
  });
});
