/** Filters of lists: a filter that the caller leaves out does not restrict the list. */
import type { AnyColumn, SQL } from 'drizzle-orm';
import { eq } from 'drizzle-orm';

export function equals(column: AnyColumn, value: string | number | null | undefined): SQL | undefined {
  return value === undefined || value === null ? undefined : eq(column, value);
}
