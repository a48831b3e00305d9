/**
 * D1 for tests of guards: `race` runs other code between the reads of a write and its commit. It holds back the first
 * matching batch until that code has finished, so the product needs no hook of its own.
 */

const WRITES = /\b(insert|update|delete)\b/i;

interface Rival {
  run: () => Promise<unknown>;
  matching: RegExp;
}

export class RacingDatabase {
  readonly binding: D1Database;
  #waiting: Rival | null = null;
  #running: Promise<unknown> | null = null;

  constructor(db: D1Database) {
    this.binding = new Proxy(db, {
      get: (target, key) => {
        if (key === 'batch') return (statements: D1PreparedStatement[]) => this.#batch(target, statements);
        const value: unknown = Reflect.get(target, key);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  /**
   * Runs `write`, and once `rival` between its reads and its commit: before the first batch with a statement that
   * matches `matching` (any change of D1 unless given). Throws when `write` sent no such batch, or when `rival` failed.
   */
  async race<T>(write: () => Promise<T>, rival: () => Promise<unknown>, matching: RegExp = WRITES): Promise<T> {
    this.#waiting = { run: rival, matching };
    this.#running = null;
    const [written] = await Promise.allSettled([write()]);
    const missed = this.#waiting !== null;
    this.#waiting = null;
    await this.#running;
    if (written.status === 'rejected') throw written.reason;
    if (missed) throw new Error(`the write sent no batch that matches ${matching}`);
    return written.value;
  }

  async #batch(db: D1Database, statements: D1PreparedStatement[]): Promise<D1Result[]> {
    const rival = this.#waiting;
    if (rival !== null && statements.some((statement) => rival.matching.test(sqlOf(statement)))) {
      // Cleared first: the batches of the rival itself pass.
      this.#waiting = null;
      this.#running = rival.run();
      await this.#running;
    }
    return db.batch(statements);
  }
}

/** workerd keeps the text of a prepared statement in a property that its types leave out. */
function sqlOf(statement: D1PreparedStatement): string {
  return String(Reflect.get(statement, 'statement'));
}
