import type { Platform } from '../../schema/contracts/common.ts';
import type { AutomationStatus } from '../../schema/contracts/conversations.ts';
import { AUTOMATION_STATUSES } from '../../schema/contracts/conversations.ts';
import type { ConversationShown, Line } from './describe-conversation.ts';
import { Act, Dot, Failure, Section, sentences } from './parts.tsx';
import type { Text, Translate } from './texts.ts';
import type { Actions } from './use-actions.ts';

interface Props {
  shown: ConversationShown;
  platform: Platform;
  /** The conversation whose page is being helped; null for none. */
  helped: string | null;
  canAct: boolean;
  t: Translate;
  actions: Actions;
}

export function ConversationSection({ shown, platform, helped, canAct, t, actions }: Props) {
  return (
    <Section title={t('conversation')} id="conversation">
      {shown.state === 'none' ? (
        <p class="note">{t(shown.why)}</p>
      ) : (
        <Known shown={shown} canAct={canAct} t={t} actions={actions} />
      )}
      {helped === null ? null : <Helped platform={platform} conversationId={helped} t={t} actions={actions} />}
      {shown.stopped === null ? null : (
        <Stopped reason={shown.stopped} platform={platform} canAct={canAct} t={t} actions={actions} />
      )}
    </Section>
  );
}

/** The names of classes are part of the text of a style, in which no status is named. */
const SEGMENT_CLASS: Record<AutomationStatus, string> = { manual: 'plain', auto: 'auto', paused: 'stopped' };

interface KnownProps extends Omit<Props, 'shown' | 'platform' | 'helped'> {
  shown: Extract<ConversationShown, { state: 'known' }>;
}

function Known({ shown, canAct, t, actions }: KnownProps) {
  const { platform, conversationId, status, pauseReason, renewal, waits, limits } = shown;
  const of = `conversation ${conversationId}`;
  const { isPending } = actions.stateOf(of);
  const reason = pauseReason === null ? '' : t(pauseReason);
  return (
    <>
      <fieldset class="segments" aria-label={t('status_group')} aria-busy={isPending}>
        {AUTOMATION_STATUSES.map((mode) => (
          <button
            type="button"
            key={mode}
            class={`segment ${SEGMENT_CLASS[mode]}`}
            aria-pressed={status === mode}
            aria-disabled={isPending || !canAct}
            onClick={(event) => {
              const action = { action: 'conversation.mode', mode, platform, conversation_id: conversationId } as const;
              if (canAct) actions.press(event, of, action);
            }}
          >
            {t(`status_${mode}`)}
          </button>
        ))}
      </fieldset>
      <p class="note">{isPending ? t('working') : t(`status_${status}_note`, reason)}</p>
      <Failure state={actions.stateOf(of)} t={t} onDismiss={() => actions.dismiss(of)} />
      <ul class="lines">
        {renewal === null ? null : <LineItem line={renewal} t={t} />}
        {waits.map((line, index) => (
          <LineItem key={`${line.text.key} ${index}`} line={line} t={t} />
        ))}
      </ul>
      {limits === null ? null : <p class="note faint">{t(limits)}</p>}
    </>
  );
}

function LineItem({ line, t }: { line: Line; t: Translate }) {
  const rest = sentences(t, line.reason, line.time);
  return (
    <li class="line">
      <Dot tone={line.tone} />
      <span>
        <strong>{t(line.text)}</strong>
        {rest === '' ? null : <span class="note block">{rest}</span>}
      </span>
    </li>
  );
}

/** Needs no agent: the background page itself helps. */
function Helped({
  platform,
  conversationId,
  t,
  actions,
}: Pick<Props, 'platform' | 't' | 'actions'> & { conversationId: string }) {
  const of = `help ${conversationId}`;
  const action = { order: 'stop_help', platform, conversation_id: conversationId } as const;
  return (
    <div class="banner wait">
      <p>{t('helped')}</p>
      <p class="row">
        <Act actions={actions} of={of} action={action} label={t('stop_help')} t={t} />
      </p>
      <Failure state={actions.stateOf(of)} t={t} onDismiss={() => actions.dismiss(of)} />
    </div>
  );
}

function Stopped({ reason, platform, canAct, t, actions }: Omit<Props, 'shown' | 'helped'> & { reason: Text }) {
  const of = `browser ${platform}`;
  return (
    <div class="banner bad">
      <p>{t('stopped', t(reason))}</p>
      <p class="row">
        <Act
          actions={actions}
          of={of}
          action={{ action: 'client.resume', platform }}
          label={t('resume_browser')}
          isDisabled={!canAct}
          t={t}
        />
      </p>
      <Failure state={actions.stateOf(of)} t={t} onDismiss={() => actions.dismiss(of)} />
    </div>
  );
}
