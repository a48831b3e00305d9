/** JSON columns inside SQL: one that was damaged must not fail the query that reads many rows. */
import type { AnyColumn, SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';

/** The column's JSON, or `otherwise` where it holds none. */
export function storedJson(column: AnyColumn | SQL, otherwise: '[]' | '{}'): SQL {
  return sql`(CASE WHEN json_valid(${column}) THEN ${column} ELSE ${sql.raw(`'${otherwise}'`)} END)`;
}
