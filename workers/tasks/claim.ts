/**
 * A node claims a step: the most urgent one that it may and can run becomes a run with a deadline. The claim is guarded
 * by the version of the mode, for a step that is addressed to no host also by the live term of its leader, and by the
 * step being ready still. The same `claim_key` gets the same run.
 */
import type { ClaimBody, ClaimedRun, ClaimResponse, NoRunReason } from '../../schema/contracts/runs.ts';
import { claimScope, whyNothing } from '../../schema/domain/task-claim.ts';
import type { RunRow } from '../../schema/tables/index.ts';
import { guardLeader } from '../db/guards.ts';
import type { Edge, WritePlan } from '../db/plan.ts';
import { maxCheckpointBytes } from './checkpoint-bucket.ts';
import { claimPlan, newRun } from './claim-plan.ts';
import type { ClaimFacts, ClaimMaterial } from './claim-reads.ts';
import { findReadyStep, readClaimFacts, readMaterial } from './claim-reads.ts';
import { findRun } from './task-reads.ts';

/** Throws `stale_term` and `not_leader` for a term that this node does not hold. */
export async function claimStep(edge: Edge, body: ClaimBody): Promise<WritePlan<ClaimResponse>> {
  const { db } = edge;
  const { controller_id, claim_key, term, repos, executors } = body;
  const facts = await readClaimFacts(db, controller_id, claim_key);
  if (facts.repeated_run_id !== null) return repeatClaim(edge, facts, facts.repeated_run_id);
  const { mode, host, draining } = facts;
  const scope = claimScope({ mode, node: { controller_id, host, draining }, term, repos, executors });
  if (typeof scope === 'string') return none(scope);
  const stepId = await findReadyStep(edge, controller_id, scope);
  const material = stepId === null ? null : await readMaterial(db, stepId, null);
  if (material === null) return leaderless(edge, body, none(whyNothing({ mode, term })));
  return take(edge, body, facts, material);
}

const none = (reason: NoRunReason): WritePlan<ClaimResponse> => ({ audited: false, response: { run: null, reason } });

/** A term that has passed is refused also when nothing waits, so that its node stops to claim by it. */
function leaderless({ db }: Edge, { controller_id, term }: ClaimBody, plan: WritePlan<ClaimResponse>) {
  return term === undefined ? plan : { ...plan, guards: guardLeader(db, controller_id, term) };
}

function take(
  edge: Edge,
  body: ClaimBody,
  { mode_version }: ClaimFacts,
  material: ClaimMaterial,
): WritePlan<ClaimResponse> {
  const run = newRun(body, material, edge.now);
  return {
    ...claimPlan(edge, run, material, { mode_version, term: body.term }),
    subject_id: run.run_id,
    response: claimedRun(edge, run, material, mode_version),
  };
}

async function repeatClaim(edge: Edge, { mode_version }: ClaimFacts, runId: string): Promise<WritePlan<ClaimResponse>> {
  const run = await findRun(edge.db, runId);
  const material = run === undefined ? null : await readMaterial(edge.db, run.step_id, run);
  if (run === undefined || material === null) return none('nothing_to_claim');
  return { audited: false, response: claimedRun(edge, run, material, mode_version) };
}

function claimedRun(
  { env, now }: Edge,
  { run_id, attempt, status, deadline_at }: RunRow,
  { task, step, previous, outputs, patch_checkpoint_id }: ClaimMaterial,
  mode_version: number,
): ClaimedRun {
  const { task_id, title, goal, acceptance, task_type, is_persons, repo, base_ref, base_sha, branch_name } = task;
  const { step_id, step_index, kind, name, input, timeout_ms } = step;
  return {
    run_id,
    task_id,
    step_id,
    step_index,
    attempt,
    status,
    kind,
    name,
    input,
    worktree: { repo, base_ref, base_sha, branch_name, patch_checkpoint_id },
    timeout_ms,
    deadline_in_ms: Math.max(0, (deadline_at ?? now) - now),
    cancel: task.cancel_requested_at !== null,
    mode_version,
    max_checkpoint_bytes: maxCheckpointBytes(env),
    task: { title, goal, acceptance, task_type, is_persons },
    previous,
    outputs,
  };
}
