/** What following and ending a run share: the run, its record, its executor, and what is known of its folder. */

import { writeGitDiff } from '../checkpoints/git-diff.ts';
import type { OutputReader } from '../executors/executor.ts';
import type { BoundExecutor } from '../executors/registry.ts';
import type { Clock } from '../lib/clock.ts';
import type { GitContext } from '../worktrees/git-command.ts';
import { GitError } from '../worktrees/git-command.ts';
import { appendCommits } from '../worktrees/patch-commits.ts';
import { isFolder } from '../worktrees/task-folder.ts';
import { worktreeContext } from '../worktrees/worktree-git.ts';
import type { RunsHost } from './host.ts';
import type { RunRecord } from './run-record.ts';
import type { StoredRun } from './run-store.ts';
import { gitContextOf } from './step-preparation.ts';

export interface RunScene {
  run: StoredRun;
  host: RunsHost;
  record: RunRecord;
  /** Null when this host has none for the step. */
  executor: BoundExecutor | null;
  reader: OutputReader | null;
  /** The folder of the task. */
  path: string;
  repoPath: string | null;
  baseSha: string | null;
  signal: AbortSignal;
}

/** Saves what a later host needs to continue: the ends of the logs, and what has changed. */
export async function saveProgress(scene: RunScene, signal: AbortSignal = scene.signal): Promise<void> {
  const { record, run, host, path, repoPath, baseSha } = scene;
  await record.saveLogTail();
  if (baseSha === null || repoPath === null || !isFolder(path)) return;
  await record.saveFile('git_diff', async (file) => {
    const context = worktreeContext(repoPath, path, gitContextOf(host, run.run_id, signal)(repoPath));
    const { unsupported } = await writeGitDiff({ worktree: path, baseSha, file }, context);
    const maxBytes = run.claim.max_checkpoint_bytes;
    const work = { worktree: path, baseSha, file, maxBytes };
    if (unsupported.length === 0) await addCommits(work, context, host.log);
    if (unsupported.length > 0) {
      const paths = unsupported.join(', ');
      host.log.warn({ paths }, 'a patch cannot carry submodules and files of Git LFS: another host cannot continue');
    }
    return { isPartial: unsupported.length > 0 };
  });
}

/** A patch without its commits still has all files, so it is kept. */
async function addCommits(work: Parameters<typeof appendCommits>[0], context: GitContext, log: RunsHost['log']) {
  try {
    await appendCommits(work, context);
  } catch (error) {
    if (!(error instanceof GitError) || context.signal.aborted) throw error;
    log.warn({ error }, 'the commits of a task could not be added to its patch: another host gets its files alone');
  }
}

/** Resolves after `ms`, or when `wake` is called with the resolver. */
export function pause(clock: Clock, ms: number, onWake: (wake: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(ms, resolve);
    onWake(() => {
      cancel();
      resolve();
    });
  });
}
