/** What happened, why, and what to do next, for each way in which the edge refuses. */
import type { EdgeError } from '../api/client.ts';
import type { TextKey } from '../texts/texts.ts';
import { t } from '../texts/texts.ts';

const ADVICE: Partial<Record<EdgeError['code'], TextKey>> = {
  edge_unreachable: 'fix_edge_unreachable',
  unreadable_response: 'fix_unreadable_response',
  forbidden: 'fix_forbidden',
  conflict: 'fix_conflict',
  already_finished: 'fix_already_finished',
  rate_limited: 'fix_rate_limited',
  database_unavailable: 'fix_database_unavailable',
  system_paused: 'fix_system_paused',
  internal: 'fix_internal',
};

/** What the person can do about it. */
export function adviceOf(error: EdgeError): string {
  const key = ADVICE[error.code];
  if (key !== undefined) return t(key);
  return error.status === 404 ? t('fix_not_found') : t('fix_other');
}
