/** A checkpoint that takes long, as of gigabytes of build output, keeps neither the logs nor the end of a step waiting. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { newRepo, runGit } from '../../../support/git-repo.ts';
import type { ReportedRun } from '../../../support/runs-edge.ts';
import { openRunsScene } from '../../../support/runs-scene.ts';
import { until } from '../../../support/until.ts';

/** A repository in which taking the content of `slow.txt` waits for a gate the first time. */
async function openSlowScene() {
  const scene = await openRunsScene();
  const { root, open } = scene;
  const [entered, gate] = [join(root, 'entered'), join(root, 'gate')];
  const clean = `if [ -e ${entered} ]; then cat; exit; fi; touch ${entered}; while [ ! -e ${gate} ]; do sleep 0.05; done; cat`;
  const repo = newRepo();
  runGit(repo, 'config', 'filter.slow.clean', clean);
  writeFileSync(join(repo, '.gitattributes'), 'slow.txt filter=slow\n');
  runGit(repo, 'add', '-A');
  runGit(repo, 'commit', '--quiet', '-m', 'attributes');
  const worktree = { repo: 'app', base_ref: 'main', base_sha: null, branch_name: null, patch_checkpoint_id: null };
  const openNode = () => open({ repos: { app: repo }, checkpointIntervalMs: 50 });
  return { ...scene, node: openNode(), openNode, worktree, gate, hasEntered: () => existsSync(entered) };
}

const patchesOf = ({ checkpoints }: Pick<ReportedRun, 'checkpoints'>) =>
  checkpoints
    .filter(({ type }) => type === 'git_diff')
    .map(({ content = '' }) => Buffer.from(content, 'base64').toString());
const hasSlowFile = (run: ReportedRun) => patchesOf(run).some((text) => text.includes('+++ b/slow.txt'));

it('sends what the step prints meanwhile, and takes one checkpoint at a time', async () => {
  const { edge, node, offer, root, worktree, gate, hasEntered, ended } = await openSlowScene();
  const go = join(root, 'go');
  const script = `echo 1 > slow.txt; while [ ! -e ${go} ]; do sleep 0.05; done; echo meanwhile; sleep 600`;
  const claim = offer({ input: { script }, worktree });
  node.nodeRuns.wake();
  await until(hasEntered);
  writeFileSync(go, '');
  await until(() => edge.run(claim.run_id).text('stdout') === 'meanwhile\n');
  expect(hasSlowFile(edge.run(claim.run_id))).toBe(false);
  writeFileSync(gate, '');
  await until(() => hasSlowFile(edge.run(claim.run_id)));
  node.nodeRuns.stopRun(claim.run_id, 'canceled');
  expect((await ended(claim)).end).toMatchObject({ status: 'canceled' });
});

it('is ended with the step, whose last checkpoint has everything', async () => {
  const { offer, node, root, worktree, hasEntered, ended } = await openSlowScene();
  const go = join(root, 'go');
  const script = `echo 1 > slow.txt; while [ ! -e ${go} ]; do sleep 0.05; done; echo 2 > last.txt`;
  const claim = offer({ input: { script }, worktree });
  node.nodeRuns.wake();
  await until(hasEntered);
  writeFileSync(go, '');
  const { end, checkpoints } = await ended(claim);
  expect(end).toMatchObject({ status: 'succeeded' });
  const text = patchesOf({ checkpoints }).at(-1);
  expect(text).toContain('+++ b/slow.txt');
  expect(text).toContain('+++ b/last.txt');
});

it('does not outlive its agent, and the next one takes another', async () => {
  const { edge, offer, node, openNode, worktree, hasEntered, ended } = await openSlowScene();
  const claim = offer({ input: { script: 'echo 1 > slow.txt; sleep 600' }, worktree });
  node.nodeRuns.wake();
  await until(hasEntered);
  await node.stop();
  const next = openNode();
  await until(() => hasSlowFile(edge.run(claim.run_id)));
  next.nodeRuns.stopRun(claim.run_id, 'canceled');
  expect((await ended(claim)).end).toMatchObject({ status: 'canceled' });
});
