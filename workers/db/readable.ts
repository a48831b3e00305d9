/** Rows as they are shown: one with a column that holds no JSON any more says so by the column's name. */
import { unreadableColumns } from '../../schema/tables/json-column.ts';

export function marked<T extends object>(row: T): T & { unreadable?: string[] } {
  const unreadable = unreadableColumns(row);
  return unreadable.length === 0 ? row : { ...row, unreadable };
}
