/** What is due next, in order, and why something is not. */
import { pageOf } from '../../../../schema/contracts/common.ts';
import type { Conversation } from '../../../../schema/contracts/conversations.ts';
import { ConversationDetailSchema, ConversationSchema } from '../../../../schema/contracts/conversations.ts';
import type { Status } from '../../../../schema/contracts/status.ts';
import type { TaskDetail } from '../../../../schema/contracts/tasks.ts';
import { TaskDetailSchema } from '../../../../schema/contracts/tasks.ts';
import { DueNextSchema, NEXT_SHOWN } from '../../../../schema/contracts/waiting.ts';
import { makeVisibleLine } from '../../../../schema/domain/visible.ts';
import { NEXT_PATH } from '../../api/first-paths.ts';
import { usePage, useRead } from '../../page-context.ts';
import { Card, NothingOf, Pill, When } from '../../parts/parts.tsx';
import { t, word } from '../../texts/texts.ts';
import { conversationName } from '../conversation-name.ts';
import { dueLine } from './due-line.ts';

const ConversationsSchema = pageOf(ConversationSchema);
const TOPICS = ['conversations', 'messages', 'renewal', 'tasks', 'runs'] as const;

export function Next({ renewal, queued }: { renewal: Status['renewal']; queued: number }) {
  const { format } = usePage();
  const next = useRead(NEXT_PATH, DueNextSchema, TOPICS);
  const auto = useRead(`/v1/renewal/conversations?status=auto&limit=${NEXT_SHOWN}`, ConversationsSchema, TOPICS);
  const { renewals = [], tasks = [] } = next.data ?? {};
  const due = new Set(renewals.map(({ conversation }) => conversation.local_conversation_id));
  // Nothing is planned for these: each says why.
  const others = (auto.data?.items ?? [])
    .filter(({ local_conversation_id }) => !due.has(local_conversation_id))
    .slice(0, NEXT_SHOWN - renewals.length);
  const moreJobs = renewal.pending - renewals.filter(({ job_id }) => job_id !== null).length;
  return (
    <Card
      title={t('due_next')}
      id="due-next"
      note={t('renewals_counted', { pending: format.count(renewal.pending), due: format.count(renewal.due) })}
    >
      {renewals.length + others.length + tasks.length === 0 ? (
        <NothingOf reads={[next, auto]}>{t('due_nothing')}</NothingOf>
      ) : null}
      <ul class="lines">
        {renewals.map(({ conversation }) => (
          <NextOfConversation key={conversation.local_conversation_id} of={conversation} />
        ))}
        <More n={moreJobs} text="renewals_more" href="/renewals?status=pending" />
        {others.map((conversation) => (
          <NextOfConversation key={conversation.local_conversation_id} of={conversation} />
        ))}
        {tasks.map(({ task_id, title }) => (
          <NextOfTask key={task_id} taskId={task_id} title={title} />
        ))}
        <More n={queued - tasks.length} text="tasks_more" href="/tasks?status=queued" />
      </ul>
    </Card>
  );
}

function More({ n, text, href }: { n: number; text: 'renewals_more' | 'tasks_more'; href: string }) {
  if (n <= 0) return null;
  return (
    <li>
      <a href={href}>{t(text, { n })}</a>
    </li>
  );
}

function NextOfConversation({ of }: { of: Conversation }) {
  const path = `/v1/renewal/conversations/${of.local_conversation_id}`;
  const read = useRead(path, ConversationDetailSchema, ['conversations', 'messages', 'renewal', 'system']);
  const { text, at } = dueLine(read);
  return (
    <li>
      <Pill tone={read.data?.next_renewal.due ? 'busy' : 'calm'}>{t('renewal')}</Pill>
      <a href={`/conversations/${of.local_conversation_id}`}>{conversationName(of)}</a>
      <span class="note">
        {text}
        {at === null ? null : (
          <>
            {' · '}
            <When at={at} />
          </>
        )}
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
