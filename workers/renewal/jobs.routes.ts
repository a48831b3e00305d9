/** Renewal jobs: reading them, redriving a failed one, canceling a waiting one. */
import { z } from 'zod';
import { idSchema, PageQuerySchema, pageOf } from '../../schema/contracts/common.ts';
import { JobStatusSchema, RenewalJobSchema } from '../../schema/contracts/renewal.ts';
import type { MountedRoute } from '../http/route.ts';
import { PEOPLE, READERS, read, write } from '../http/route.ts';
import { cancelByPerson, redriveByPerson, requireJob } from './job-changes.ts';
import { listJobs } from './job-reads.ts';

const tag = 'renewal';
const JobParams = z.object({ job_id: idSchema('job') });

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
    async ({ db, query }) => listJobs(db, query),
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
    async ({ db, params }) => requireJob(db, params.job_id),
  ),
  write(
    {
      method: 'post',
      path: '/v1/renewal/jobs/:job_id/retry',
      summary: 'Retry a failed job with all its attempts',
      tag,
      roles: PEOPLE,
      params: JobParams,
      body: z.strictObject({}),
      data: RenewalJobSchema,
      errors: ['job_not_found', 'conflict'],
    },
    async (call) => redriveByPerson(call, call.params.job_id),
  ),
  write(
    {
      method: 'post',
      path: '/v1/renewal/jobs/:job_id/cancel',
      summary: 'Cancel a waiting job',
      tag,
      roles: PEOPLE,
      params: JobParams,
      body: z.strictObject({}),
      data: RenewalJobSchema,
      errors: ['job_not_found', 'conflict', 'already_finished'],
    },
    async (call) => cancelByPerson(call, call.params.job_id),
  ),
];
