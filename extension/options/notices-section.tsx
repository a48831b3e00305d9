import type { PeopleClient } from '../overlay/client.ts';
import { Section } from '../overlay/parts.tsx';
import type { Translate } from '../overlay/texts.ts';
import type { PeopleView } from '../people-messages.ts';
import { Outcome, Switch, useProgress } from './forms.tsx';

export function NoticesSection({ client, view, t }: { client: PeopleClient; view: PeopleView; t: Translate }) {
  const { progress, run } = useProgress(t);
  const { notices: isOn } = view;
  return (
    <Section title={t('options_notices')} id="notices">
      <Switch
        label={t('notices_switch')}
        isOn={isOn}
        progress={progress}
        onPress={() => void run(() => client.change({ set: 'notices', isOn: !isOn }), 'options_saved')}
      />
      <p class="note">{t('notices_note')}</p>
      <Outcome progress={progress} id="notices-outcome" />
    </Section>
  );
}
