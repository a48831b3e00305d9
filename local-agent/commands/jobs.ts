/** `jobs`: the renewal jobs. A failed one can be retried, a pending one canceled. */
import { JOB_STATUSES, RenewalJobSchema } from '../../schema/contracts/renewal.ts';
import { choiceOption, valueOption } from '../config/flags.ts';
import { changeCommand } from './change.ts';
import type { CliCommand } from './command.ts';
import { listCommand, showCommand } from './lists.ts';
import { moment, printFields, withMoments } from './output.ts';

const PATH = '/v1/renewal/jobs';
const job = { argument: 'job', idForm: 'job_…', schema: RenewalJobSchema };

const list = listCommand({
  about: 'list renewal jobs, newest first',
  examples: ['jobs list --status failed'],
  path: PATH,
  item: RenewalJobSchema,
  filters: {
    status: choiceOption('--status <status>', 'only jobs with that status', JOB_STATUSES),
    local_conversation_id: valueOption('--conversation <id>', 'only jobs of that conversation'),
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

const show = showCommand({
  ...job,
  about: 'show one renewal job',
  examples: ['jobs show JOB_ID'],
  path: (id) => `${PATH}/${id}`,
  print: (deps, item) => printFields(deps, withMoments(item)),
});

function jobChange(name: 'retry' | 'cancel', about: string): CliCommand {
  return changeCommand({
    ...job,
    name,
    about,
    examples: [`jobs ${name} JOB_ID`],
    path: (id) => `${PATH}/${id}/${name}`,
    takesReason: false,
    summary: ({ job_id, status }) => `${job_id} is ${status}`,
  });
}

export const jobs: readonly CliCommand[] = [
  list,
  show,
  jobChange('retry', 'retry a failed renewal'),
  jobChange('cancel', 'cancel a renewal that is not running'),
];
