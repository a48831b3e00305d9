/** What is due next, and why something is not. */
import { pageOf } from '../../../../schema/contracts/common.ts';
import type { Conversation } from '../../../../schema/contracts/conversations.ts';
import { ConversationDetailSchema, ConversationSchema } from '../../../../schema/contracts/conversations.ts';
import type { Status } from '../../../../schema/contracts/status.ts';
import type { TaskDetail } from '../../../../schema/contracts/tasks.ts';
import { TaskDetailSchema, TaskSummarySchema } from '../../../../schema/contracts/tasks.ts';
import { makeVisibleLine } from '../../../../schema/domain/visible.ts';
import { usePage, useRead } from '../../page-context.ts';
import { Card, NothingOf, Pill, When } from '../../parts/parts.tsx';
import { t, word } from '../../texts/texts.ts';
import { conversationName } from '../conversation-name.ts';

/** Each is one more request. */
const SHOWN = 4;
const ConversationsSchema = pageOf(ConversationSchema);
const TasksSchema = pageOf(TaskSummarySchema);

export function Next({ renewal }: { renewal: Status['renewal'] }) {
  const { format } = usePage();
  const auto = useRead(`/v1/renewal/conversations?status=auto&limit=${SHOWN}`, ConversationsSchema, [
    'conversations',
    'messages',
    'renewal',
  ]);
  const tasks = useRead(`/v1/tasks?status=queued&limit=${SHOWN}`, TasksSchema, ['tasks', 'runs']);
  const [conversations, queued] = [auto.data?.items ?? [], tasks.data?.items ?? []];
  return (
    <Card
      title={t('due_next')}
      id="due-next"
      note={t('renewals_counted', { pending: format.count(renewal.pending), due: format.count(renewal.due) })}
    >
      {conversations.length + queued.length === 0 ? (
        <NothingOf reads={[auto, tasks]}>{t('due_nothing')}</NothingOf>
      ) : null}
      <ul class="lines">
        {conversations.map((conversation) => (
          <NextOfConversation key={conversation.local_conversation_id} of={conversation} />
        ))}
        {queued.map(({ task_id, title }) => (
          <NextOfTask key={task_id} taskId={task_id} title={title} />
        ))}
      </ul>
    </Card>
  );
}

function NextOfConversation({ of }: { of: Conversation }) {
  const path = `/v1/renewal/conversations/${of.local_conversation_id}`;
  const next = useRead(path, ConversationDetailSchema, ['conversations', 'messages', 'renewal', 'system']).data
    ?.next_renewal;
  return (
    <li>
      <Pill tone={next?.due ? 'busy' : 'calm'}>{t('renewal')}</Pill>
      <a href={`/conversations/${of.local_conversation_id}`}>{conversationName(of)}</a>
      <span class="note">
        {next === undefined ? '' : word('reason', next.reason)} {next?.at == null ? null : <When at={next.at} />}
      </span>
    </li>
  );
}

function NextOfTask({ taskId, title }: { taskId: string; title: string }) {
  const task: TaskDetail | null = useRead(`/v1/tasks/${taskId}`, TaskDetailSchema, ['tasks', 'runs']).data;
  return (
    <li>
      <Pill tone="calm">{t('task')}</Pill>
      <a href={`/tasks/${taskId}`}>{makeVisibleLine(title)}</a>
      <span class="note">
        {task === null || task.waiting_reason === null ? t('waits_for_node') : word('reason', task.waiting_reason)}
      </span>
    </li>
  );
}
