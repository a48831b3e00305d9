/** Grants: approvals that people gave ahead. */
import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { Grant } from '../contracts/grants.ts';
import { json } from './json-column.ts';
import type { RowOf } from './row.ts';

export const grants = sqliteTable(
  'grants',
  {
    grant_id: text().primaryKey(),
    local_conversation_id: text().notNull(),
    controller_id: text().notNull(),
    /** One that cannot be read is empty, and covers nothing. */
    argv: json<string[]>(() => []).notNull(),
    further_items: integer().notNull(),
    folder: text().notNull(),
    uses: integer().notNull().default(0),
    max_uses: integer().notNull(),
    created_by: text().notNull(),
    created_at: integer().notNull(),
    expires_at: integer().notNull(),
    revoked_by: text(),
    revoked_at: integer(),
  },
  (t) => [index('grants_by_conversation').on(t.local_conversation_id, t.expires_at)],
);

export type GrantRow = RowOf<typeof grants, Grant>;
