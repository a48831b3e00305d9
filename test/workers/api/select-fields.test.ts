import { env } from 'cloudflare:workers';
import { eq, sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { instructions, messages } from '../../../schema/tables/index.ts';
import { openDatabase } from '../../../workers/db/open.ts';
import { unqualifiedInSubselect } from '../support/unqualified-columns.ts';

const db = openDatabase(env.DB);

describe('a raw field of a select', () => {
  it('is refused by the tests when its subselect names a column without the table, as drizzle writes it', async () => {
    const pending = sql<number>`EXISTS (SELECT 1 FROM instructions WHERE message_id = ${messages.message_id})`;
    const query = db.select({ pending }).from(messages).where(eq(messages.role, 'assistant'));
    expect(query.toSQL().sql).toContain('WHERE message_id = "message_id")');
    await expect(query.get()).rejects.toThrow();
    expect(unqualifiedInSubselect(query.toSQL().sql)).toBe('message_id');
  });

  it('may name a column outside of a subselect, or with its table', () => {
    const plain = db.select({ text: sql`CAST(${messages.capture} AS TEXT)` }).from(messages);
    expect(unqualifiedInSubselect(plain.toSQL().sql)).toBeNull();
    const named = sql`(SELECT count(*) FROM instructions AS i WHERE i.message_id = ${sql.raw('messages.message_id')})`;
    expect(unqualifiedInSubselect(db.select({ named }).from(messages).toSQL().sql)).toBeNull();
    const nested = db
      .select({ id: instructions.instruction_id })
      .from(instructions)
      .where(sql`${instructions.message_id} IN (SELECT message_id FROM messages)`);
    expect(unqualifiedInSubselect(nested.toSQL().sql)).toBeNull();
  });
});
