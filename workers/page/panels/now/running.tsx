/** What runs at this moment. */
import { pageOf } from '../../../../schema/contracts/common.ts';
import { InstructionSchema } from '../../../../schema/contracts/instructions.ts';
import { RenewalJobSchema } from '../../../../schema/contracts/renewal.ts';
import { TaskSummarySchema } from '../../../../schema/contracts/tasks.ts';
import { callName } from '../../../../schema/contracts/tools.ts';
import { makeVisibleLine } from '../../../../schema/domain/visible.ts';
import { useRead } from '../../page-context.ts';
import { Card, NothingOf, Pill, When } from '../../parts/parts.tsx';
import { t } from '../../texts/texts.ts';

const InstructionsSchema = pageOf(InstructionSchema);
const TasksSchema = pageOf(TaskSummarySchema);
const JobsSchema = pageOf(RenewalJobSchema);

export function Running() {
  const reads = [
    useRead('/v1/instructions?status=running', InstructionsSchema, ['instructions', 'messages']),
    useRead('/v1/tasks?status=running', TasksSchema, ['tasks', 'runs']),
    useRead('/v1/renewal/jobs?status=running', JobsSchema, ['renewal']),
  ] as const;
  const [instructions, tasks, jobs] = [
    reads[0].data?.items ?? [],
    reads[1].data?.items ?? [],
    reads[2].data?.items ?? [],
  ];
  return (
    <Card title={t('runs_now')} id="runs-now">
      {instructions.length + tasks.length + jobs.length === 0 ? (
        <NothingOf reads={reads}>{t('runs_nothing')}</NothingOf>
      ) : null}
      <ul class="lines">
        {instructions.map(({ instruction_id, target, tool, started_at, controller_id }) => (
          <li key={instruction_id}>
            <Pill tone="busy">{t('instruction')}</Pill>
            <a href={`/instructions/${instruction_id}`}>{callName(target, tool)}</a>
            <span class="note">
              {controller_id} · {t('since')} <When at={started_at} />
            </span>
          </li>
        ))}
        {tasks.map(({ task_id, title, started_at, assigned_controller_id }) => (
          <li key={task_id}>
            <Pill tone="busy">{t('task')}</Pill>
            <a href={`/tasks/${task_id}`}>{makeVisibleLine(title)}</a>
            <span class="note">
              {assigned_controller_id ?? ''} · {t('since')} <When at={started_at} />
            </span>
          </li>
        ))}
        {jobs.map(({ job_id, local_conversation_id, started_at, attempt_count, max_attempts }) => (
          <li key={job_id}>
            <Pill tone="busy">{t('renewal')}</Pill>
            <a href={`/renewals/${job_id}`}>{local_conversation_id}</a>
            <span class="note">
              {t('attempt_of', { attempt: attempt_count, max: max_attempts })} · <When at={started_at} />
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
