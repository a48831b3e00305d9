import { beforeAll, describe, expect, it } from 'vitest';
import type { ClaimedRun } from '../../../schema/contracts/runs.ts';
import { rowsOf } from '../support/edge.ts';
import { SHELL, Tasks } from './support.ts';

const conductor = await new Tasks().start();
const { edge } = conductor;
const STORED = 2_000;

interface Cost {
  queries: number;
  rows_read: number;
  rows_written: number;
}

/** What D1 counts for the last request that `act` makes. */
async function costOf(act: () => Promise<unknown>): Promise<Cost> {
  await act();
  const { queries, rows_read, rows_written } = edge.lines.at(-1) as unknown as Cost;
  return { queries, rows_read, rows_written };
}

/** A task from its creation to its end, with the cost of each request. */
async function life(): Promise<Record<string, Cost>> {
  const steps = [SHELL, SHELL];
  const create = await costOf(() => conductor.create({ steps }));
  const claims: ClaimedRun[] = [];
  const claim = await costOf(async () => claims.push(await conductor.claimed()));
  const [run] = claims;
  if (run === undefined) throw new Error('no run was claimed');
  return {
    create,
    claim,
    start: await costOf(() => conductor.heartbeat(run, { started: true })),
    heartbeat: await costOf(() => conductor.heartbeat(run)),
    'first output': await costOf(() => conductor.logs(run, 'stdout', 0, 'one\n')),
    output: await costOf(() => conductor.logs(run, 'stdout', 4, 'two\n')),
    'end of a step': await costOf(() => conductor.complete(run)),
    'end of the task': await costOf(async () => {
      const next = await conductor.claimed();
      await conductor.complete(next);
    }),
  };
}

describe('the D1 rows of a task', () => {
  let empty: Record<string, Cost>;
  let full: Record<string, Cost>;
  beforeAll(async () => {
    // The newest event and audit rows are there.
    await life();
    empty = await life();
    const ids = JSON.stringify(Array.from({ length: STORED }, (_, at) => String(at).padStart(26, '0')));
    await rowsOf(
      `INSERT INTO tasks (task_id, status, task_type, title, goal, acceptance, priority, constraints, notify, hold_renewal,
        metadata, created_by, is_persons, has_own_steps, step_count, waits_for, current_step_index, created_at, updated_at)
      SELECT 'task_' || value, 'queued', 'shell', 't', 'g', '[]', 50, '{}', 0, 0, '{}', 'x', 1, 1, 1, 0, 0, 1, 1
        FROM json_each(?)`,
      ids,
    );
    await rowsOf(
      `INSERT INTO steps (step_id, task_id, step_index, kind, name, input, status, attempt, max_attempts, timeout_ms,
        needs, target, priority, ready)
      SELECT 'step_' || value, 'task_' || value, 0, 'shell', 'x', '{}', 'pending', 0, 1, 1, 'other/shell', '', 50, 'begins'
        FROM json_each(?)`,
      ids,
    );
    await rowsOf(
      `INSERT INTO runs (run_id, task_id, step_id, attempt, status, controller_id, claim_key, grace_ms, deadline_at,
        checkpoint_seq, log, created_at)
      SELECT 'run_' || value, 'task_' || value, 'step_' || value, 1, 'running', 'another', value, 1, 9e15, 0, '{}', 1
        FROM json_each(?)`,
      ids,
    );
    full = await life();
  });

  it('do not depend on how many tasks and runs are stored', () => {
    expect(full).toEqual(empty);
  });

  it.each([
    ['create', 15],
    ['claim', 10],
    ['start', 5],
    ['heartbeat', 0],
    ['first output', 2],
    ['output', 2],
    ['end of a step', 8],
    ['end of the task', 6],
  ])('that the request "%s" writes are at most %i', (name, most) => {
    expect(empty[name]?.rows_written, JSON.stringify(empty)).toBeLessThanOrEqual(most);
  });

  it.each([
    ['claim', 52],
    ['heartbeat', 6],
    ['end of a step', 26],
    ['end of the task', 22],
  ])('that the request "%s" reads are at most %i', (name, most) => {
    expect(empty[name]?.rows_read, JSON.stringify(empty)).toBeLessThanOrEqual(most);
  });
});

describe('the D1 rows of a claim', () => {
  it('are few when nothing is ready, also for a node that has much', async () => {
    await rowsOf(`DELETE FROM steps WHERE ready IS NOT NULL`);
    const repos = Array.from({ length: 8 }, (_, at) => `repo-${at}`);
    const executors = ['shell', 'test', 'merge', 'agent:claude', 'agent:codex'];
    const { rows_read } = await costOf(() => conductor.claim({ repos, executors }));
    expect(rows_read).toBeLessThanOrEqual(15);
  });
});

describe('the D1 statements of a run', () => {
  it.each([
    ['claim', 11],
    ['heartbeat', 5],
    ['end of a step', 15],
    ['end of the task', 16],
  ])('of the request "%s" are at most %i', async (name, most) => {
    const cost = await life();
    expect(cost[name]?.queries, JSON.stringify(cost)).toBeLessThanOrEqual(most);
  });
});
