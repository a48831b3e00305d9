/**
 * A node claims a step: the most urgent one that it may and can run becomes a run with a deadline. The claim is guarded
 * by the version of the mode, for a step that is addressed to no host also by the live term of its leader, and by the
 * step being ready still. The same `claim_key` gets the same run.
 */
import type { ClaimBody, ClaimedRun, ClaimResponse, NoRunReason } from '../../schema/contracts/runs.ts';
import { claimScope, whyNothing, widestScope } from '../../schema/domain/task-claim.ts';
import type { RunRow } from '../../schema/tables/index.ts';
import { guardLeader } from '../db/guards.ts';
import type { Edge, WritePlan } from '../db/plan.ts';
import { maxCheckpointBytes } from './checkpoint-bucket.ts';
import { claimPlan, newRun } from './claim-plan.ts';
import type { ClaimFacts, ClaimMaterial } from './claim-reads.ts';
import { readClaim, readReady, readRepeated } from './claim-reads.ts';

/** Throws `stale_term` and `not_leader` for a term that this node does not hold. */
export async function claimStep(edge: Edge, body: ClaimBody): Promise<WritePlan<ClaimResponse>> {
  const { controller_id, claim_key, term } = body;
  const widest = widestScope(body);
  const { facts, ready } = await readClaim(edge, { controller_id, claim_key, scope: widest });
  if (facts.repeated_run_id !== null) return repeatClaim(edge, facts, facts.repeated_run_id);
  const { mode, draining } = facts;
  const scope = claimScope({ ...body, mode, draining });
  if (typeof scope === 'string') return none(scope, false);
  // A draining system permits less than was read.
  const isNarrower = scope.ready.length < widest.ready.length;
  const material = isNarrower ? await readReady(edge, controller_id, scope) : ready;
  if (material === null) return leaderless(edge, body, none(whyNothing({ mode, term }), facts.idle));
  return take(edge, body, facts, material);
}

const none = (reason: NoRunReason, idle: boolean): WritePlan<ClaimResponse> => ({
  audited: false,
  response: { run: null, reason, idle },
});

/** A term that has passed is refused also when nothing waits, so that its node stops to claim by it. */
function leaderless({ db }: Edge, { controller_id, term }: ClaimBody, plan: WritePlan<ClaimResponse>) {
  return term === undefined ? plan : { ...plan, guards: [guardLeader(db, controller_id, term)] };
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
  const repeated = await readRepeated(edge.db, runId);
  if (repeated === null) return none('nothing_to_claim', false);
  return { audited: false, response: claimedRun(edge, repeated.run, repeated.material, mode_version) };
}

function claimedRun(
  { env, now }: Edge,
  { run_id, attempt, status, deadline_at }: RunRow,
  { task, step, previous, outputs, patch_checkpoint_id }: ClaimMaterial,
  mode_version: number,
): ClaimedRun {
  const {
    task_id,
    title,
    goal,
    acceptance,
    task_type,
    is_persons,
    constraints,
    repo,
    base_ref,
    base_sha,
    branch_name,
  } = task;
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
    task: { title, goal, acceptance, task_type, is_persons, constraints },
    previous,
    outputs,
  };
}
