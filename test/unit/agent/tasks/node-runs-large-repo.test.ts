/** A repository with 100,000 files. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { GIT_ENV, newRepo, runGit } from '../../../support/git-repo.ts';
import { gitStep, openTaskIn, shellStep } from '../../../support/git-steps.ts';
import { openRunsScene } from '../../../support/runs-scene.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { until } from '../../../support/until.ts';

const FILES = 100_000;

/** By plumbing: the files are never written into the folder of the repository itself. */
function newLargeRepo(): string {
  const repo = newRepo();
  const lines = ['commit refs/heads/large', 'committer T <t@example.invalid> 1 +0000', 'data 5', 'large'];
  for (let n = 0; n < FILES; n++) {
    const text = `${n}`;
    lines.push(`M 100644 inline d${n % 500}/f${n}`, `data ${text.length}`, text);
  }
  execFileSync('git', ['fast-import', '--quiet'], { cwd: repo, env: GIT_ENV, input: `${lines.join('\n')}\n` });
  return repo;
}

it('is checkpointed while a step runs, and moves to another host with its commit', { timeout: 300_000 }, async () => {
  const scene = await openRunsScene();
  const repo = newLargeRepo();
  const first = scene.open({ repos: { app: repo }, checkpointIntervalMs: 100 });
  const task = openTaskIn(scene, { base_ref: 'large' });
  const go = join(scene.root, 'go');
  const ends = task.run(
    first,
    shellStep(`echo changed > d7/f7; echo new > new.txt; until [ -e ${go} ]; do sleep 0.1; done`),
  );
  const patched = () =>
    [...scene.edge.runs.values()].some((run) =>
      run.checkpoints.some(({ type, size }) => type === 'git_diff' && size > 0),
    );
  await until(patched);
  execFileSync('touch', [go]);
  expect((await ends).end).toMatchObject({ status: 'succeeded' });
  expect((await task.run(first, gitStep('commit'))).end).toMatchObject({ status: 'succeeded' });
  await first.stop();
  const other = scene.open({ root: tempDir(), nodeId: 'other', repos: { app: repo } });
  expect((await task.run(other, gitStep('merge', { into: 'large' }))).end).toMatchObject({ status: 'succeeded' });
  expect(runGit(repo, 'diff', '--name-status', 'large~1', 'large').split('\n')).toEqual(['M\td7/f7', 'A\tnew.txt']);
});
