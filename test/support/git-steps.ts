/** The steps of one task in a repository, as an edge offers them: each with what the steps before it left. */
import type { ClaimedRun } from '../../schema/contracts/runs.ts';
import { newId } from '../../schema/ids.ts';
import type { openRunsScene } from './runs-scene.ts';

type Scene = Awaited<ReturnType<typeof openRunsScene>>;
type Step = Pick<ClaimedRun, 'input'> & Partial<Pick<ClaimedRun, 'kind' | 'previous' | 'max_checkpoint_bytes'>>;

export const shellStep = (script: string): Step => ({ input: { script } });
export const gitStep = (action: string, more: object = {}): Step => ({ kind: 'git', input: { action, ...more } });

/** `branch_name`: null for that of the conductor. */
export function openTaskIn({ edge, offer, ended }: Scene, over: Partial<ClaimedRun['worktree']> = {}) {
  const task_id = newId('task', Date.now());
  const worktree = { repo: 'app', base_ref: 'main', base_sha: null, patch_checkpoint_id: null, ...over };
  const branch = over.branch_name ?? `conductor/${task_id}`;
  let known = { ...worktree, branch_name: branch };
  let outputs: ClaimedRun['outputs'] = [];
  /** Resolves with the run when the edge has its end. */
  const run = async (node: { nodeRuns: { wake: () => void } }, step: Step) => {
    const claim = offer({ task_id, kind: 'shell', outputs, worktree: known, ...step });
    node.nodeRuns.wake();
    const { end, checkpoints, heartbeats } = await ended(claim);
    const base_sha = heartbeats.find((one) => one.base_sha !== undefined)?.base_sha ?? known.base_sha;
    const patch = checkpoints.findLast(({ type, truncated }) => type === 'git_diff' && !truncated);
    const patch_checkpoint_id = patch === undefined ? known.patch_checkpoint_id : `${claim.run_id}/${patch.seq}`;
    known = { ...known, base_sha, patch_checkpoint_id };
    const { step_id, run_id, kind, name } = claim;
    outputs = [...outputs, { step_id, run_id, kind, name, status: 'done', summary: null }];
    return { claim, end, run: edge.run(run_id) };
  };
  return { task_id, branch, run };
}
