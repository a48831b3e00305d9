/** `jobs`: renewals that wait, run, or have ended; one that failed may begin anew, one that waits may be canceled. */
import { RenewalJobSchema } from '../../schema/contracts/renewal.ts';
import { changeVerb } from './change.ts';
import { listVerb, showVerb } from './lists.ts';
import { moment, printFields } from './output.ts';
import type { Verb } from './verb.ts';

const PATH = '/v1/renewal/jobs';

const list = listVerb({
  about: 'renewal jobs, newest first',
  path: PATH,
  item: RenewalJobSchema,
  filters: {
    status: { query: 'status', about: 'pending, running, done, failed or canceled' },
    conversation: { query: 'local_conversation_id', about: 'of that conversation' },
  },
  head: ['ID', 'CONVERSATION', 'STATUS', 'ATTEMPT', 'NEXT', 'LAST ERROR'],
  row: (one) => [
    one.job_id,
    one.local_conversation_id,
    one.status,
    `${one.attempt_count}/${one.max_attempts}`,
    moment(one.next_attempt_at),
    one.last_error,
  ],
  none: 'no renewal job yet',
});

const show = showVerb(
  { about: 'one renewal job', argument: 'job', path: (id) => `${PATH}/${id}`, schema: RenewalJobSchema },
  (deps, item) => printFields(deps, { ...item }),
);

function jobVerb(name: 'retry' | 'cancel', about: string): Verb {
  return changeVerb({
    name,
    about,
    argument: 'job',
    idForm: 'job_…',
    path: (id) => `${PATH}/${id}/${name}`,
    takesReason: false,
    schema: RenewalJobSchema,
    said: (job) => `${job.job_id} is ${job.status}`,
  });
}

export const jobs: readonly Verb[] = [
  list,
  show,
  jobVerb('retry', 'begin a failed renewal anew'),
  jobVerb('cancel', 'end a renewal that is not under way'),
];
