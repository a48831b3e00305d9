/**
 * Pages of a list: always over an indexed, unique key, never OFFSET, so that a page costs what it shows. The cursor is
 * the key of the last row of the page before, and opaque to the caller.
 */
import type { AnyColumn } from 'drizzle-orm';
import { asc, desc, is, SQL, sql } from 'drizzle-orm';
import type { z } from 'zod';
import type { PageQuerySchema } from '../../schema/contracts/common.ts';
import { AppError } from '../../schema/errors.ts';
import { fromBase64Url, toBase64Url } from '../crypto/base64.ts';

export type PageRequest = z.output<typeof PageQuerySchema>;
export type PageOrder = 'newest' | 'oldest';
export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

/** How to ask for a page: put `where` beside the filters, order by `orderBy`, and read `limit` rows (one too many). */
export interface PageWindow {
  where: SQL | undefined;
  orderBy: SQL;
  limit: number;
}

/** Throws `invalid_request` for a cursor that no page of this list gave out. */
export function pageWindow(
  column: AnyColumn | SQL<number>,
  page: PageRequest,
  order: PageOrder = 'newest',
): PageWindow {
  const orderBy = order === 'newest' ? desc(column) : asc(column);
  const limit = page.limit + 1;
  if (page.cursor === undefined) return { where: undefined, orderBy, limit };
  const key = decodeCursor(page.cursor, is(column, SQL) || column.dataType === 'number');
  return { where: order === 'newest' ? sql`${column} < ${key}` : sql`${column} > ${key}`, orderBy, limit };
}

/** The page itself, from the rows that the window read. */
export function toPage<T>(rows: readonly T[], page: PageRequest, keyOf: (row: T) => string | number): Page<T> {
  const items = rows.slice(0, page.limit);
  const last = items.at(-1);
  const more = rows.length > page.limit && last !== undefined;
  return { items, next_cursor: more ? encodeCursor(keyOf(last)) : null };
}

/** The cursor of the page after that key. */
export function encodeCursor(key: string | number): string {
  return toBase64Url(new TextEncoder().encode(String(key)));
}

function decodeCursor(cursor: string, numeric: boolean): string | number {
  const bytes = fromBase64Url(cursor);
  const text = bytes === null ? '' : new TextDecoder().decode(bytes);
  const valid = numeric ? /^\d{1,15}$/ : /^[\x21-\x7e]{1,128}$/;
  if (!valid.test(text)) {
    throw new AppError('invalid_request', 'cursor: not one that this list gave out', {
      details: { in: 'query', field: 'cursor', expected: 'the next_cursor of the page before' },
    });
  }
  return numeric ? Number(text) : text;
}
