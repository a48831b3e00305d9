/**
 * Responses of the edge whose handlers have not run yet. A response is stored in the transaction that deletes its outbox
 * row, and removed in the transaction of its handler; after a crash in between it is still here.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { z } from 'zod';
import type { OutboxRow } from './outbox.ts';

const ResponseRowSchema = z.object({
  /** Of its outbox row. */
  id: z.number().int(),
  stream: z.string(),
  kind: z.string(),
  /** What was sent, as JSON. */
  body: z.string(),
  context: z.string(),
  /** What the edge responded, as JSON. */
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
      `INSERT INTO answers (id, stream, kind, body, context, answer, answered_at)
       VALUES (:id, :stream, :kind, :body, :context, :answer, :answered_at)`,
    );
    this.#all = db.prepare('SELECT * FROM answers ORDER BY id');
    this.#remove = db.prepare('DELETE FROM answers WHERE id = ?');
  }

  /** Stores the response to an outbox row and returns it as `pending` would. */
  add({ id, stream, kind, body, context }: OutboxRow, data: unknown, now: number): ResponseRow {
    const row: ResponseRow = { id, stream, kind, body, context, answer: JSON.stringify(data), answered_at: now };
    this.#insert.run(row);
    return row;
  }

  /** Oldest first. */
  pending(): ResponseRow[] {
    return this.#all.all().map((row) => ResponseRowSchema.parse(row));
  }

  remove(id: number): void {
    this.#remove.run(id);
  }
}
