/** A node with one real coding agent, a repository, and a scripted model. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { findProcessesNow } from '../../local-agent/worker-runner/find-processes.ts';
import { queryOf } from '../../local-agent/worker-runner/left-behind.ts';
import type { ClaimedRun } from '../../schema/contracts/runs.ts';
import { newId } from '../../schema/ids.ts';
import { FakeEdge } from '../support/fake-edge.ts';
import { newRepo, runGit } from '../support/git-repo.ts';
import { RunsEdge } from '../support/runs-edge.ts';
import { openRunsNode } from '../support/runs-node.ts';
import { claimedRun } from '../support/step-builders.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { claudeSettings, codexSettings } from './agent-settings.ts';
import { claudeProtocol } from './models/claude-protocol.ts';
import { codexProtocol } from './models/codex-protocol.ts';
import type { ModelAct } from './models/model-server.ts';
import { startModel } from './models/model-server.ts';

type AgentName = 'codex' | 'claude';

export async function openAgentScene(name: AgentName, command: string, script: readonly ModelAct[]) {
  const model = await startModel(name === 'codex' ? codexProtocol : claudeProtocol, script);
  const server = await FakeEdge.start();
  onTestFinished(() => server.stop());
  const edge = new RunsEdge(server);
  const repo = newRepo();
  const base_sha = runGit(repo, 'rev-parse', 'main');
  /** A host of its own: the agent there knows nothing of the sessions of another. */
  const openNode = (nodeId: string) => {
    const root = tempDir();
    const home = join(root, 'home');
    mkdirSync(home);
    const settings = (name === 'codex' ? codexSettings : claudeSettings)(command, home, model);
    const agents = { [name]: settings };
    const node = openRunsNode({ edgeUrl: server.url, root, nodeId, repos: { app: repo }, agents });
    onTestFinished(() => node.stop());
    node.start();
    return { node, root };
  };
  const { node, root } = openNode('mini-main');
  const task_id = newId('task', Date.now());
  const worktree = {
    repo: 'app',
    base_ref: 'main',
    base_sha,
    branch_name: 'conductor/greet',
    patch_checkpoint_id: null,
  };
  const offer = (overrides: Partial<ClaimedRun> = {}) => {
    const ids = { task_id, run_id: newId('run', Date.now()), step_id: newId('step', Date.now()) };
    const step = { kind: 'agent', input: { agent: name, prompt: 'Add hello.txt and run the check.' } };
    const claim = claimedRun({ ...ids, ...step, worktree, ...overrides });
    edge.waiting.push(claim);
    node.nodeRuns.wake();
    return claim;
  };
  const ended = async ({ run_id }: Pick<ClaimedRun, 'run_id'>) => {
    await until(() => edge.run(run_id).end !== null);
    return edge.run(run_id);
  };
  const left = ({ run_id }: Pick<ClaimedRun, 'run_id'>) => findProcessesNow(queryOf(null, run_id));
  /** What the step before left, as the edge passes it to the next one. */
  const behind = (claim: ClaimedRun) => ({
    outputs: [
      {
        step_id: claim.step_id,
        run_id: claim.run_id,
        kind: claim.kind,
        name: claim.name,
        status: 'done',
        summary: null,
      },
    ],
  });
  /** The same step again, behind the end of its first run. */
  const again = (claim: ClaimedRun, overrides: Partial<ClaimedRun> = {}) => {
    const end: Record<string, unknown> = edge.run(claim.run_id).end ?? {};
    const { error_code, session_id } = end;
    const previous = {
      run_id: claim.run_id,
      controller_id: 'mini-main',
      status: 'lost' as const,
      error_code: typeof error_code === 'string' ? error_code : null,
      session_id: typeof session_id === 'string' ? session_id : null,
    };
    return offer({ attempt: claim.attempt + 1, step_id: claim.step_id, previous, ...overrides });
  };
  return { model, edge, node, repo, root, worktree, openNode, offer, again, ended, left, behind, task_id };
}
