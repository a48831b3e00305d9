import { describe, expect, it } from 'vitest';
import { TASK } from '../../../schema/defaults.ts';
import { rowsOf } from '../support/edge.ts';
import { SHELL, Tasks } from './support.ts';

const conductor = await new Tasks().start();
const { edge } = conductor;
const waitsFor = (...tasks: { task_id: string }[]) => ({ constraints: { after: tasks.map(({ task_id }) => task_id) } });
const cancel = (taskId: string) => edge.data('POST', `/v1/tasks/${taskId}/cancel`, { body: {} });
const retry = (taskId: string) => edge.data('POST', `/v1/tasks/${taskId}/retry`, { body: {} });

describe('a task that waits for others', () => {
  it('begins when all of them are done', async () => {
    const first = await conductor.create();
    const second = await conductor.create();
    const waiting = await conductor.create({ ...waitsFor(first, second), priority: 100 });
    expect(await conductor.detail(waiting.task_id)).toMatchObject({
      status: 'queued',
      waits_for: 2,
      waiting_reason: 'waits_for_tasks',
    });
    await conductor.complete(await conductor.claimed());
    expect(await conductor.detail(waiting.task_id)).toMatchObject({ waits_for: 1 });
    const run = await conductor.claimed();
    expect(run.task_id).toBe(second.task_id);
    await conductor.complete(run);
    const next = await conductor.claimed();
    expect(next.task_id).toBe(waiting.task_id);
    await conductor.complete(next);
  });

  it('does not wait for one that was done before', async () => {
    const first = await conductor.create();
    await conductor.complete(await conductor.claimed());
    const waiting = await conductor.create(waitsFor(first));
    expect(await conductor.claimed()).toMatchObject({ task_id: waiting.task_id });
  });

  it('is blocked while one of them has failed, until that is tried again', async () => {
    const first = await conductor.create();
    const second = await conductor.create();
    const waiting = await conductor.create(waitsFor(first, second));
    await conductor.fail(await conductor.claimed(), { final: true });
    expect(await conductor.detail(waiting.task_id)).toMatchObject({
      status: 'blocked',
      error_code: 'dependency_failed',
      waiting_reason: 'dependency_failed',
    });
    await cancel(second.task_id);
    await retry(first.task_id);
    // The other one is still canceled.
    expect((await conductor.detail(waiting.task_id)).status).toBe('blocked');
    await retry(second.task_id);
    expect(await conductor.detail(waiting.task_id)).toMatchObject({ status: 'queued', error_code: null });
    for (const task of [first, second, waiting]) {
      const run = await conductor.claimed();
      expect(run.task_id).toBe(task.task_id);
      await conductor.complete(run);
    }
  });

  it('is blocked from the beginning when one of them has failed already', async () => {
    const first = await conductor.create();
    await cancel(first.task_id);
    const waiting = await conductor.create(waitsFor(first));
    expect(waiting.status).toBe('blocked');
    await cancel(waiting.task_id);
    expect(await conductor.statuses(waiting.task_id)).toBe('canceled canceled');
  });

  it('that was canceled meanwhile waits for the rest when it is tried again', async () => {
    const first = await conductor.create();
    const waiting = await conductor.create(waitsFor(first));
    await cancel(waiting.task_id);
    await retry(waiting.task_id);
    expect(await conductor.claimed()).toMatchObject({ task_id: first.task_id });
    expect(await conductor.claim()).toMatchObject({ run: null });
  });

  it('sees the end of one that comes while it is created', async () => {
    const first = await conductor.create();
    const run = await conductor.claimed({ executors: ['shell'] });
    const waiting = await edge.race(
      () => conductor.create(waitsFor(first)),
      () => conductor.complete(run),
    );
    expect(run.task_id).toBe(first.task_id);
    expect(await conductor.detail(waiting.task_id)).toMatchObject({ waits_for: 0 });
    await conductor.complete(await conductor.claimed());
  });

  it('names a task that does not exist, and one that too many wait for', async () => {
    const body = { task_type: 'shell', title: 't', goal: 'g', steps: [SHELL] };
    const create = (more: object) => edge.error('POST', '/v1/tasks', { body: { ...body, ...more } });
    const unknown = { task_id: `task_${'0'.repeat(26)}` };
    expect(await create(waitsFor(unknown))).toMatchObject({ status: 400, details: { field: 'constraints.after' } });
    const wanted = await conductor.create();
    const rows = Array.from({ length: TASK.max_dependents }, (_, at) => `task-${at}`);
    await rowsOf(
      'INSERT INTO task_dependencies (after_task_id, task_id) SELECT ?1, value FROM json_each(?2)',
      wanted.task_id,
      JSON.stringify(rows),
    );
    expect(await create(waitsFor(wanted))).toMatchObject({ status: 400, details: { field: 'constraints.after' } });
  });
});

describe('creating a task', () => {
  const create = (body: object) => edge.error('POST', '/v1/tasks', { body });
  const body = { task_type: 'shell', title: 'a task', goal: 'say hello' };

  it.each([
    ['steps.0.input.argv', { steps: [{ kind: 'shell', name: 'x', input: {} }] }],
    ['steps.0.input.argv', { steps: [{ kind: 'shell', name: 'x', input: { argv: ['a'], script: 'b' } }] }],
    ['steps.0.input.cwd', { steps: [{ kind: 'shell', name: 'x', input: { argv: ['a'], cwd: '../up' } }] }],
    ['steps.0.input.agent', { steps: [{ kind: 'agent', name: 'x', input: {} }] }],
    ['steps.0.input.action', { steps: [{ kind: 'git', name: 'x', input: { action: 'reset' } }] }],
    ['steps.0.timeout_ms', { steps: [{ ...SHELL, timeout_ms: 5 }] }],
    ['constraints.takeover_after_ms', { constraints: { takeover_after_ms: 59_999 } }],
    ['branch_name', { repo: 'app', branch_name: '-f' }],
    ['branch_name', { repo: 'app', branch_name: 'a..b' }],
    ['branch_name', { repo: 'app', branch_name: 'conductor/task_of_another' }],
    ['task_type', { task_type: 'unknown' }],
    ['steps', { steps: [] }],
  ])('names the field %s', async (field, more) => {
    expect(await create({ ...body, ...more })).toMatchObject({ status: 400, details: { field } });
  });

  it('gives a template its steps, with the goal as the script of a shell task', async () => {
    const { task_id } = await edge.data<{ task_id: string }>('POST', '/v1/tasks', { body });
    const { steps } = await conductor.detail(task_id);
    expect(steps).toMatchObject([{ kind: 'shell', input: { script: 'say hello' }, max_attempts: 2 }]);
    await cancel(task_id);
  });

  it('refuses inputs that are too large together', async () => {
    const steps = Array.from({ length: 12 }, () => ({ ...SHELL, input: { script: 'x'.repeat(60_000) } }));
    expect(await create({ ...body, steps })).toMatchObject({ status: 400, details: { field: 'steps' } });
  });

  it('offers its first step to the node that may claim it', async () => {
    const { task_id } = await conductor.create({ constraints: { target_host: 'vps' } });
    const offers = await rowsOf<{ controller_id: string }>(
      "SELECT controller_id FROM commands WHERE kind = 'step.offer' AND body ->> 'task_id' = ?",
      task_id,
    );
    expect(offers.map(({ controller_id }) => controller_id)).toEqual(['vps-main']);
    await cancel(task_id);
  });
});

describe('planning a task', () => {
  const plan = async (taskId: string, more: object, nodeId?: string) => {
    const token = nodeId === undefined ? {} : { token: await conductor.token(nodeId) };
    return edge.call('POST', `/v1/tasks/${taskId}/plan`, { ...token, body: { steps: [SHELL, SHELL], ...more } });
  };
  const template = { steps: undefined };

  it('replaces the steps of one that has not begun', async () => {
    const { task_id } = await conductor.create({ priority: 1_000 });
    expect((await plan(task_id, {})).status).toBe(200);
    expect(await conductor.statuses(task_id)).toBe('queued pending pending');
    const run = await conductor.claimed();
    expect((await plan(task_id, {})).text).toContain('"error":"conflict"');
    await conductor.complete(run);
    await conductor.complete(await conductor.claimed());
  });

  it('by a node needs the live term, or a task that is addressed to it, and a creator who gave no steps', async () => {
    const { task_id } = await conductor.create(template);
    expect((await plan(task_id, {}, 'mini-main')).text).toContain('"error":"not_leader"');
    expect((await plan(task_id, { term: conductor.term - 1 }, 'mini-main')).text).toContain('"error":"stale_term"');
    expect((await plan(task_id, { term: conductor.term }, 'vps-main')).text).toContain('"error":"not_leader"');
    expect((await plan(task_id, { term: conductor.term }, 'mini-main')).status).toBe(200);
    await cancel(task_id);
    const addressed = await conductor.create({ ...template, constraints: { target_host: 'vps' } });
    expect((await plan(addressed.task_id, {}, 'mini-main')).text).toContain('"error":"not_owner"');
    expect((await plan(addressed.task_id, {}, 'vps-main')).status).toBe(200);
    await cancel(addressed.task_id);
    const given = await conductor.create();
    expect((await plan(given.task_id, { term: conductor.term }, 'mini-main')).text).toContain('"error":"conflict"');
    await cancel(given.task_id);
  });

  it('by a node makes it a task that no person approved, so that a stolen token gives no other host orders', async () => {
    const { task_id } = await conductor.create({ ...template, priority: 1_000 });
    expect((await conductor.detail(task_id)).is_persons).toBe(true);
    expect((await plan(task_id, { term: conductor.term }, 'mini-main')).text).toContain('"is_persons":false');
    const run = await conductor.claimed();
    expect(run).toMatchObject({ task_id, task: { is_persons: false } });
    await conductor.complete(run);
    await conductor.complete(await conductor.claimed());
    const persons = await conductor.create({ ...template, priority: 1_000 });
    await plan(persons.task_id, {});
    expect((await conductor.detail(persons.task_id)).is_persons).toBe(true);
    await cancel(persons.task_id);
  });
});
