/** The tasks, by status, repository and host. */
import type { z } from 'zod';
import { pageOf } from '../../../../schema/contracts/common.ts';
import { TASK_STATUSES, TaskSummarySchema } from '../../../../schema/contracts/tasks.ts';
import { makeVisibleLine } from '../../../../schema/domain/visible.ts';
import type { Column } from '../../parts/list.tsx';
import { List } from '../../parts/list.tsx';
import { Heading, Id, Status, When } from '../../parts/parts.tsx';
import { TASK_TONES } from '../../parts/tones.ts';
import { t, word } from '../../texts/texts.ts';

const PageSchema = pageOf(TaskSummarySchema);

export default function Tasks() {
  const columns: Column<z.output<typeof TaskSummarySchema>>[] = [
    { name: t('title'), cell: ({ task_id, title }) => <a href={`/tasks/${task_id}`}>{makeVisibleLine(title)}</a> },
    {
      name: t('status'),
      kind: 'tight',
      cell: ({ status }) => <Status kind="task" value={status} tone={TASK_TONES[status]} />,
    },
    {
      name: t('why'),
      cell: ({ error_code, result_summary }) =>
        error_code === null
          ? makeVisibleLine((result_summary ?? '').replaceAll(/\s+/g, ' '))
          : word('reason', error_code),
    },
    { name: t('repo'), kind: 'tight', cell: ({ repo }) => repo ?? '' },
    {
      name: t('node'),
      kind: 'tight',
      cell: ({ assigned_controller_id: id }) =>
        id === null ? '' : <a href={`/nodes/${encodeURIComponent(id)}`}>{id}</a>,
    },
    { name: t('updated'), kind: 'tight', cell: ({ updated_at }) => <When at={updated_at} /> },
    { name: t('id'), kind: 'tight', cell: ({ task_id: id }) => <Id id={id} href={`/tasks/${id}`} /> },
  ];
  return (
    <>
      <Heading title={t('nav_tasks')} />
      <List
        path="/v1/tasks"
        schema={PageSchema}
        topics={['tasks', 'runs']}
        columns={columns}
        keyOf={(row) => row.task_id}
        empty={t('no_tasks')}
        filters={[
          {
            name: 'status',
            label: t('status'),
            options: TASK_STATUSES.map((status) => [status, word('task', status)] as const),
          },
          { name: 'repo', label: t('repo') },
          { name: 'host', label: t('host') },
        ]}
      />
    </>
  );
}
