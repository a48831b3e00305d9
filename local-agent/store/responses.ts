/**
 * Answers of the edge that have arrived and wait to be worked off. An answer is stored in the transaction that
 * deletes its outbox row, and removed in the transaction of what it leads to: a restart finds it in between.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { z } from 'zod';
import type { OutboxRow } from './outbox.ts';

const ResponseRowSchema = z.object({
  id: z.number().int(),
  stream: z.string(),
  kind: z.string(),
  body: z.string(),
  context: z.string(),
  answer: z.string(),
  answered_at: z.number().int(),
});
export type ResponseRow = z.infer<typeof ResponseRowSchema>;

export class Responses {
  readonly #insert: StatementSync;
  readonly #all: StatementSync;
  readonly #remove: StatementSync;

  constructor(db: DatabaseSync) {
    this.#insert = db.prepare(
      'INSERT INTO answers (id, stream, kind, body, context, answer, answered_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
    );
    this.#all = db.prepare('SELECT * FROM answers ORDER BY id');
    this.#remove = db.prepare('DELETE FROM answers WHERE id = ?');
  }

  /** Stores the answer to a row; returns it as `pending` would. */
  add(row: OutboxRow, answer: unknown, now: number): ResponseRow {
    const stored = JSON.stringify(answer);
    this.#insert.run(row.id, row.stream, row.kind, row.body, row.context, stored, now);
    return {
      id: row.id,
      stream: row.stream,
      kind: row.kind,
      body: row.body,
      context: row.context,
      answer: stored,
      answered_at: now,
    };
  }

  /** What has not been worked off, oldest first. */
  pending(): ResponseRow[] {
    return this.#all.all().map((row) => ResponseRowSchema.parse(row));
  }

  remove(id: number): void {
    this.#remove.run(id);
  }
}
