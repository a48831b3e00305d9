/** Notifications of this browser: turned on by a press, and off again. */
import { useState } from 'preact/hooks';
import { areShown, turnOff, turnOn } from '../../notices/show.ts';
import { usePage } from '../../page-context.ts';
import { Card } from '../../parts/parts.tsx';
import { t } from '../../texts/texts.ts';

export function PageNotices() {
  const { notices } = usePage();
  const [isOn, setOn] = useState(areShown());
  const press = async (): Promise<void> => {
    if (isOn) turnOff();
    else if (!(await turnOn())) {
      notices.say({ tone: 'bad', title: t('page_notices_refused'), detail: t('page_notices_permit') });
    }
    setOn(areShown());
  };
  return (
    <Card title={t('page_notices')} id="page-notices">
      <p class="note">{t('page_notices_about')}</p>
      <p class="buttons">
        <button type="button" class="plain" onClick={() => void press()}>
          {t(isOn ? 'page_notices_off' : 'page_notices_on')}
        </button>
      </p>
    </Card>
  );
}
