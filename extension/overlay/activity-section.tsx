import { makeVisibleLine } from '../../schema/domain/visible.ts';
import type { Drift, PersonAction } from '../people-messages.ts';
import type { DoneShown } from './describe-work.ts';
import type { Format } from './format.ts';
import { Act, Dot, Failure, Section } from './parts.tsx';
import type { Translate } from './texts.ts';
import type { Actions } from './use-actions.ts';

interface Props {
  shown: readonly DoneShown[];
  canAct: boolean;
  t: Translate;
  actions: Actions;
}

export function ActivitySection({ shown, canAct, t, actions }: Props) {
  return (
    <Section title={t('activity')} id="activity">
      {shown.length === 0 ? <p class="note">{t('activity_none')}</p> : null}
      <ul class="lines">
        {shown.map((done) => (
          <Done key={done.key} {...{ done, canAct, t, actions }} />
        ))}
      </ul>
    </Section>
  );
}

function actionOf(offers: NonNullable<DoneShown['offers']>): PersonAction {
  return offers.do === 'cancel'
    ? { action: 'instruction.cancel', instruction_id: offers.instructionId }
    : { action: 'message.resubmit', message_id: offers.messageId };
}

function Done({ done, canAct, t, actions }: Omit<Props, 'shown'> & { done: DoneShown }) {
  const { key, tone, text, name, detail, at, offers } = done;
  return (
    <li class="line">
      <Dot tone={tone} />
      <span class="grow">
        {name === null ? null : <code class="name">{name}</code>} {t(text)}
        <span class="note block">{detail === null ? at : `${at} · ${t(detail)}`}</span>
        <Failure state={actions.stateOf(key)} t={t} onDismiss={() => actions.dismiss(key)} />
      </span>
      {offers === null ? null : (
        <Act actions={actions} of={key} action={actionOf(offers)} label={t(offers.do)} isDisabled={!canAct} t={t} />
      )}
    </li>
  );
}

/** Which selectors and frames no longer look as they are known. */
export function DriftSection({ drift, t, format }: { drift: readonly Drift[]; t: Translate; format: Format }) {
  if (drift.length === 0) return null;
  return (
    <Section title={t('drift')} id="drift">
      <p class="note">{t('drift_note')}</p>
      <ul class="lines">
        {drift.map(({ what, at, count }) => (
          <li class="line" key={what}>
            <Dot tone="wait" />
            <span>
              <code class="name">{makeVisibleLine(what)}</code>
              <span class="note block">{t('drift_times', String(count), format.clock(at))}</span>
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
