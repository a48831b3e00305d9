import { expect, it } from 'vitest';
import { takeCommand } from '../../../../local-agent/edge/commands.ts';
import { readState } from '../../../../local-agent/runs/state-file.ts';
import { newId } from '../../../../schema/ids.ts';
import { commandHandlers } from '../../../support/command-handlers.ts';
import { newRepo, runGit } from '../../../support/git-repo.ts';
import { openRunsScene } from '../../../support/runs-scene.ts';
import { until } from '../../../support/until.ts';

it('a run that is handed over has ended before its last checkpoint, which the edge gets before the run is given up', async () => {
  const { edge, offer, open, ended, file, folderOf } = await openRunsScene();
  const repo = newRepo();
  const worktree = {
    repo: 'app',
    base_ref: 'main',
    base_sha: runGit(repo, 'rev-parse', 'main'),
    branch_name: 'conductor/greet',
    patch_checkpoint_id: null,
  };
  // What it writes at its very end is in the patch only when the patch is taken after that.
  const script = "trap 'echo last > last.txt; exit 0' TERM; echo on; while :; do sleep 0.05; done";
  const claim = offer({ worktree, input: { script } });
  const node = open({ repos: { app: repo } });
  const run = edge.run(claim.run_id);
  await until(() => run.text('stdout') === 'on\n');
  const { run_id, step_id } = claim;
  const body = { run_id, step_id, reason: 'hand_over' } as const;
  const command_id = newId('command', Date.now());
  const command = { command_id, expires_in_ms: 60_000, kind: 'step.cancel', body } as const;
  takeCommand(node.store, commandHandlers(node.nodeRuns.commands), command, Date.now());
  // The fake edge takes no checkpoint after the end of a run.
  expect((await ended(claim)).end).toMatchObject({ status: 'lost', error_code: 'handed_over' });
  const patch = run.checkpoints.findLast(({ type }) => type === 'git_diff');
  expect(Buffer.from(patch?.content ?? '', 'base64').toString()).toContain('+last');
  const events = file(claim, 'events.jsonl').trimEnd().split('\n');
  const types = events.map((line) => (JSON.parse(line) as { type: string }).type);
  expect(types.lastIndexOf('checkpoint_saved')).toBeGreaterThan(types.indexOf('worker_exited'));
  expect(readState(folderOf(claim))).toMatchObject({ status: 'lost', error_code: 'handed_over' });
});
