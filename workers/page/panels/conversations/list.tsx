/** The conversations, by status and platform. */
import { PLATFORM_IDS, pageOf } from '../../../../schema/contracts/common.ts';
import type { Conversation } from '../../../../schema/contracts/conversations.ts';
import { AUTOMATION_STATUSES, ConversationSchema } from '../../../../schema/contracts/conversations.ts';
import type { Column } from '../../parts/list.tsx';
import { List } from '../../parts/list.tsx';
import { Heading, Id, Status, When } from '../../parts/parts.tsx';
import { AUTOMATION_TONES } from '../../parts/tones.ts';
import { t, word } from '../../texts/texts.ts';
import { conversationName } from '../conversation-name.ts';

const PageSchema = pageOf(ConversationSchema);

export default function Conversations() {
  const columns: Column<Conversation>[] = [
    {
      name: t('conversation'),
      cell: (row) => <a href={`/conversations/${row.local_conversation_id}`}>{conversationName(row)}</a>,
    },
    { name: t('platform'), kind: 'tight', cell: ({ platform }) => word('platform', platform) },
    {
      name: t('automation'),
      kind: 'tight',
      cell: ({ automation_status: status }) => (
        <Status kind="automation" value={status} tone={AUTOMATION_TONES[status]} />
      ),
    },
    { name: t('why'), cell: ({ pause_reason }) => (pause_reason === null ? '' : word('reason', pause_reason)) },
    { name: t('last_message'), kind: 'tight', cell: ({ last_message_at }) => <When at={last_message_at} /> },
    {
      name: t('id'),
      kind: 'tight',
      cell: ({ local_conversation_id: id }) => <Id id={id} href={`/conversations/${id}`} />,
    },
  ];
  return (
    <>
      <Heading title={t('nav_conversations')} />
      <List
        path="/v1/renewal/conversations"
        schema={PageSchema}
        topics={['conversations', 'messages']}
        columns={columns}
        keyOf={(row) => row.local_conversation_id}
        empty={t('no_conversations')}
        filters={[
          {
            name: 'status',
            label: t('automation'),
            options: AUTOMATION_STATUSES.map((status) => [status, word('automation', status)] as const),
          },
          {
            name: 'platform',
            label: t('platform'),
            options: PLATFORM_IDS.map((platform) => [platform, word('platform', platform)] as const),
          },
        ]}
      />
    </>
  );
}
