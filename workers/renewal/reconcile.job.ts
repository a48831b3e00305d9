/**
 * `deliveries.reconcile`: a delivery without an answer past its deadline is asked about at the node that was to make
 * it, under a new deadline, and given up as `delivery_unknown` when ten minutes have brought no answer. It is never
 * sent again blindly.
 */
import { nodeHub } from '../../durable-objects/stubs.ts';
import { DEADLINE_MS } from '../../schema/domain/job-machine.ts';
import { decideOverdue } from '../../schema/domain/renewal.ts';
import { newId } from '../../schema/ids.ts';
import type { JobRow } from '../../schema/tables/index.ts';
import type { CommandDraft } from '../nodes/commands.ts';
import { toCommand } from '../nodes/commands.ts';
import type { Runner, RunnerContext } from '../timed-jobs/job.ts';
import type { StepRow } from './jobs.ts';
import { insertStepCommands, insertStepEvents, overdueJobs, storeSteps } from './jobs.ts';

const MAX_PER_TICK = 50;

export const deliveriesReconcile: Runner = {
  name: 'deliveries.reconcile',
  ordinary: false,
  async run(context) {
    const { env, db, now } = context;
    const overdue = await overdueJobs(db, now, MAX_PER_TICK);
    if (overdue.length === 0) return 'idle';
    const decided = overdue.map((job) => ({ job, ...decideOverdue(job, now) }));
    const questions = decided.flatMap((one) => (one.ask ? question(one.job, now) : []));
    const failed = decided.flatMap((one) => (one.ask ? [] : [{ job: one.job, step: one.step }]));
    const [taken] = await db.batch([
      storeSteps(
        db,
        decided.map((one) => unchanged(one.job, one.ask ? one.next : one.step.next)),
        now,
      ),
      insertStepCommands(db, questions, now),
      insertStepEvents(
        db,
        failed.map(({ job, step }) => ({
          job_id: job.job_id,
          status: step.next.status,
          type: step.stage,
          data: { result: step.result, attempt_count: step.next.attempt_count },
        })),
        now,
      ),
    ]);
    const done = new Set(taken.map((row) => row.job_id));
    report(context, decided, done);
    await Promise.allSettled(
      questions
        .filter((one) => done.has(one.body.job_id))
        .map((one) =>
          nodeHub(env, one.controller_id).push(one.controller_id, { type: 'command', command: toCommand(one, now) }),
        ),
    );
    return 'ok';
  },
};

function unchanged(job: JobRow, next: StepRow['next']): StepRow {
  const { job_id, status, attempt_count, plan_id, batch_id, target_snapshot } = job;
  return {
    job_id,
    was: { status, attempt_count, plan_id },
    next,
    plan_id,
    batch_id,
    target_snapshot,
    command_id: null,
  };
}

/** The question to the node that was asked to deliver; none when the job does not say who that was. */
export function question(job: JobRow, now: number): CommandDraft<'delivery.query'>[] {
  const sent = job.target_snapshot?.sent;
  if (sent === undefined || job.plan_id === null) return [];
  return [
    {
      command_id: newId('command', now),
      controller_id: sent.controller_id,
      kind: 'delivery.query',
      body: { job_id: job.job_id, attempt: job.attempt_count, plan_id: job.plan_id, command_id: sent.command_id },
      expires_at: now + DEADLINE_MS,
    },
  ];
}

function report(
  { log }: RunnerContext,
  decided: readonly ({ job: JobRow } & ReturnType<typeof decideOverdue>)[],
  done: Set<string>,
): void {
  for (const one of decided.filter(({ job }) => done.has(job.job_id))) {
    const { job_id, local_conversation_id, attempt_count } = one.job;
    if (one.ask) log('job_deferred', 'delivery_overdue', { job_id, local_conversation_id, attempt_count });
    else log(one.step.stage, one.step.result, { job_id, local_conversation_id, attempt_count });
  }
}
