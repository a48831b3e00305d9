/** How runs and worktrees are kept from filling the disk. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { newId } from '../../../../schema/ids.ts';
import { openRunsScene } from '../../../support/runs-scene.ts';
import { until } from '../../../support/until.ts';

const WRITES_2_MIB = 'head -c 2097152 /dev/zero';

async function budgetScene(budgetMib: number) {
  const scene = await openRunsScene();
  const { offer, ended, root } = scene;
  const node = scene.open({ budgetMib });
  const total = () => Number(node.store.db.prepare('SELECT count(*) AS n FROM task_folders').get()?.n);
  const folder = (task_id: string) => join(root, 'runs', task_id);
  /** Runs a step of a task of its own; resolves when what it takes has been measured. */
  const run = async (taskStatus: string, script = WRITES_2_MIB) => {
    scene.edge.taskStatus = taskStatus;
    const task_id = newId('task', Date.now());
    const claim = offer({ task_id, input: { script } });
    node.nodeRuns.wake();
    await ended(claim);
    const isMeasured = () =>
      node.store.db.prepare('SELECT 1 FROM task_folders WHERE task_id = ?').get(task_id) !== undefined;
    await until(() => isMeasured() || !existsSync(folder(task_id)));
    return task_id;
  };
  return { ...scene, node, total, folder, run };
}

describe('runs that take more than the budget', () => {
  it('are removed, the task that was used longest ago first, and the log says so', async () => {
    const { node, folder, run } = await budgetScene(5);
    const tasks = [await run('done'), await run('failed'), await run('canceled')];
    await until(() => !existsSync(folder(tasks[0] ?? '')));
    expect(tasks.map((task) => existsSync(folder(task)))).toEqual([false, true, true]);
    expect(node.runs.tasks().map(({ task_id }) => task_id)).toEqual(expect.arrayContaining(tasks.slice(1)));
    await until(() => node.notices.length > 0);
    expect(node.notices[0]).toMatchObject([{ task_id: tasks[0] }, expect.stringContaining('runs_budget_mib')]);
  });

  it('stay while their task has not ended, and while one of them is under way', async () => {
    const { edge, folder, node, offer, run } = await budgetScene(1);
    const claim = offer({ input: { script: `${WRITES_2_MIB}; echo on; sleep 600` } });
    node.nodeRuns.wake();
    await until(() => edge.run(claim.run_id).text('stdout').endsWith('on\n'));
    const waiting = await run('running');
    const over = await run('done');
    await until(() => !existsSync(folder(over)));
    expect([claim.task_id, waiting].map((task) => existsSync(folder(task)))).toEqual([true, true]);
    node.nodeRuns.stopRun(claim.run_id, 'canceled');
    await until(() => edge.run(claim.run_id).end !== null);
  });

  it('are removed when their task has ended on another host', async () => {
    const { server, folder, node, open, root, run } = await budgetScene(100);
    const tasks = [await run('running'), await run('running'), await run('running')];
    const runOf = tasks.map((task) => node.runs.lastOfTask(task, '')?.run_id);
    node.store.db.exec('UPDATE task_folders SET used_at = used_at - 7200000');
    await node.stop();
    server.on('GET', /^\/v1\/runs\/[^/]+$/, ({ path }) => {
      const at = runOf.findIndex((id) => id !== undefined && path.endsWith(id));
      return at === 2 ? { error: 'run_not_found' } : { data: { task_status: ['done', 'running'][at] ?? null } };
    });
    open({ budgetMib: 1 });
    await until(() => !existsSync(folder(tasks[0] ?? '')) && !existsSync(folder(tasks[2] ?? '')));
    expect(existsSync(join(root, 'worktrees', tasks[0] ?? ''))).toBe(false);
    expect(existsSync(folder(tasks[1] ?? ''))).toBe(true);
  });

  it('of an earlier agent are measured once at the start', async () => {
    const { folder, node, open, run } = await budgetScene(100);
    const task = await run('done');
    node.store.db.exec('DELETE FROM task_folders; DELETE FROM runs');
    await node.stop();
    open({ budgetMib: 1 });
    await until(() => !existsSync(folder(task)));
  });
});
