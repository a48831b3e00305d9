import { useWaiting } from '../api/waiting.ts';
import { t } from '../texts/texts.ts';

/** How many instructions wait for a person. */
export function Waiting() {
  const { data } = useWaiting();
  const n = data?.items.length ?? 0;
  if (n === 0) return null;
  return (
    <span class="count" title={t('n_wait', { n })}>
      <span aria-hidden="true">{data?.next_cursor === null ? n : `${n}+`}</span>
      <span class="hidden">{t('n_wait', { n })}</span>
    </span>
  );
}
