/** Browsers that are paired with this node: their extension's origin and the SHA-256 of their token. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { z } from 'zod';

const PairingSchema = z.object({
  client_id: z.string(),
  origin: z.string(),
  token_hash: z.string(),
  created_at: z.number().int(),
});
export type Pairing = z.infer<typeof PairingSchema>;

export class Pairings {
  readonly #put: StatementSync;
  readonly #byClient: StatementSync;
  readonly #byOrigin: StatementSync;
  readonly #all: StatementSync;

  constructor(db: DatabaseSync) {
    this.#put = db.prepare(
      `INSERT INTO pairings (client_id, origin, token_hash, created_at)
       VALUES (:client_id, :origin, :token_hash, :created_at)
       ON CONFLICT (client_id) DO UPDATE SET
         origin = excluded.origin, token_hash = excluded.token_hash, created_at = excluded.created_at`,
    );
    this.#byClient = db.prepare('SELECT * FROM pairings WHERE client_id = ?');
    this.#byOrigin = db.prepare('SELECT 1 FROM pairings WHERE origin = ? LIMIT 1');
    this.#all = db.prepare('SELECT * FROM pairings ORDER BY client_id');
  }

  /** Pins a browser to its origin and token; pairing it again replaces both. */
  put({ client_id, origin, token_hash, created_at }: Pairing): void {
    this.#put.run({ client_id, origin, token_hash, created_at });
  }

  find(clientId: string): Pairing | null {
    const row = this.#byClient.get(clientId);
    return row === undefined ? null : PairingSchema.parse(row);
  }

  isPinnedOrigin(origin: string): boolean {
    return this.#byOrigin.get(origin) !== undefined;
  }

  list(): Pairing[] {
    return this.#all.all().map((row) => PairingSchema.parse(row));
  }
}
