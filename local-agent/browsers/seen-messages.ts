/** Acknowledged final messages by browser and request id; only the newest are kept. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { BRIDGE } from '../../schema/defaults.ts';

export class SeenMessages {
  readonly #find: StatementSync;
  readonly #insert: StatementSync;
  readonly #trim: StatementSync;

  constructor(db: DatabaseSync) {
    this.#find = db.prepare('SELECT 1 FROM bridge_seen WHERE client_id = ? AND request_id = ?');
    this.#insert = db.prepare('INSERT OR IGNORE INTO bridge_seen (client_id, request_id) VALUES (?, ?)');
    this.#trim = db.prepare('DELETE FROM bridge_seen WHERE id <= ?');
  }

  has(clientId: string, requestId: string): boolean {
    return this.#find.get(clientId, requestId) !== undefined;
  }

  /** Inside the transaction that stores the message. */
  add(clientId: string, requestId: string): void {
    const { lastInsertRowid } = this.#insert.run(clientId, requestId);
    this.#trim.run(Number(lastInsertRowid) - BRIDGE.seen_messages);
  }
}
