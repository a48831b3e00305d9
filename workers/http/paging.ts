/**
 * Pages of a list, over an indexed unique key and without OFFSET, so that the cost of a page does not grow with its
 * position. The cursor is the key of the previous page's last row, opaque to the caller.
 */
import type { AnyColumn } from 'drizzle-orm';
import { and, asc, desc, is, SQL, sql } from 'drizzle-orm';
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core';
import type { z } from 'zod';
import type { PageQuerySchema } from '../../schema/contracts/common.ts';
import { AppError } from '../../schema/errors.ts';
import { BASE64URL } from '../crypto/base64url.ts';
import type { Database } from '../db/open.ts';

export type PageRequest = z.output<typeof PageQuerySchema>;
export type PageOrder = 'newest' | 'oldest';
export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

/** The query of a page: `where` joins the filters, and `limit` includes one row beyond the page. */
export interface PageWindow {
  where: SQL | undefined;
  orderBy: SQL;
  limit: number;
}

/** Throws `invalid_request` for a cursor that is not one of this list. */
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

/** The rows that a page looks through when no index has its filter: an index would cost a row with every write. */
export const SCAN_MAX = 2_000;

/** A window that ends after `SCAN_MAX` rows, and the key of the last of them; null when there are not so many. */
export interface BoundedWindow extends PageWindow {
  floor: string | number | null;
}

/** That window, newest first, of a list whose filter has no index. */
export async function boundedWindow(db: Database, column: SQLiteColumn, page: PageRequest): Promise<BoundedWindow> {
  const window = pageWindow(column, page);
  const last = await db
    .select({ key: sql<string | number>`${column}` })
    .from(column.table)
    .where(window.where)
    .orderBy(window.orderBy)
    .limit(1)
    .offset(SCAN_MAX - 1)
    .get();
  const floor = last?.key ?? null;
  return { ...window, where: and(window.where, floor === null ? undefined : sql`${column} >= ${floor}`), floor };
}

/** The window of a list: bounded, unless an index finds what the filter asks for. */
export async function listWindow(
  db: Database,
  column: SQLiteColumn,
  page: PageRequest,
  isFound: boolean,
): Promise<BoundedWindow> {
  return isFound ? { ...pageWindow(column, page), floor: null } : boundedWindow(db, column, page);
}

/** The page of a bounded window: it can be short, or empty, and have a cursor that looks further. */
export function toBoundedPage<T>(
  rows: readonly T[],
  page: PageRequest,
  { floor }: BoundedWindow,
  keyOf: (row: T) => string | number,
): Page<T> {
  const found = toPage(rows, page, keyOf);
  return found.next_cursor === null && floor !== null ? { ...found, next_cursor: encodeCursor(floor) } : found;
}

/** The page, from the rows that were read with its window. */
export function toPage<T>(rows: readonly T[], page: PageRequest, keyOf: (row: T) => string | number): Page<T> {
  const items = rows.slice(0, page.limit);
  const last = items.at(-1);
  const more = rows.length > page.limit && last !== undefined;
  return { items, next_cursor: more ? encodeCursor(keyOf(last)) : null };
}

/** The cursor of the page that follows that key. */
export function encodeCursor(key: string | number): string {
  return new TextEncoder().encode(String(key)).toBase64(BASE64URL);
}

function decodeCursor(cursor: string, numeric: boolean): string | number {
  const text = decodeText(cursor);
  const valid = numeric ? /^\d{1,15}$/ : /^[\x21-\x7e]{1,128}$/;
  if (!valid.test(text)) {
    throw new AppError('invalid_request', 'cursor: not a cursor of this list', {
      details: { in: 'query', field: 'cursor', expected: 'next_cursor of the previous page' },
    });
  }
  return numeric ? Number(text) : text;
}

/** Empty for text that is not base64url. */
function decodeText(cursor: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.fromBase64(cursor, BASE64URL));
  } catch {
    return '';
  }
}
