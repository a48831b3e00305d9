/** What a person does with a task: cancel it, try it again, give its running step to another host. */
import type { TaskDetail } from '../../../../schema/contracts/tasks.ts';
import { HandOverResponseSchema, TaskStateSchema } from '../../../../schema/contracts/tasks.ts';
import { callEdge } from '../../api/client.ts';
import { useRights } from '../../page-context.ts';
import { Act } from '../../parts/act.tsx';
import { t } from '../../texts/texts.ts';

const OPEN: readonly TaskDetail['status'][] = ['queued', 'running', 'blocked'];
const ENDED_BADLY: readonly TaskDetail['status'][] = ['failed', 'canceled'];

export function TaskActions({ task: { task_id, status, runs, cancel_requested_at } }: { task: TaskDetail }) {
  const { canAct } = useRights();
  if (!canAct) return null;
  const post = (name: string) => () =>
    callEdge(`/v1/tasks/${task_id}/${name}`, TaskStateSchema, { method: 'POST', body: {} });
  const handOver = () =>
    callEdge(`/v1/tasks/${task_id}/hand-over`, HandOverResponseSchema, { method: 'POST', body: {} });
  return (
    <>
      {runs.some((run) => run.status === 'running') ? (
        <Act label={t('hand_over')} run={handOver} done={t('handed_over')} hint={t('hand_over_does')} />
      ) : null}
      {ENDED_BADLY.includes(status) ? (
        <Act label={t('retry')} run={post('retry')} done={t('retried')} hint={t('retry_does')} />
      ) : null}
      {OPEN.includes(status) ? (
        <Act
          label={t('cancel')}
          kind="danger"
          run={post('cancel')}
          done={t('task_canceled_done')}
          isDisabled={cancel_requested_at !== null}
          question={{ title: t('cancel_task'), text: t('cancel_task_means') }}
        />
      ) : null}
      {cancel_requested_at === null || !OPEN.includes(status) ? null : (
        <span class="note">{t('cancel_requested')}</span>
      )}
    </>
  );
}
