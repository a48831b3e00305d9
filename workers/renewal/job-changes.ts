/** What a person does with a renewal job: redrive a failed one, cancel a waiting one. */
import { cancelJob, redriveJob } from '../../schema/domain/job-machine.ts';
import { AppError } from '../../schema/errors.ts';
import type { JobRow } from '../../schema/tables/index.ts';
import type { Database } from '../db/open.ts';
import type { Edge, WritePlan } from '../db/plan.ts';
import { findConversation } from './conversation-reads.ts';
import { findJob } from './job-reads.ts';
import type { StoredStep } from './job-steps.ts';
import { stepEvent, storeStep } from './job-steps.ts';

/** Throws `job_not_found`. */
export async function requireJob(db: Database, id: string): Promise<JobRow> {
  const job = await findJob(db, id);
  if (job === undefined) throw new AppError('job_not_found', `there is no job ${id}`);
  return job;
}

/** Gives a failed job all its attempts again. Throws `job_not_found`, and `conflict` for any other or superseded job. */
export async function redriveByPerson(edge: Edge, jobId: string): Promise<WritePlan<JobRow>> {
  const { db, now } = edge;
  const job = await requireJob(db, jobId);
  if (job.status !== 'failed')
    throw new AppError('conflict', `only a failed job can be retried; this is ${job.status}`);
  const conversation = await findConversation(db, job.local_conversation_id);
  if (conversation !== undefined && conversation.last_message_id !== job.message_id) {
    throw new AppError('conflict', 'a newer message has come since: this job is superseded');
  }
  return changeJob(edge, job, redriveJob(job, now));
}

/** Throws `job_not_found`, `conflict` while the job is being delivered, `already_finished` when it has ended. */
export async function cancelByPerson(edge: Edge, jobId: string): Promise<WritePlan<JobRow>> {
  const { db, now } = edge;
  const job = await requireJob(db, jobId);
  if (job.status === 'running') throw new AppError('conflict', 'this job is being delivered');
  if (job.status !== 'pending') throw new AppError('already_finished', `this job is ${job.status}`);
  const step = cancelJob(job, 'canceled_by_person', now);
  return changeJob(edge, job, { next: step.next, event: stepEvent(jobId, step) });
}

function changeJob(edge: Edge, job: JobRow, step: Omit<StoredStep, 'job'>): WritePlan<JobRow> {
  return {
    ...storeStep(edge, { job, ...step }),
    subject_id: job.job_id,
    response: { ...job, ...step.next, updated_at: edge.now },
  };
}
