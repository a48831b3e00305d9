import type { ConnectionShown, SystemShown } from './describe-connection.ts';
import { Act, Dot, Failure, Section } from './parts.tsx';
import type { Translate } from './texts.ts';
import type { Actions } from './use-actions.ts';

/** The connection: prominent when a person has to do something. */
export function ConnectionLine({
  shown,
  t,
  onOptions,
}: {
  shown: ConnectionShown;
  t: Translate;
  onOptions: () => void;
}) {
  const { tone, title, help, said, needsPairing } = shown;
  return (
    <div class={tone === 'good' ? 'connection' : `connection banner ${tone}`}>
      <p class="line">
        <Dot tone={tone} />
        <strong>{t(title)}</strong>
      </p>
      {help === null ? null : <p class="note">{t(help)}</p>}
      {said === null ? null : <p class="note">{t('agent_said', said)}</p>}
      {needsPairing ? (
        <p class="row">
          <button type="button" class="primary" onClick={onOptions}>
            {t('open_options')}
          </button>
        </p>
      ) : null}
    </div>
  );
}

export function SystemSection({ shown, t, actions }: { shown: SystemShown; t: Translate; actions: Actions }) {
  const { label, note, offers } = shown;
  return (
    <Section title={t('system')} id="system">
      <div class="row">
        <p class="note grow">{t(note ?? label)}</p>
        {offers === 'pause' ? (
          <Act actions={actions} of="system" action={{ action: 'system.pause' }} label={t('pause_system')} t={t} />
        ) : null}
        {offers === 'resume' ? (
          <Act
            actions={actions}
            of="system"
            action={{ action: 'system.resume' }}
            label={t('resume_system')}
            t={t}
            kind="primary"
          />
        ) : null}
      </div>
      <Failure state={actions.stateOf('system')} t={t} onDismiss={() => actions.dismiss('system')} />
    </Section>
  );
}
