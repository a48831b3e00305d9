/** Whether the page is live, and otherwise how old what it shows is. */
import { useEffect, useState } from 'preact/hooks';
import { useNow, usePage } from '../page-context.ts';
import { t } from '../texts/texts.ts';

/** Reading that is older than this is no polling any more: the edge is not reached. */
const LOST_MS = 15_000;

export function Connection() {
  const { live, store, format } = usePage();
  const [, draw] = useState(0);
  const now = useNow();
  useEffect(() => live.subscribe(() => draw((count) => count + 1)), [live]);
  const shownAt = store.oldestShown();
  const age = now - (shownAt ?? now);
  if (live.state === 'live' && store.isRetrying())
    return <Mark tone="wait" text={t('retrying')} title={t('retrying_help')} />;
  if (live.state === 'live')
    return <Mark tone="good" text={t('live')} title={t('live_help', { at: format.moment(live.provedAt, now) })} />;
  if (live.state === 'connecting') return <Mark tone="calm" text={t('connecting')} title={t('connecting')} />;
  if (age < LOST_MS)
    return (
      <Mark
        tone="wait"
        text={t('polling')}
        age={t('polling_age', { age: format.span(age) })}
        title={t('polling_help')}
      />
    );
  return <Mark tone="bad" text={t('lost')} age={t('lost_age', { age: format.span(age) })} title={t('lost_help')} />;
}

/** A screen reader announces the state when it changes; the age changes each second, and stays outside of it. */
function Mark({ tone, text, age, title }: { tone: string; text: string; age?: string; title: string }) {
  return (
    <span class="connection" title={title}>
      <span class={`dot ${tone}`} aria-hidden="true" />
      <span>
        <span role="status">{text}</span>
        {age}
      </span>
    </span>
  );
}
