/** The counters of `local_conversations AS c` for statements that read them beside other things. */
import { sql } from 'drizzle-orm';
import { RENEWAL_COUNTERS } from '../../schema/domain/renewal-limits.ts';

/** As columns. */
export const counterColumns = sql.raw(RENEWAL_COUNTERS.map((name) => `c.${name}`).join(', '));
/** As names and values of `json_object`. */
export const counterPairs = sql.raw(RENEWAL_COUNTERS.map((name) => `'${name}', c.${name}`).join(', '));
