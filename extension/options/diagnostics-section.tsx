import { useState } from 'preact/hooks';
import { Lines } from '../overlay/attention-section.tsx';
import type { PeopleClient } from '../overlay/client.ts';
import { describeLine } from '../overlay/describe-lines.ts';
import type { Format } from '../overlay/format.ts';
import { Section } from '../overlay/parts.tsx';
import type { Translate } from '../overlay/texts.ts';
import type { PeopleView } from '../people-messages.ts';

interface Props {
  client: PeopleClient;
  view: PeopleView;
  t: Translate;
  format: Format;
  /** Hands a file to the person. */
  saveFile: (name: string, text: string) => void;
}

export function DiagnosticsSection({ client, view, t, format, saveFile }: Props) {
  const [text, setText] = useState<string | null>(null);
  const [isLost, setLost] = useState(false);
  const read = async (use: (found: string) => void): Promise<void> => {
    const found = await client.diagnostics();
    setLost(found === null);
    if (found !== null) use(found);
  };
  return (
    <Section title={t('options_diagnostics')} id="diagnostics">
      <p class="note">{t(view.lines.length === 0 ? 'lines_none' : 'lines')}</p>
      {view.lines.length === 0 ? null : (
        // A list that is scrolled has to be reached by the keyboard.
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled by keys
        <section class="bytes" aria-label={t('lines')} tabIndex={0}>
          <Lines shown={view.lines.map((line) => describeLine(line, format))} t={t} />
        </section>
      )}
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
