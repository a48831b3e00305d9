/**
 * Deletes messages whose reply has ended, with their executions. The edge's journal is the record of them: a repeat of such
 * a message is a duplicate there, and what has run is not claimed again.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';

export class FinishedMessages {
  readonly #deleteExecutions: StatementSync;
  readonly #deleteMessages: StatementSync;

  constructor(db: DatabaseSync) {
    const oldest = `SELECT message_id FROM messages
      WHERE state = 'done' AND progress_pending = 0 AND created_at < ? ORDER BY rowid LIMIT ?`;
    this.#deleteExecutions = db.prepare(`DELETE FROM executions WHERE message_id IN (${oldest})`);
    this.#deleteMessages = db.prepare(`DELETE FROM messages WHERE message_id IN (${oldest})`);
  }

  /** Deletes at most `limit` messages from before `at` (Unix milliseconds), and returns how many. In one transaction. */
  deleteBefore(at: number, limit: number): number {
    this.#deleteExecutions.run(at, limit);
    return Number(this.#deleteMessages.run(at, limit).changes);
  }
}
