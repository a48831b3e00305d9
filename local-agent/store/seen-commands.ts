/** Commands of the edge that this node has taken: each is executed once, however often it arrives. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { z } from 'zod';

const SeenRow = z.object({
  command_id: z.string(),
  kind: z.string(),
  received_at: z.number().int(),
  result: z.string().nullable(),
});

/** A taken command; `result` is null while it is being executed. */
export interface SeenCommand {
  command_id: string;
  kind: string;
  received_at: number;
  result: unknown;
}

export class SeenCommands {
  readonly #insert: StatementSync;
  readonly #forget: StatementSync;
  readonly #forgetBefore: StatementSync;
  readonly #find: StatementSync;
  readonly #setResult: StatementSync;

  constructor(db: DatabaseSync) {
    this.#insert = db.prepare('INSERT INTO commands (command_id, kind, received_at) VALUES (?, ?, ?)');
    this.#forget = db.prepare('DELETE FROM commands WHERE command_id = ?');
    this.#forgetBefore = db.prepare('DELETE FROM commands WHERE received_at < ?');
    this.#find = db.prepare('SELECT * FROM commands WHERE command_id = ?');
    this.#setResult = db.prepare('UPDATE commands SET result = ? WHERE command_id = ?');
  }

  /** @throws Error when the command was taken before, which is a bug of the caller. */
  take(commandId: string, kind: string, now: number): void {
    this.#insert.run(commandId, kind, now);
  }

  /** Lets a refused command be taken when it arrives again. */
  forget(commandId: string): void {
    this.#forget.run(commandId);
  }

  /** Forgets commands taken before `at` (Unix milliseconds), which must be long after they have expired. */
  forgetBefore(at: number): void {
    this.#forgetBefore.run(at);
  }

  find(commandId: string): SeenCommand | null {
    const row = this.#find.get(commandId);
    if (row === undefined) return null;
    const { result, ...seen } = SeenRow.parse(row);
    return { ...seen, result: result === null ? null : JSON.parse(result) };
  }

  setResult(commandId: string, result: unknown): void {
    this.#setResult.run(JSON.stringify(result), commandId);
  }
}
