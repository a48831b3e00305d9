import { useState } from 'preact/hooks';
import type { PeopleClient } from '../overlay/client.ts';
import { Section } from '../overlay/parts.tsx';
import type { Translate } from '../overlay/texts.ts';

interface Props {
  client: PeopleClient;
  t: Translate;
  /** Hands a file to the person. */
  saveFile: (name: string, text: string) => void;
}

export function DiagnosticsSection({ client, t, saveFile }: Props) {
  const [text, setText] = useState<string | null>(null);
  const [isLost, setLost] = useState(false);
  const read = async (use: (found: string) => void): Promise<void> => {
    const found = await client.diagnostics();
    setLost(found === null);
    if (found !== null) use(found);
  };
  return (
    <Section title={t('options_diagnostics')} id="diagnostics">
      <p class="note">{t('diagnostics_hint')}</p>
      <p class="row">
        <button type="button" onClick={() => void read((found) => saveFile('conductor-diagnostics.json', found))}>
          {t('diagnostics_export')}
        </button>
        <button type="button" onClick={() => void read(setText)}>
          {t('diagnostics_show')}
        </button>
      </p>
      {isLost ? (
        <p class="problem" role="alert">
          {t('connection_lost_background')}
        </p>
      ) : null}
      {text === null ? null : <textarea readOnly aria-label={t('options_diagnostics')} value={text} />}
    </Section>
  );
}
