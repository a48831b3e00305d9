/** Whether the conversation is renewed, and the buttons that change it. */
import type { AutomationStatus, ConversationDetail } from '../../../../schema/contracts/conversations.ts';
import { ConversationSchema } from '../../../../schema/contracts/conversations.ts';
import { callEdge } from '../../api/client.ts';
import { useRights } from '../../page-context.ts';
import { Act } from '../../parts/act.tsx';
import { Card, Status, When } from '../../parts/parts.tsx';
import { AUTOMATION_TONES } from '../../parts/tones.ts';
import { t, word } from '../../texts/texts.ts';

const CHOICES: readonly AutomationStatus[] = ['auto', 'manual', 'paused'];

export function AutomationButtons({ conversation }: { conversation: ConversationDetail }) {
  const { canAct } = useRights();
  const { automation_status: status, pause_reason, paused_at, local_conversation_id } = conversation;
  const set = (name: string) => () =>
    callEdge(`/v1/renewal/conversations/${local_conversation_id}/${name}`, ConversationSchema, {
      method: 'POST',
      body: {},
    });
  return (
    <Card title={t('automation')} id="automation">
      <p class="mode-now">
        <Status kind="automation" value={status} tone={AUTOMATION_TONES[status]} />
        <span>
          {t(`automation_${status}_means`)}
          {pause_reason === null ? '' : ` ${t('because', { why: word('reason', pause_reason) })}`}
          {paused_at === null ? null : (
            <>
              {' '}
              <When at={paused_at} />
            </>
          )}
        </span>
      </p>
      {canAct ? (
        <ul class="choices">
          {status === 'paused' ? (
            <li>
              <Act label={t('resume')} kind="primary" run={set('resume')} done={t('conversation_resumed')} />
              <span class="note">
                {t('conversation_resume_does', {
                  status: word('automation', conversation.last_non_paused_automation_status),
                })}
              </span>
            </li>
          ) : null}
          {CHOICES.filter((choice) => choice !== status).map((choice) => (
            <li key={choice}>
              <Act
                label={t(`set_${choice}`)}
                run={set(choice)}
                done={t('automation_set', { status: word('automation', choice) })}
              />
              <span class="note">{t(`automation_${choice}_means`)}</span>
            </li>
          ))}
        </ul>
      ) : null}
    </Card>
  );
}
