/** The renewal jobs. */
import { pageOf } from '../../../../schema/contracts/common.ts';
import type { RenewalJob } from '../../../../schema/contracts/renewal.ts';
import { JOB_STATUSES, RenewalJobSchema } from '../../../../schema/contracts/renewal.ts';
import { makeVisibleLine } from '../../../../schema/domain/visible.ts';
import type { Column } from '../../parts/list.tsx';
import { List } from '../../parts/list.tsx';
import { Heading, Id, Status, When } from '../../parts/parts.tsx';
import { JOB_TONES } from '../../parts/tones.ts';
import { t, word } from '../../texts/texts.ts';
import { RenewalPictures } from './pictures.tsx';

const PageSchema = pageOf(RenewalJobSchema);

export default function Renewals() {
  const columns: Column<RenewalJob>[] = [
    {
      name: t('conversation'),
      cell: ({ local_conversation_id: id, target_snapshot }) => (
        <a href={`/conversations/${id}`}>{makeVisibleLine(target_snapshot?.page_title ?? id)}</a>
      ),
    },
    {
      name: t('status'),
      kind: 'tight',
      cell: ({ status }) => <Status kind="job" value={status} tone={JOB_TONES[status]} />,
    },
    { name: t('why'), cell: ({ last_error }) => (last_error === null ? '' : word('reason', last_error)) },
    {
      name: t('attempts'),
      kind: 'end',
      cell: ({ attempt_count, max_attempts }) => t('used_of', { used: attempt_count, max: max_attempts }),
    },
    {
      name: t('next_attempt'),
      kind: 'tight',
      cell: ({ status, next_attempt_at }) => <When at={status === 'pending' ? next_attempt_at : null} />,
    },
    { name: t('created'), kind: 'tight', cell: ({ created_at }) => <When at={created_at} /> },
    { name: t('id'), kind: 'tight', cell: ({ job_id: id }) => <Id id={id} href={`/renewals/${id}`} /> },
  ];
  return (
    <>
      <Heading title={t('nav_renewals')} />
      <RenewalPictures />
      <List
        path="/v1/renewal/jobs"
        schema={PageSchema}
        topics={['renewal']}
        columns={columns}
        keyOf={(row) => row.job_id}
        empty={t('no_renewals')}
        filters={[
          {
            name: 'status',
            label: t('status'),
            options: JOB_STATUSES.map((status) => [status, word('job', status)] as const),
          },
          { name: 'local_conversation_id', label: t('conversation'), placeholder: 'lc_…' },
        ]}
      />
    </>
  );
}
