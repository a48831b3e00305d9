/** What became of the last action. It stays until it is dismissed, or another panel is shown. */

import { useEffect, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso/router';
import { usePage } from '../page-context.ts';
import { t } from '../texts/texts.ts';

export function NoticeBar() {
  const { notices } = usePage();
  const { path } = useLocation();
  const [, draw] = useState(0);
  useEffect(() => notices.subscribe(() => draw((count) => count + 1)), [notices]);
  useEffect(() => () => notices.dismiss(), [path]);
  const { current } = notices;
  return (
    <div class="notices" role={current?.tone === 'bad' ? 'alert' : 'status'}>
      {current === null ? null : (
        <div class={`banner ${current.tone}`} key={current.id}>
          <p>
            <strong>{current.title}</strong> <span>{current.detail}</span>
          </p>
          <button type="button" class="quiet" onClick={() => notices.dismiss()}>
            {t('dismiss')}
          </button>
        </div>
      )}
    </div>
  );
}
