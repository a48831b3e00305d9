import { useEffect, useState } from 'preact/hooks';
import type { PeopleClient } from '../overlay/client.ts';
import { describeConnection } from '../overlay/describe-connection.ts';
import type { Format } from '../overlay/format.ts';
import { Dot, Section } from '../overlay/parts.tsx';
import type { Translate } from '../overlay/texts.ts';
import type { PeopleView } from '../people-messages.ts';
import { readAgentAddress, readPairingCode } from './agent-address.ts';
import { Field, Outcome, useProgress } from './forms.tsx';

interface Props {
  client: PeopleClient;
  view: PeopleView;
  now: number;
  t: Translate;
  format: Format;
}

export function ConnectionSection({ client, view, now, t, format }: Props) {
  const { connection } = view;
  const { tone, title, help, said } = describeConnection(view, now, format);
  const [typed, setTyped] = useState<string | null>(null);
  const { progress, refuse, run } = useProgress(t);
  const save = (event: Event): void => {
    event.preventDefault();
    const address = readAgentAddress(typed ?? connection.agentUrl);
    if (!address.ok) {
      refuse(address.problem);
      return;
    }
    setTyped(null);
    void run(() => client.change({ set: 'agent_url', url: address.url }), 'options_saved');
  };
  return (
    <Section title={t('options_connection')} id="connection">
      <div role="status" aria-live="polite">
        <p class="line">
          <Dot tone={tone} />
          <strong>{t(title)}</strong>
          <span class="faint">{t('options_since', format.clock(connection.since))}</span>
        </p>
        {help === null ? null : <p class="note">{t(help)}</p>}
        {said === null ? null : <p class="note">{t('agent_said', said)}</p>}
      </div>
      <form onSubmit={save} noValidate>
        <Field
          id="agent-url"
          label={t('options_agent_address')}
          hint={t('options_agent_hint')}
          value={typed ?? connection.agentUrl}
          progress={progress}
          onInput={setTyped}
        >
          <button type="submit" aria-busy={progress.isPending}>
            {t('options_save')}
          </button>
        </Field>
        <Outcome progress={progress} id="agent-url-outcome" />
      </form>
    </Section>
  );
}

export function PairingSection({ client, view, t }: Pick<Props, 'client' | 'view' | 't'>) {
  const [code, setCode] = useState('');
  const { progress, refuse, run } = useProgress(t);
  const isPaired = view.connection.state !== 'unpaired';
  const pair = (event: Event): void => {
    event.preventDefault();
    const read = readPairingCode(code);
    if (!read.ok) {
      refuse(read.problem);
      return;
    }
    if (progress.isPending) return;
    setCode('');
    void run(() => client.change({ set: 'pair', code: read.code }), 'pair_done');
  };
  return (
    <Section title={t('options_pairing')} id="pairing">
      <form onSubmit={pair} noValidate>
        <Field
          id="pair-code"
          className="code"
          label={t('pair_code')}
          hint={t('pair_hint')}
          value={code}
          progress={progress}
          onInput={setCode}
        >
          <button type="submit" class={isPaired ? 'plain' : 'primary'} aria-busy={progress.isPending}>
            {t(isPaired ? 'pair_again' : 'pair')}
          </button>
        </Field>
        <Outcome progress={progress} id="pair-code-outcome" waiting={t('pair_waiting')} />
      </form>
      {isPaired ? <Forget client={client} t={t} /> : null}
    </Section>
  );
}

/** Asks once more, because a forgotten pairing needs a new code. */
function Forget({ client, t }: Pick<Props, 'client' | 't'>) {
  const [isAsking, setAsking] = useState(false);
  const { progress, run } = useProgress(t);
  useEffect(() => {
    if (progress.done !== null) setAsking(false);
  }, [progress.done]);
  return (
    <>
      {isAsking ? (
        <fieldset class="question">
          <legend>{t('forget_question')}</legend>
          <p class="row">
            <button type="button" onClick={() => setAsking(false)}>
              {t('back')}
            </button>
            <button
              type="button"
              class="danger"
              onClick={() => void run(() => client.change({ set: 'forget_pairing' }), 'forget_done')}
            >
              {t('forget_confirm')}
            </button>
          </p>
        </fieldset>
      ) : (
        <p class="row">
          <button type="button" class="danger" onClick={() => setAsking(true)}>
            {t('forget_pairing')}
          </button>
        </p>
      )}
      <Outcome progress={progress} id="forget-outcome" />
    </>
  );
}
