/** From a claimed step to what its runner starts, or to a verdict without a start. */
import { join } from 'node:path';
import type { ClaimedRun } from '../../schema/contracts/runs.ts';
import { CheckpointDetailSchema } from '../../schema/contracts/runs.ts';
import { OWN_BRANCH } from '../../schema/contracts/tasks.ts';
import { diffStat } from '../checkpoints/git-diff.ts';
import { sessionIdOf } from '../executors/dialects/dialect.ts';
import type { Prepared, StepView, Verdict } from '../executors/executor.ts';
import { failed } from '../executors/executor.ts';
import type { BoundExecutor } from '../executors/registry.ts';
import { executorFor } from '../executors/registry.ts';
import type { StepEffect } from '../policy/step-policy.ts';
import { runsOfTask } from '../runs/run-folder.ts';
import { runFolderPath } from '../runs/run-paths.ts';
import { readState } from '../runs/state-file.ts';
import type { GitContext } from '../worktrees/git-command.ts';
import { GitError, gitMarkOf } from '../worktrees/git-command.ts';
import type { OpenedFolder } from '../worktrees/task-folder.ts';
import { cwdProblem, openTaskFolder } from '../worktrees/task-folder.ts';
import { allBut, submodulesOf, worktreeContext } from '../worktrees/worktree-git.ts';
import { earlierStepsOf } from './earlier-steps.ts';
import type { RunsHost } from './host.ts';
import type { StoredRun } from './run-store.ts';

type GitStep = Pick<ClaimedRun, 'kind' | 'input' | 'worktree'>;

export interface PreparedStep {
  executor: BoundExecutor;
  folder: OpenedFolder;
  prepared: Prepared;
}

/** A merge and a commit move a branch; without a name it is one of the conductor's own. */
function gitEffect({ input, worktree: { branch_name } }: GitStep): StepEffect {
  if (input.action === 'push') return { type: 'push' };
  const isOwn = branch_name === null || OWN_BRANCH.test(branch_name);
  return input.action === 'merge' || (input.action === 'commit' && !isOwn) ? { type: 'merge' } : { type: 'none' };
}

/** The part of a step that the policy has rules for. */
function effectOf(claim: GitStep): StepEffect {
  const { kind, input } = claim;
  if (kind === 'agent') return { type: 'agent' };
  if (kind === 'git') return gitEffect(claim);
  if (kind !== 'shell' && kind !== 'test') return { type: 'none' };
  if (Array.isArray(input.argv)) return { type: 'exec', argv: input.argv.map(String) };
  return {
    type: 'script',
    script: typeof input.script === 'string' ? input.script : "the repository's own test command",
  };
}

export function gitContextOf(host: RunsHost, runId: string, signal: AbortSignal): (folder: string) => GitContext {
  return (folder) => ({ env: host.surroundings(folder), signal, mark: gitMarkOf(runId) });
}

async function readPatch(host: RunsHost, checkpointId: string): Promise<Buffer> {
  const [runId = '', seq = ''] = checkpointId.split('/');
  const path = `/v1/runs/${runId}/checkpoints/${seq}`;
  const { content } = await host.edge.call({ method: 'GET', path, schema: CheckpointDetailSchema });
  if (content === null) throw new GitError(`the edge no longer has the patch ${checkpointId}`, null);
  return Buffer.from(content, 'base64');
}

function hasWorkedHere(taskId: string, { runsDir }: RunsHost): boolean {
  return runsOfTask(runsDir, taskId).some(
    (ids) => (readState(runFolderPath(runsDir, ids))?.started_at ?? null) !== null,
  );
}

/** The session of the attempt before, when it ran on this node. */
function resumableSession({ claim }: StoredRun, host: RunsHost): string | null {
  const { previous } = claim;
  return previous?.controller_id === host.nodeId ? sessionIdOf(previous.session_id) : null;
}

async function viewOf(run: StoredRun, folder: OpenedFolder, host: RunsHost, signal: AbortSignal): Promise<StepView> {
  const { claim } = run;
  const { path, baseSha, repoPath, continuesWork, startsOver } = folder;
  const index = join(host.worktreesDir, `.${claim.run_id}`);
  const inRepo = gitContextOf(host, claim.run_id, signal);
  const worktree = () => (repoPath === null ? null : worktreeContext(repoPath, path, inRepo(repoPath)));
  const shown = claim.kind === 'review' && baseSha !== null ? worktree() : null;
  const changes = shown === null || baseSha === null ? '' : await diffStat(path, baseSha, index, shown);
  const used = claim.kind === 'git' ? worktree() : null;
  return {
    claim,
    folder: path,
    repoPath,
    baseSha,
    continuesWork,
    startsOver,
    resumableSession: resumableSession(run, host),
    earlier: earlierStepsOf(claim, host.runsDir),
    changes,
    git: used === null ? null : worktreeGit(used, baseSha),
    agents: host.agents,
    agentVariables: host.agentVariables,
    newSessionId: host.newSessionId,
  };
}

function worktreeGit({ env }: GitContext, baseSha: string | null): StepView['git'] {
  const { GIT_DIR: directory = '' } = env;
  return { directory, files: allBut(baseSha === null ? [] : submodulesOf(directory, baseSha)) };
}

/** The verdict on a step that this host cannot prepare. */
function unprepared(error: unknown): Verdict {
  if (error instanceof GitError) return failed('worktree_failed', error.message);
  return failed('preparation_failed', error instanceof Error ? error.message : String(error));
}

/** Never throws: what this host cannot prepare fails with the reason. */
export async function prepareStep(
  run: StoredRun,
  host: RunsHost,
  signal: AbortSignal,
): Promise<PreparedStep | { verdict: Verdict }> {
  const { claim } = run;
  const executor = executorFor(claim, host.agents);
  if ('problem' in executor) return { verdict: failed(executor.problem.code, executor.problem.text, { final: true }) };
  const ruling = host.judge(effectOf(claim), claim.task.is_persons);
  if (!ruling.allowed) return { verdict: failed('denied', ruling.text, { final: true }) };
  try {
    const folder = await openTaskFolder(claim, {
      ...host,
      gitContext: gitContextOf(host, run.run_id, signal),
      readPatch: (checkpointId) => readPatch(host, checkpointId),
      lastRunHere: (taskId, runId) => host.runs.lastOfTask(taskId, runId),
      hasWorkedHere: (taskId) => hasWorkedHere(taskId, host),
    });
    const prepared = executor.prepare(await viewOf(run, folder, host, signal));
    const problem = prepared.type === 'launch' ? cwdProblem(folder.path, prepared.launch.cwd) : null;
    if (problem !== null) return { verdict: failed('folder_not_found', problem) };
    return { executor, folder, prepared };
  } catch (error) {
    return { verdict: unprepared(error) };
  }
}
