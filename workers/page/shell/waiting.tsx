import { WAITING_SHOWN } from '../../../schema/contracts/waiting.ts';
import { useWaiting } from '../api/waiting.ts';
import { t } from '../texts/texts.ts';

/** How many instructions wait for a person. */
export function Waiting() {
  const { data } = useWaiting();
  const n = data?.approvals.length ?? 0;
  if (n === 0) return null;
  return (
    <span class="count" title={t('n_wait', { n })}>
      <span aria-hidden="true">{n < WAITING_SHOWN ? n : `${n}+`}</span>
      <span class="hidden">{t('n_wait', { n })}</span>
    </span>
  );
}
