import type { PeopleClient } from '../overlay/client.ts';
import { Section } from '../overlay/parts.tsx';
import type { Translate } from '../overlay/texts.ts';
import type { PeopleView } from '../people-messages.ts';
import { Outcome, useProgress } from './forms.tsx';

export function NoticesSection({ client, view, t }: { client: PeopleClient; view: PeopleView; t: Translate }) {
  const { progress, run } = useProgress(t);
  const { notices: isOn } = view;
  return (
    <Section title={t('options_notices')} id="notices">
      <label class="switch">
        <input
          type="checkbox"
          checked={isOn}
          aria-busy={progress.isPending}
          onClick={(event) => {
            // The box shows what is stored, which arrives with the next view.
            event.preventDefault();
            void run(() => client.change({ set: 'notices', isOn: !isOn }), 'options_saved');
          }}
        />
        {t('notices_switch')}
      </label>
      <p class="note">{t('notices_note')}</p>
      <Outcome progress={progress} id="notices-outcome" />
    </Section>
  );
}
