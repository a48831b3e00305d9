/** The counters of `local_conversations AS c` for statements that read them beside other things. */
import { sql } from 'drizzle-orm';
import type { RenewalCounters } from '../../schema/domain/renewal-limits.ts';

const COUNTERS = [
  'renewals_in_row',
  'renewals_without_effect',
  'repeated_renewals',
  'renewed_text_hash',
  'renewals_day',
  'renewals_that_day',
  'cooldown_until',
  'cooldown_reason',
] as const satisfies readonly (keyof RenewalCounters)[];

/** As columns. */
export const counterColumns = sql.raw(COUNTERS.map((name) => `c.${name}`).join(', '));
/** As names and values of `json_object`. */
export const counterPairs = sql.raw(COUNTERS.map((name) => `'${name}', c.${name}`).join(', '));
