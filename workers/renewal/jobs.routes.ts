/** Renewal jobs: reading them, beginning a failed one anew, canceling one. */
import { and } from 'drizzle-orm';
import { z } from 'zod';
import { timedJobs } from '../../durable-objects/stubs.ts';
import { idSchema, PageQuerySchema, pageOf } from '../../schema/contracts/common.ts';
import { JobStatusSchema, RenewalJobSchema } from '../../schema/contracts/renewal.ts';
import { cancelJob, redriveJob } from '../../schema/domain/job-machine.ts';
import { AppError } from '../../schema/errors.ts';
import type { JobRow } from '../../schema/tables/index.ts';
import { renewal_jobs } from '../../schema/tables/index.ts';
import { equals } from '../db/filters.ts';
import type { Database } from '../db/open.ts';
import type { MountedRoute } from '../http/route.ts';
import { PEOPLE, READERS, read, write } from '../http/route.ts';
import { findConversation } from './conversations.ts';
import { findJob, guardJob, listJobs, storeJob } from './jobs.ts';

const tag = 'renewal';
const JobParams = z.object({ job_id: idSchema('job') });

async function jobOf(db: Database, id: string): Promise<JobRow> {
  const row = await findJob(db, id);
  if (row === undefined) throw new AppError('job_not_found', `there is no job ${id}`);
  return row;
}

export const renewalJobs: readonly MountedRoute[] = [
  read(
    {
      method: 'get',
      path: '/v1/renewal/jobs',
      summary: 'Renewal jobs, newest first',
      tag,
      roles: READERS,
      query: PageQuerySchema.extend({
        status: JobStatusSchema.optional(),
        local_conversation_id: idSchema('lc').optional(),
        message_id: idSchema('msg').optional(),
      }),
      data: pageOf(RenewalJobSchema),
    },
    async ({ db, query }) =>
      listJobs(
        db,
        and(
          equals(renewal_jobs.status, query.status),
          equals(renewal_jobs.local_conversation_id, query.local_conversation_id),
          equals(renewal_jobs.message_id, query.message_id),
        ),
        query,
      ),
  ),
  read(
    {
      method: 'get',
      path: '/v1/renewal/jobs/:job_id',
      summary: 'One renewal job',
      tag,
      roles: READERS,
      params: JobParams,
      data: RenewalJobSchema,
      errors: ['job_not_found'],
    },
    async ({ db, params }) => jobOf(db, params.job_id),
  ),
  write(
    {
      method: 'post',
      path: '/v1/renewal/jobs/:job_id/retry',
      summary: 'Begin a failed job anew',
      tag,
      roles: PEOPLE,
      params: JobParams,
      body: z.strictObject({}),
      data: RenewalJobSchema,
      errors: ['job_not_found', 'conflict'],
    },
    async ({ env, db, now, params }) => {
      const job = await jobOf(db, params.job_id);
      if (job.status !== 'failed')
        throw new AppError('conflict', `only a failed job begins anew; this is ${job.status}`);
      const conversation = await findConversation(db, job.local_conversation_id);
      if (conversation !== undefined && conversation.last_message_id !== job.message_id) {
        throw new AppError('conflict', 'a newer message has come since: this job is superseded');
      }
      const { next, event } = redriveJob(job, now);
      return {
        guards: [guardJob(db, job)],
        statements: [storeJob(db, job.job_id, next, now)],
        events: [event],
        subject_id: job.job_id,
        response: { ...job, ...next, updated_at: now },
        after: () => timedJobs(env).due(now),
      };
    },
  ),
  write(
    {
      method: 'post',
      path: '/v1/renewal/jobs/:job_id/cancel',
      summary: 'Cancel a job that is not under way',
      tag,
      roles: PEOPLE,
      params: JobParams,
      body: z.strictObject({}),
      data: RenewalJobSchema,
      errors: ['job_not_found', 'conflict', 'already_finished'],
    },
    async ({ db, now, params }) => {
      const job = await jobOf(db, params.job_id);
      if (job.status === 'running') throw new AppError('conflict', 'this job is being delivered');
      if (job.status !== 'pending') throw new AppError('already_finished', `this job is ${job.status}`);
      const { next } = cancelJob(job, 'canceled_by_person', now);
      return {
        guards: [guardJob(db, job)],
        statements: [storeJob(db, job.job_id, next, now)],
        events: [{ topic: 'renewal', type: 'job_canceled', subject_id: job.job_id }],
        subject_id: job.job_id,
        response: { ...job, ...next, updated_at: now },
      };
    },
  ),
];
