/** Forgetting a conversation: what that removes, how far it is, and what is gone. */
import type { ConversationDetail } from '../../../../schema/contracts/conversations.ts';
import { ForgetStateSchema } from '../../../../schema/contracts/forget.ts';
import { callEdge } from '../../api/client.ts';
import { usePage, useRights } from '../../page-context.ts';
import { Act } from '../../parts/act.tsx';
import { Card, Facts } from '../../parts/parts.tsx';
import { t, word } from '../../texts/texts.ts';

export function Forget({ conversation }: { conversation: ConversationDetail }) {
  const { canAct } = useRights();
  const { format } = usePage();
  const { forget, local_conversation_id: id } = conversation;
  if (forget === undefined || (!canAct && forget.state === 'kept')) return null;
  const { state, before, removed } = forget;
  const run = () => callEdge(`/v1/renewal/conversations/${id}/forget`, ForgetStateSchema, { method: 'POST', body: {} });
  const question = { title: t('forget_question'), text: t('forget_means') };
  const at = before === null ? '' : format.exact(before);
  const gone = Object.entries(removed).filter(([, count]) => count > 0);
  return (
    <Card title={t('forget_title')} id="forget">
      {before === null ? null : <p>{t(state === 'forgetting' ? 'forget_under_way' : 'forget_done', { at })}</p>}
      <Facts of={gone.map(([name, count]) => [word('forgotten', name), count])} />
      {canAct && state !== 'forgetting' ? (
        <p class="buttons">
          <span class="note">{t('forget_about')}</span>
          <Act label={t('forget')} kind="danger" run={run} done={t('forget_begun')} question={question} />
        </p>
      ) : null}
    </Card>
  );
}
