import { describe, expect, it } from 'vitest';
import type { ClaimedRun } from '../../../schema/contracts/runs.ts';
import { OTHER_NODE } from '../support/conductor.ts';
import { NODE, rowsOf } from '../support/edge.ts';
import { SHELL, Tasks } from './support.ts';

const conductor = await new Tasks().start();
const { edge } = conductor;
const agent = (name: string) => ({ kind: 'agent', name: 'work', input: { agent: name } });

/** Cancels what a test has left to claim. */
async function clear(): Promise<void> {
  const { items } = await edge.data<{ items: { task_id: string }[] }>('GET', '/v1/tasks?status=queued&limit=200');
  for (const { task_id } of items) await edge.data('POST', `/v1/tasks/${task_id}/cancel`, { body: {} });
}

describe('a claim', () => {
  it('with the same key gets the same run', async () => {
    const { task_id } = await conductor.create();
    const first = await conductor.claimed({ claim_key: 'one-claim' });
    await conductor.create();
    expect(await conductor.claimed({ claim_key: 'one-claim' })).toEqual(first);
    expect((await conductor.detail(task_id)).runs).toHaveLength(1);
    await conductor.complete(first);
    expect(await conductor.claimed({ claim_key: 'one-claim' })).toMatchObject({ status: 'succeeded' });
    await clear();
  });

  it('takes the step with the highest priority, then one of a task that has begun, then the oldest', async () => {
    const begun = await conductor.create({ steps: [SHELL, SHELL] });
    const run = await conductor.claimed();
    const older = await conductor.create();
    const newer = await conductor.create();
    const urgent = await conductor.create({ priority: 90 });
    await conductor.complete(run);
    const order = [];
    for (let at = 0; at < 4; at += 1) order.push((await conductor.claimed()).task_id);
    expect(order).toEqual([urgent.task_id, begun.task_id, older.task_id, newer.task_id]);
  });

  it('takes only what the node has: repositories and executors, each agent by its name', async () => {
    const inRepo = await conductor.create({ repo: 'app' });
    const byCodex = await conductor.create({ steps: [agent('codex')] });
    expect(await conductor.claim({ repos: ['other'] })).toMatchObject({ run: null });
    expect(await conductor.claim({ executors: ['agent:claude', 'test'] })).toMatchObject({ run: null });
    expect(await conductor.claimed({ repos: ['other', 'app'] })).toMatchObject({
      task_id: inRepo.task_id,
      worktree: { repo: 'app', branch_name: `conductor/${inRepo.task_id}`, base_sha: null },
    });
    expect(await conductor.claimed({ executors: ['agent:codex'] })).toMatchObject({ task_id: byCodex.task_id });
  });

  it('gives a step of a kind that the edge does not know to any node, which fails it', async () => {
    const { task_id } = await conductor.create({ steps: [{ kind: 'teleport', name: 'go', input: { to: 'moon' } }] });
    const run = await conductor.claimed({ executors: [] });
    expect(run).toMatchObject({ task_id, kind: 'teleport', input: { to: 'moon' } });
    await conductor.fail(run, { error_code: 'unsupported_step_kind', final: true });
    expect(await conductor.detail(task_id)).toMatchObject({ status: 'failed', error_code: 'unsupported_step_kind' });
  });

  it('keeps the commit that the first run of a task reports', async () => {
    await conductor.create({ repo: 'app', base_ref: 'main', steps: [SHELL, SHELL] });
    const run = await conductor.claimed({ repos: ['app'] });
    await conductor.heartbeat(run, { started: true, base_sha: 'a'.repeat(40) });
    await conductor.heartbeat(run, { base_sha: 'b'.repeat(40) });
    await conductor.complete(run);
    const next = await conductor.claimed({ repos: ['app'] });
    expect(next.worktree).toMatchObject({ base_ref: 'main', base_sha: 'a'.repeat(40) });
    await conductor.complete(next);
  });

  it('two nodes never get the same step', async () => {
    await conductor.create({ constraints: { target_host: 'mini' } });
    let rival: unknown;
    const claim = await edge.race(
      () => conductor.claim({ term: undefined }),
      async () => {
        rival = await conductor.claim({ term: undefined });
      },
    );
    expect([claim, rival]).toContainEqual(expect.objectContaining({ run: null, reason: 'skipped_not_leader' }));
    expect([claim, rival].filter((one) => (one as { run_id?: string }).run_id !== undefined)).toHaveLength(1);
  });
});

describe('a step of a task that has begun', () => {
  it('is never given to two nodes', async () => {
    const target_host = 'mini';
    await conductor.create({ steps: [SHELL, SHELL], constraints: { target_host } });
    await conductor.complete(await conductor.claimed());
    const taken: ClaimedRun[] = [];
    // The task runs before and after the other claim: only its step says that it is taken.
    const claim = await edge.race(
      () => conductor.claim(),
      async () => taken.push(await conductor.claimed()),
    );
    expect(taken).toMatchObject([{ step_index: 1 }]);
    expect(claim).toMatchObject({ run: null });
    for (const run of taken) await conductor.complete(run);
  });

  it('is not reported by a run of another step', async () => {
    await conductor.create({ steps: [SHELL, SHELL] });
    const done = await conductor.claimed();
    await conductor.complete(done);
    const run = await conductor.claimed();
    const other = { ...run, step_id: done.step_id };
    expect(await conductor.refused(other, 'complete')).toMatchObject({ status: 409, error: 'stale_run' });
    await conductor.complete(run);
  });
});

describe('a claim that gets nothing', () => {
  it('may wait for an offer while no task is queued or running, also while one waits for a person', async () => {
    await clear();
    await rowsOf(`UPDATE tasks SET status = 'canceled' WHERE status IN ('queued', 'running')`);
    expect(await conductor.claim()).toMatchObject({ run: null, idle: true });
    await conductor.create({ repo: 'app' });
    expect(await conductor.claim()).toMatchObject({ run: null, idle: false });
    const run = await conductor.claimed({ repos: ['app'] });
    expect(await conductor.claim()).toMatchObject({ run: null, idle: false });
    await conductor.fail(run, { status: 'blocked', error_code: 'needs_human', error_text: 'which of the two?' });
    expect(await conductor.claim()).toMatchObject({ run: null, idle: true });
    expect(await conductor.claim({ term: undefined }, OTHER_NODE)).toMatchObject({ run: null, idle: true });
  });
});

describe('a claim of work that is addressed to a host', () => {
  it.each(['vps', OTHER_NODE])('is for the node %s, which does not lead', async (target_host) => {
    const { task_id } = await conductor.create({ constraints: { target_host } });
    expect(await conductor.claim()).toMatchObject({ run: null, reason: 'nothing_to_claim' });
    const run = await conductor.claimed({ term: undefined }, OTHER_NODE);
    expect(run).toMatchObject({ task_id });
    await conductor.complete(run, {}, OTHER_NODE);
  });
});

describe('a claim of work that is addressed to no host', () => {
  it('needs the term of the leader', async () => {
    await conductor.create();
    expect(await conductor.claim({ term: undefined })).toMatchObject({ run: null, reason: 'skipped_not_leader' });
    expect(await conductor.claimed()).toMatchObject({ attempt: 1 });
  });

  it('is refused to a node that names the term of another', async () => {
    await conductor.create();
    await expect(conductor.claim({}, OTHER_NODE)).rejects.toThrow('not_leader');
    await clear();
  });

  it('is refused in the batch when a newer term was granted after the node had been read', async () => {
    const { task_id } = await conductor.create();
    const old = conductor.term;
    const claim = edge.race(
      () => conductor.claim({ term: old }),
      async () => {
        await rowsOf('UPDATE fence SET term = term + 1, holder_id = ? WHERE id = 1', OTHER_NODE);
      },
    );
    await expect(claim).rejects.toThrow('stale_term');
    expect(await conductor.statuses(task_id)).toBe('queued pending');
    expect(await rowsOf('SELECT run_id FROM runs WHERE task_id = ?', task_id)).toEqual([]);
    await rowsOf('UPDATE fence SET term = ?, holder_id = ? WHERE id = 1', old, NODE);
    await clear();
  });

  it('is refused by the old term also when nothing waits', async () => {
    await expect(conductor.claim({ term: conductor.term - 1 })).rejects.toThrow('stale_term');
  });
});

describe('the system mode', () => {
  it('paused gives no claim', async () => {
    await conductor.create();
    await conductor.mode('pause');
    expect(await conductor.claim()).toMatchObject({ run: null, reason: 'system_paused' });
    await conductor.mode('resume');
    expect(await conductor.claimed()).toMatchObject({ attempt: 1 });
  });

  it('a pause that comes between the read and the batch gives no claim', async () => {
    const { task_id } = await conductor.create();
    const claim = await edge.race(
      () => conductor.claim(),
      () => conductor.mode('pause'),
    );
    expect(claim).toMatchObject({ run: null, reason: 'system_paused' });
    await conductor.mode('resume');
    expect(await conductor.statuses(task_id)).toBe('queued pending');
    await clear();
  });

  it('draining begins no task and continues those that have begun', async () => {
    const begun = await conductor.create({ steps: [SHELL, SHELL] });
    const run = await conductor.claimed();
    const waiting = await conductor.create({ priority: 99 });
    await conductor.mode('drain');
    expect(await conductor.claim()).toMatchObject({ run: null, reason: 'system_draining' });
    expect(await conductor.detail(waiting.task_id)).toMatchObject({ waiting_reason: 'system_draining' });
    await conductor.complete(run);
    const next = await conductor.claimed();
    expect(next).toMatchObject({ task_id: begun.task_id, step_index: 1 });
    await conductor.complete(next);
    await conductor.mode('resume');
    await clear();
  });
});

describe('a node that a person drains', () => {
  const drain = (on: boolean) => edge.data('POST', `/v1/controllers/${NODE}/drain`, { body: { on } });

  it('claims nothing, gives up what it runs, and claims again when the person says so', async () => {
    const { task_id } = await conductor.create();
    const run = await conductor.claimed();
    expect(await drain(true)).toMatchObject({ draining: true, runs: expect.arrayContaining([run.run_id]) });
    expect(await conductor.heartbeat(run)).toMatchObject({ hand_over: true });
    const { run_id, step_id } = run;
    expect(await edge.data('GET', `/v1/controllers/${NODE}`)).toMatchObject({
      draining: true,
      live_runs: expect.arrayContaining([expect.objectContaining({ run_id, task_id, step_id })]),
    });
    expect(await conductor.claim()).toMatchObject({ run: null, reason: 'node_draining' });
    await conductor.fail(run, { status: 'lost', error_code: 'handed_over' });
    await rowsOf('UPDATE steps SET except_until = 0');
    // Its heartbeat as a node does not end that.
    await conductor.act('/v1/controllers/heartbeat', { host: 'mini', role: 'primary', priority: 50, status: 'leader' });
    expect(await conductor.claim()).toMatchObject({ run: null, reason: 'node_draining' });
    expect(await drain(false)).toMatchObject({ draining: false, runs: [] });
    expect(await conductor.claimed()).toMatchObject({ task_id });
  });

  it('is asked to give up also what it claims at that moment', async () => {
    await conductor.create();
    const claims: ClaimedRun[] = [];
    const drained = await edge.race(
      () => drain(true),
      async () => claims.push(await conductor.claimed()),
    );
    expect((drained as { runs: string[] }).runs).toContain(claims[0]?.run_id);
    await drain(false);
  });

  it('does not get a step that it was about to claim', async () => {
    await conductor.create();
    const claim = await edge.race(
      () => conductor.claim(),
      () => drain(true),
    );
    expect(claim).toMatchObject({ run: null, reason: 'node_draining' });
    await drain(false);
    await clear();
  });
});

describe('a run that is bound to a worker', () => {
  it('is reported by that worker and by no other, also not by its node', async () => {
    await conductor.create();
    const run = await conductor.claimed({ worker_subject: 'worker-1' });
    const { token } = await edge.mint('worker', { subject: 'worker-1' });
    const { token: other } = await edge.mint('worker', { subject: 'worker-2' });
    const path = `/v1/steps/${run.step_id}/heartbeat`;
    const body = { run_id: run.run_id, checkpoint_seq: 0 };
    expect(await edge.data('POST', path, { token, body })).toMatchObject({ status: 'prepared' });
    expect(await edge.error('POST', path, { token: other, body })).toMatchObject({ error: 'not_owner' });
    expect(await conductor.refused(run, 'heartbeat', { checkpoint_seq: 0 })).toMatchObject({ error: 'not_owner' });
  });

  it('of another node is not reported by this one', async () => {
    await conductor.create();
    const run = await conductor.claimed();
    expect(await conductor.refused(run, 'complete', {}, OTHER_NODE)).toMatchObject({ status: 403, error: 'not_owner' });
    await conductor.complete(run);
  });
});

describe('the cost of a claim', () => {
  /** The rows that a claim reads. */
  async function rowsRead(): Promise<number> {
    const before = edge.lines.length;
    await conductor.claim({ repos: ['app', 'site'], executors: ['shell', 'test', 'agent:codex'] });
    return Number(edge.lines.slice(before).findLast((line) => line.path === '/v1/tasks/claim')?.rows_read);
  }

  it('does not grow with the steps that wait for others', async () => {
    await clear();
    const store = (from: number, to: number) => {
      const ids = Array.from({ length: to - from }, (_, at) => `step_${String(from + at).padStart(26, '0')}`);
      return rowsOf(
        `INSERT INTO steps (step_id, task_id, step_index, kind, name, input, status, attempt, max_attempts, timeout_ms,
        needs, target, priority, ready)
      SELECT value, value, 0, 'shell', 'x', '{}', 'pending', 0, 1, 1, 'another/shell', '', 50, 'begins' FROM json_each(?)`,
        JSON.stringify(ids),
      );
    };
    await store(0, 1);
    const few = await rowsRead();
    await store(1, 2_000);
    expect(await rowsRead()).toBe(few);
  });
});
