/** For how long the edge keeps the texts of a conversation. */
import type { ConversationDetail } from '../../../../schema/contracts/conversations.ts';
import { KeepStateSchema, TEXTS_KEPT_DAYS } from '../../../../schema/contracts/keeping.ts';
import { callEdge } from '../../api/client.ts';
import { useRights } from '../../page-context.ts';
import { useAct } from '../../parts/act.tsx';
import { Card } from '../../parts/parts.tsx';
import { t } from '../../texts/texts.ts';

const CHOICES = ['default', ...TEXTS_KEPT_DAYS, 'always'] as const;

export function Keep({ conversation }: { conversation: ConversationDetail }) {
  const { canAct } = useRights();
  const { isPending, act } = useAct();
  const { texts_kept: kept, local_conversation_id: id } = conversation;
  if (kept === undefined) return null;
  const path = `/v1/renewal/conversations/${id}/keep`;
  const set = (days: (typeof CHOICES)[number] | undefined): void => {
    if (days === undefined) return;
    void act(() => callEdge(path, KeepStateSchema, { method: 'POST', body: { days } }), t('keep_saved'));
  };
  const nameOf = (days: (typeof CHOICES)[number]): string => {
    if (days === 'default') return t('keep_default');
    return days === 'always' ? t('keep_always') : t('keep_days', { days });
  };
  return (
    <Card title={t('keep_title')} id="keep">
      <p class="note">{t('keep_about')}</p>
      {canAct ? (
        <p>
          <label>
            {t('keep_for')}{' '}
            <select
              disabled={isPending}
              value={String(kept.is_own ? kept.days : 'default')}
              onChange={({ currentTarget: { value } }) => set(CHOICES.find((days) => String(days) === value))}
            >
              {CHOICES.map((days) => (
                <option key={days} value={String(days)}>
                  {nameOf(days)}
                </option>
              ))}
            </select>
          </label>
        </p>
      ) : null}
      <p>{kept.days === 'always' ? t('kept_always') : t('kept_days', { days: kept.days })}</p>
    </Card>
  );
}
