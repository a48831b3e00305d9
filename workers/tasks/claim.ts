/**
 * A node claims a step: the most urgent one that it may and can run becomes a run with a deadline. The claim is guarded
 * by the version of the mode, for a step that is addressed to no host also by the live term of its leader, and by the
 * step being ready still. The same `claim_key` gets the same run.
 */
import { eq, sql } from 'drizzle-orm';
import type { ClaimBody, ClaimedRun, ClaimResponse, NoRunReason } from '../../schema/contracts/runs.ts';
import { NEW_LOG } from '../../schema/contracts/runs.ts';
import { TASK } from '../../schema/defaults.ts';
import { moveStep } from '../../schema/domain/step-machine.ts';
import { claimScope, LEADERS_TARGET, whyNothing } from '../../schema/domain/task-claim.ts';
import { moveTask } from '../../schema/domain/task-machine.ts';
import { newId } from '../../schema/ids.ts';
import type { RunRow } from '../../schema/tables/index.ts';
import { runs, steps, tasks } from '../../schema/tables/index.ts';
import { guardLeader, guardModeVersion, guardThat } from '../db/guards.ts';
import type { Edge, WritePlan } from '../db/plan.ts';
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

async function take(
  edge: Edge,
  body: ClaimBody,
  { mode_version }: ClaimFacts,
  material: ClaimMaterial,
): Promise<WritePlan<ClaimResponse>> {
  const { db, now } = edge;
  const { controller_id, claim_key, term, worker_subject = null } = body;
  const { task, step } = material;
  const grace_ms = task.constraints.takeover_after_ms ?? TASK.takeover_after_ms;
  const run: RunRow = {
    run_id: newId('run', now),
    task_id: task.task_id,
    step_id: step.step_id,
    attempt: step.attempt + 1,
    status: 'prepared',
    controller_id,
    worker_subject,
    claim_key,
    grace_ms,
    deadline_at: now + grace_ms,
    ...NOTHING_REPORTED,
    created_at: now,
  };
  const begins = task.status === 'queued';
  const { run_id, attempt } = run;
  const byLeader = step.target === LEADERS_TARGET && term !== undefined;
  return {
    guards: [
      guardModeVersion(db, mode_version),
      ...(byLeader ? guardLeader(db, controller_id, term) : []),
      guardThat(
        db,
        sql`EXISTS (SELECT 1 FROM steps AS s JOIN tasks AS t USING (task_id) WHERE s.step_id = ${step.step_id}
          AND s.ready IS NOT NULL AND s.status = ${step.status} AND s.attempt = ${step.attempt}
          AND t.status = ${task.status} AND t.cancel_requested_at IS NULL)
          AND NOT EXISTS (SELECT 1 FROM nodes WHERE controller_id = ${controller_id} AND draining = 1)`,
      ),
    ],
    statements: [
      db.insert(runs).values(run),
      db
        .update(steps)
        .set({
          status: moveStep(step.status, 'running'),
          attempt,
          run_id,
          ready: null,
          started_at: step.started_at ?? now,
          finished_at: null,
        })
        .where(eq(steps.step_id, step.step_id)),
      db
        .update(tasks)
        .set({
          ...(begins ? { status: moveTask(task.status, 'running') } : {}),
          assigned_controller_id: controller_id,
          started_at: task.started_at ?? now,
          updated_at: now,
        })
        .where(eq(tasks.task_id, task.task_id)),
    ],
    events: [
      ...(begins
        ? [{ topic: 'tasks', type: 'changed', subject_id: task.task_id, data: { status: 'running' } } as const]
        : []),
      {
        topic: 'runs',
        type: 'claimed',
        subject_id: run_id,
        data: { task_id: task.task_id, step_id: step.step_id, step_index: step.step_index, attempt, controller_id },
      },
    ],
    subject_id: run_id,
    response: claimedRun(edge, run, material, mode_version),
  };
}

const NOTHING_REPORTED = {
  hand_over_at: null,
  interrupt_at: null,
  progress: null,
  exit_code: null,
  signal: null,
  summary: null,
  error_code: null,
  error_text: null,
  checkpoint_seq: 0,
  usage: null,
  session_id: null,
  log: NEW_LOG,
  started_at: null,
  finished_at: null,
} as const;

async function repeatClaim(edge: Edge, { mode_version }: ClaimFacts, runId: string): Promise<WritePlan<ClaimResponse>> {
  const run = await findRun(edge.db, runId);
  const material = run === undefined ? null : await readMaterial(edge.db, run.step_id, run);
  if (run === undefined || material === null) return none('nothing_to_claim');
  return { audited: false, response: claimedRun(edge, run, material, mode_version) };
}

function claimedRun(
  { now }: Edge,
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
    task: { title, goal, acceptance, task_type, is_persons },
    previous,
    outputs,
  };
}
