/** One task: its steps on a time axis, its log while it grows, its checkpoints, and what a person does with it. */
import type { TaskDetail } from '../../../../schema/contracts/tasks.ts';
import { TaskDetailSchema } from '../../../../schema/contracts/tasks.ts';
import { makeVisible, makeVisibleLine } from '../../../../schema/domain/visible.ts';
import { useRead } from '../../page-context.ts';
import { Detail } from '../../parts/detail.tsx';
import { Log } from '../../parts/log.tsx';
import { Card, Facts, Heading, Moment, Status } from '../../parts/parts.tsx';
import { TASK_TONES } from '../../parts/tones.ts';
import { t, word } from '../../texts/texts.ts';
import type { PanelProps } from '../panel.ts';
import { Checkpoints } from './checkpoints.tsx';
import { ResolveStep } from './resolve-step.tsx';
import { Steps } from './steps.tsx';
import { TaskActions } from './task-actions.tsx';

export default function TaskPanel({ id }: PanelProps) {
  const read = useRead(`/v1/tasks/${encodeURIComponent(id)}`, TaskDetailSchema, ['tasks', 'runs']);
  return (
    <Detail of={read} name={{ kind: 'found_task', id, list: { href: '/tasks', name: 'nav_tasks' } }}>
      {(task) => (
        <>
          <Heading above={<a href="/tasks">{t('nav_tasks')}</a>} title={makeVisibleLine(task.title)}>
            <Status kind="task" value={task.status} tone={TASK_TONES[task.status]} />
            <TaskActions task={task} />
          </Heading>
          {task.waiting_reason === null || task.status !== 'queued' ? null : (
            <p class="banner">
              {t('waits_because')} {word('reason', task.waiting_reason)}
            </p>
          )}
          {task.steps.map((step) =>
            step.status === 'blocked' ? <ResolveStep key={step.step_id} step={step} /> : null,
          )}
          <Card title={t('steps')} id="steps">
            <Steps task={task} />
          </Card>
          <Log path={`/v1/tasks/${encodeURIComponent(id)}/logs`} key={`${id} ${task.status === 'queued'}`} />
          <div class="columns">
            <About task={task} />
            <Checkpoints runs={task.runs} steps={task.steps} />
          </div>
        </>
      )}
    </Detail>
  );
}

function About({ task }: { task: TaskDetail }) {
  const { result_summary, error_code, error_text, constraints } = task;
  return (
    <Card title={t('task')} id="task">
      <p class="prose">{makeVisible(task.goal)}</p>
      {task.acceptance.length === 0 ? null : (
        <div>
          <p class="note">{t('acceptance')}</p>
          <ul class="bullets">
            {task.acceptance.map((one) => (
              <li key={one}>{makeVisible(one)}</li>
            ))}
          </ul>
        </div>
      )}
      <Facts
        of={[
          [t('result'), result_summary === null ? null : makeVisible(result_summary)],
          [
            t('error'),
            error_code === null
              ? null
              : makeVisible(
                  [word('reason', error_code), error_code === 'needs_human' ? null : error_text]
                    .filter(Boolean)
                    .join(': '),
                ),
          ],
          [t('repo'), task.repo],
          [t('branch'), task.branch_name],
          [
            t('base'),
            task.base_ref === null
              ? null
              : `${task.base_ref}${task.base_sha === null ? '' : ` (${task.base_sha.slice(0, 10)})`}`,
          ],
          [t('host'), constraints.target_host ?? null],
          [
            t('node'),
            task.assigned_controller_id && (
              <a href={`/nodes/${encodeURIComponent(task.assigned_controller_id)}`}>{task.assigned_controller_id}</a>
            ),
          ],
          [t('priority'), task.priority],
          [t('created_by'), `${task.created_by}${task.is_persons ? ` · ${t('by_person')}` : ''}`],
          [
            t('conversation'),
            task.local_conversation_id && (
              <a href={`/conversations/${task.local_conversation_id}`}>{task.local_conversation_id}</a>
            ),
          ],
          [
            t('instruction'),
            task.instruction_id && <a href={`/instructions/${task.instruction_id}`}>{task.instruction_id}</a>,
          ],
          [t('created'), <Moment key="c" at={task.created_at} />],
          [t('started'), task.started_at === null ? null : <Moment at={task.started_at} />],
          [t('finished'), task.finished_at === null ? null : <Moment at={task.finished_at} />],
          [t('id'), <code key="i">{task.task_id}</code>],
        ]}
      />
    </Card>
  );
}
