/**
 * `deliveries.reconcile`: for a delivery whose response is overdue, queries the node that was asked to deliver, under a
 * new deadline; after ten minutes without a response the job fails as `delivery_unknown`. Nothing is sent again unchecked.
 */
import { decideOverdue } from '../../schema/domain/renewal.ts';
import type { JobRow } from '../../schema/tables/index.ts';
import { pushCommands } from '../nodes/push.ts';
import type { Runner, RunnerContext } from '../timed-jobs/job.ts';
import { deliveryQuery } from './delivery-query.ts';
import { overdueJobs } from './job-reads.ts';
import type { StoredStep } from './job-steps.ts';
import { stepEvent, takeSteps } from './job-steps.ts';

const MAX_PER_TICK = 50;

export const deliveriesReconcile: Runner = {
  name: 'deliveries.reconcile',
  ordinary: false,
  queries: { base: 4 },
  async run(context) {
    const { db, now } = context;
    const overdue = await overdueJobs(db, now, MAX_PER_TICK);
    if (overdue.length === 0) return 'idle';
    const decided = overdue.map((job) => ({ job, ...decideOverdue(job, now) }));
    const steps = decided.map((one): StoredStep => {
      if (!one.ask) return { job: one.job, next: one.step.next, event: stepEvent(one.job.job_id, one.step) };
      const command = deliveryQuery(one.job, now);
      return { job: one.job, next: one.next, ...(command && { command }) };
    });
    const taken = await takeSteps(context, steps);
    const stored = steps.filter(({ job }) => taken.has(job.job_id));
    report(
      context,
      decided.filter(({ job }) => taken.has(job.job_id)),
    );
    await pushCommands(
      context,
      stored.flatMap(({ command }) => command ?? []),
    );
    return 'ok';
  },
};

function report({ log }: RunnerContext, stored: readonly ({ job: JobRow } & ReturnType<typeof decideOverdue>)[]): void {
  for (const one of stored) {
    const { job_id, local_conversation_id, attempt_count } = one.job;
    if (one.ask) log('job_deferred', 'delivery_overdue', { job_id, local_conversation_id, attempt_count });
    else log(one.step.stage, one.step.result, { job_id, local_conversation_id, attempt_count });
  }
}
