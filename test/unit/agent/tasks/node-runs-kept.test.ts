/** The folder of a task that is done stays while something in it may be nowhere else. */
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { ClaimedRun } from '../../../../schema/contracts/runs.ts';
import { newRepo, runGit } from '../../../support/git-repo.ts';
import { openRunsScene } from '../../../support/runs-scene.ts';
import { until } from '../../../support/until.ts';

const worktree = { repo: 'app', base_ref: 'main', base_sha: null, branch_name: null, patch_checkpoint_id: null };

/** Runs one step of a task that is done with it, and a second task behind it whose folder is removed. */
async function openKeptScene(repos: Record<string, string> = { app: newRepo() }) {
  const scene = await openRunsScene();
  scene.edge.taskStatus = 'done';
  const node = scene.open({ repos });
  const folder = ({ task_id }: ClaimedRun) => join(scene.root, 'worktrees', task_id);
  const run = async (over: Partial<ClaimedRun>) => {
    const claim = scene.offer(over);
    node.nodeRuns.wake();
    await scene.ended(claim);
    return claim;
  };
  const settle = async () => {
    const empty = await run({ input: { script: 'true' } });
    await until(() => !existsSync(folder(empty)));
  };
  return { ...scene, node, folder, run, settle };
}

it('files of a task without a repository stay, and the log names their folder', async () => {
  const { node, folder, run, settle } = await openKeptScene({});
  const claim = await run({ input: { script: 'echo result > result.txt' } });
  await settle();
  expect(readFileSync(join(folder(claim), 'result.txt'), 'utf8')).toBe('result\n');
  const stays = node.notices.find(([, text]) => text.includes('the task has no repository'));
  expect(stays?.[0]).toMatchObject({ task_id: claim.task_id, path: folder(claim) });
});

it('work stays while the disk of its repository is away, also when the edge says a day later that the task is done', async () => {
  const repo = newRepo();
  const { edge, server, node, open, folder, run } = await openKeptScene({ app: repo });
  edge.taskStatus = 'running';
  const claim = await run({ input: { script: 'echo work > new.txt' }, worktree });
  await until(() => node.store.db.prepare('SELECT 1 FROM task_folders').get() !== undefined);
  node.store.db.exec('UPDATE task_folders SET used_at = used_at - 7200000');
  await node.stop();
  renameSync(repo, `${repo}.away`);
  server.on('GET', /^\/v1\/runs\/[^/]+$/, () => ({ data: { task_status: 'done' } }));
  const later = open({ repos: { app: repo } });
  await until(() => later.notices.some(([, text]) => text.includes('the repository app is not there')));
  expect(readFileSync(join(folder(claim), 'new.txt'), 'utf8')).toBe('work\n');
});

it('a worktree that its repository does not know any more stays', async () => {
  const repo = newRepo();
  const { folder, run, settle } = await openKeptScene({ app: repo });
  const forget = `rm -rf ${join(repo, '.git', 'worktrees')}`;
  const claim = await run({ input: { script: `echo work > new.txt; ${forget}` }, worktree });
  await settle();
  expect(existsSync(join(folder(claim), 'new.txt'))).toBe(true);
});

it('commits that no branch has stay', async () => {
  const { folder, run, settle } = await openKeptScene();
  const as = 'git -c user.name=a -c user.email=a@example.invalid';
  const script = `git switch -q --detach; echo 1 > f; git add f; ${as} commit -qm One`;
  const claim = await run({ input: { script }, worktree });
  await settle();
  expect(runGit(folder(claim), 'log', '-1', '--format=%s')).toBe('One');
});
