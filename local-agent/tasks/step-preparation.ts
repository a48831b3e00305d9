/** From a claimed step to what its runner starts, or to a verdict without a start. */
import { join } from 'node:path';
import { CheckpointDetailSchema } from '../../schema/contracts/runs.ts';
import { diffStat } from '../checkpoints/git-diff.ts';
import type { Prepared, StepView, Verdict } from '../executors/executor.ts';
import { failed } from '../executors/executor.ts';
import type { BoundExecutor } from '../executors/registry.ts';
import { executorFor } from '../executors/registry.ts';
import type { StepEffect } from '../policy/step-policy.ts';
import type { GitContext } from '../worktrees/git-command.ts';
import { GitError, gitMarkOf } from '../worktrees/git-command.ts';
import type { OpenedFolder } from '../worktrees/task-folder.ts';
import { isFolder, openTaskFolder } from '../worktrees/task-folder.ts';
import type { RunsHost } from './host.ts';
import type { StoredRun } from './run-store.ts';

export interface PreparedStep {
  executor: BoundExecutor;
  folder: OpenedFolder;
  prepared: Prepared;
}

/** The part of a step that the policy has rules for. */
export function effectOf(kind: string, input: Record<string, unknown>): StepEffect {
  if (kind === 'agent') return { type: 'agent' };
  if (kind === 'git') return input.action === 'push' ? { type: 'push' } : { type: 'none' };
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

/** The session of the attempt before, when it ran on this node. */
function resumableSession({ claim }: StoredRun, host: RunsHost): string | null {
  const { previous } = claim;
  return previous?.controller_id === host.nodeId ? previous.session_id : null;
}

async function viewOf(run: StoredRun, folder: OpenedFolder, host: RunsHost, signal: AbortSignal): Promise<StepView> {
  const { claim } = run;
  const { path, baseSha, repoPath, continuesWork } = folder;
  const index = join(host.worktreesDir, `.${claim.run_id}`);
  const shows = claim.kind === 'review' && baseSha !== null;
  const changes = shows ? await diffStat(path, baseSha, index, gitContextOf(host, claim.run_id, signal)(path)) : '';
  return {
    claim,
    folder: path,
    repoPath,
    baseSha,
    continuesWork,
    resumableSession: resumableSession(run, host),
    changes,
    agents: host.agents,
    agentVariables: host.agentVariables,
    newSessionId: host.newSessionId,
  };
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
  const ruling = host.judge(effectOf(claim.kind, claim.input), claim.task.is_persons);
  if (!ruling.allowed) return { verdict: failed('denied', ruling.text, { final: true }) };
  try {
    const folder = await openTaskFolder(claim, {
      ...host,
      gitContext: gitContextOf(host, run.run_id, signal),
      readPatch: (checkpointId) => readPatch(host, checkpointId),
      lastRunHere: (taskId, runId) => host.runs.lastOfTask(taskId, runId),
    });
    const prepared = executor.prepare(await viewOf(run, folder, host, signal));
    const cwd = prepared.type === 'launch' ? join(folder.path, prepared.launch.cwd) : folder.path;
    if (!isFolder(cwd))
      return { verdict: failed('folder_not_found', `${cwd}: the step runs there, and it is no folder`) };
    return { executor, folder, prepared };
  } catch (error) {
    return { verdict: unprepared(error) };
  }
}
