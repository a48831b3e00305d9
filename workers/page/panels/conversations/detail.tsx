/** One conversation: its automation, its limits, the next renewal and why, and all that happened in one thread. */

import type { ConversationDetail } from '../../../../schema/contracts/conversations.ts';
import { ConversationDetailSchema } from '../../../../schema/contracts/conversations.ts';
import { usePage, useRead } from '../../page-context.ts';
import { Detail } from '../../parts/detail.tsx';
import { Card, Facts, Heading, When } from '../../parts/parts.tsx';
import { t, word } from '../../texts/texts.ts';
import { chatAddress, conversationName } from '../conversation-name.ts';
import type { PanelProps } from '../panel.ts';
import { AutomationButtons } from './automation.tsx';
import { Forget } from './forget.tsx';
import { Keep } from './keep.tsx';
import { Thread } from './thread.tsx';

const TOPICS = ['conversations', 'messages', 'renewal', 'instructions', 'system', 'leader', 'clients'] as const;

export default function ConversationPanel({ id }: PanelProps) {
  const read = useRead(`/v1/renewal/conversations/${encodeURIComponent(id)}`, ConversationDetailSchema, TOPICS);
  return (
    <Detail
      of={read}
      name={{ kind: 'found_conversation', id, list: { href: '/conversations', name: 'nav_conversations' } }}
    >
      {(conversation) => (
        <>
          <Heading
            above={<a href="/conversations">{t('nav_conversations')}</a>}
            title={conversationName(conversation)}
          />
          <div class="columns">
            <div class="stack">
              <AutomationButtons conversation={conversation} />
              <NextRenewal conversation={conversation} />
            </div>
            <Limits conversation={conversation} />
          </div>
          <Card title={t('thread')} id="thread">
            <Thread conversationId={id} />
          </Card>
          <Keep conversation={conversation} />
          <Forget conversation={conversation} />
        </>
      )}
    </Detail>
  );
}

function NextRenewal({ conversation: { next_renewal, active_link } }: { conversation: ConversationDetail }) {
  const { due, at, reason } = next_renewal;
  return (
    <Card title={t('next_renewal')} id="next-renewal">
      <p>
        <strong>{t(due ? 'renewal_is_due' : 'renewal_is_not_due')}</strong> {word('reason', reason)}
        {at === null ? null : (
          <>
            {' · '}
            <When at={at} />
          </>
        )}
      </p>
      <Facts
        of={[
          [
            t('browser'),
            active_link && (
              <a href={`/browsers/${encodeURIComponent(active_link.client_id)}`}>{active_link.client_id}</a>
            ),
          ],
          [
            t('node'),
            active_link && (
              <a href={`/nodes/${encodeURIComponent(active_link.controller_id)}`}>{active_link.controller_id}</a>
            ),
          ],
          [t('tab_seen'), active_link && <When at={active_link.observed_at} />],
          [t('tab'), active_link === null ? t('no_tab') : null],
        ]}
      />
    </Card>
  );
}

function Limits({ conversation }: { conversation: ConversationDetail }) {
  const { format } = usePage();
  const { limits, counters } = conversation;
  const used = (value: number, max: number | null) =>
    max === null ? t('used_no_limit', { used: value }) : t('used_of', { used: value, max });
  return (
    <Card
      title={t('limits')}
      id="limits"
      note={<a href={`/settings?conversation=${conversation.local_conversation_id}`}>{t('change')}</a>}
    >
      <Facts
        of={[
          [
            t('renewals_today'),
            <Meter
              key="d"
              value={counters.renewals_today}
              max={limits.max_per_day}
              text={used(counters.renewals_today, limits.max_per_day)}
            />,
          ],
          [
            t('renewals_in_row'),
            <Meter
              key="r"
              value={counters.renewals_in_row}
              max={limits.max_in_a_row}
              text={used(counters.renewals_in_row, limits.max_in_a_row)}
            />,
          ],
          [t('without_effect'), used(counters.renewals_without_effect, limits.max_without_effect)],
          [t('repeated'), used(counters.repeated_renewals, limits.max_repeats)],
          [t('cooldown'), format.span(limits.cooldown_ms)],
          [t('cooldown_until'), counters.cooldown_until === null ? null : <When at={counters.cooldown_until} />],
          [
            t('quiet_hours'),
            limits.quiet_hours === null
              ? t('none')
              : `${limits.quiet_hours.from}–${limits.quiet_hours.to} (${limits.time_zone})`,
          ],
          [t('end_at'), limits.end_at === null ? null : <When at={limits.end_at} isExact />],
          [t('platform'), word('platform', conversation.platform)],
          [
            t('chat'),
            <a key="c" href={chatAddress(conversation)} rel="noreferrer" target="_blank">
              {t('open_chat')}
            </a>,
          ],
          [t('id'), <code key="i">{conversation.local_conversation_id}</code>],
        ]}
      />
    </Card>
  );
}

/** A number beside its limit. */
function Meter({ value, max, text }: { value: number; max: number | null; text: string }) {
  return (
    <span class="meter">
      {text}
      {max === null ? null : (
        <meter value={Math.min(value, max)} max={max} high={max * 0.8} optimum={0} aria-label={text} />
      )}
    </span>
  );
}
