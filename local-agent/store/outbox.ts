/**
 * What the edge must hear of. A row is appended in the transaction of the change it reports, so that the two are
 * true together or not at all. Within a stream rows leave in the order of `seq`, which goes on growing after its
 * rows are gone: the key `<outbox_id>/<stream>/<seq>` is never used for two different bodies.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { z } from 'zod';

const OutboxRowSchema = z.object({
  id: z.number().int(),
  stream: z.string(),
  seq: z.number().int(),
  kind: z.string(),
  method: z.enum(['POST', 'PUT', 'DELETE']),
  path: z.string(),
  body: z.string(),
  context: z.string(),
  stored_at: z.number().int(),
  age_ms: z.number().int(),
  attempts: z.number().int(),
  refusal: z.string().nullable(),
});
export type OutboxRow = z.infer<typeof OutboxRowSchema>;
export type OutboxMethod = OutboxRow['method'];

const CountRow = z.object({ n: z.number().int() });
const StreamRow = z.object({ stream: z.string() });
const SeqRow = z.object({ last_seq: z.number().int() });

/** Why a row was refused, as `status` and `doctor` show it. */
export const RefusalSchema = z.object({ status: z.number().int(), code: z.string(), message: z.string() });
export type Refusal = z.infer<typeof RefusalSchema>;

/** One request that must reach the edge. `context` is what the handler of the answer needs; it is never sent. */
export interface OutboxEntry {
  stream: string;
  kind: string;
  method: OutboxMethod;
  path: string;
  body: unknown;
  context: unknown;
  /** How old the fact already is, in milliseconds. */
  ageMs?: number;
}

/** A refused row as people see it. */
export interface RefusedEntry {
  id: number;
  key: string;
  kind: string;
  path: string;
  refusal: Refusal;
}

/** Makes a stream safe for a header: what is not plain ASCII is percent-encoded. */
function headerSafe(stream: string): string {
  return stream.toWellFormed().replace(/[^A-Za-z0-9._:-]/gu, (character) => encodeURIComponent(character));
}

export class Outbox {
  readonly outboxId: string;
  readonly #now: () => number;
  readonly #listeners = new Set<(stream: string) => void>();
  readonly #nextSeq: StatementSync;
  readonly #insert: StatementSync;
  readonly #head: StatementSync;
  readonly #streams: StatementSync;
  readonly #attempted: StatementSync;
  readonly #refuse: StatementSync;
  readonly #remove: StatementSync;
  readonly #pendingCount: StatementSync;
  readonly #refused: StatementSync;
  readonly #trimRefused: StatementSync;

  constructor(db: DatabaseSync, options: { outboxId: string; now: () => number }) {
    this.outboxId = options.outboxId;
    this.#now = options.now;
    this.#nextSeq = db.prepare(
      `INSERT INTO outbox_streams (stream, last_seq) VALUES (?, 1)
       ON CONFLICT (stream) DO UPDATE SET last_seq = last_seq + 1 RETURNING last_seq`,
    );
    this.#insert = db.prepare(
      `INSERT INTO outbox (stream, seq, kind, method, path, body, context, status, stored_at, age_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?)`,
    );
    const columns = 'id, stream, seq, kind, method, path, body, context, stored_at, age_ms, attempts, refusal';
    this.#head = db.prepare(
      `SELECT ${columns} FROM outbox WHERE stream = ? AND status = 'pending' ORDER BY seq LIMIT 1`,
    );
    this.#streams = db.prepare(
      "SELECT stream, min(id) AS first FROM outbox WHERE status = 'pending' GROUP BY stream ORDER BY first",
    );
    this.#attempted = db.prepare('UPDATE outbox SET attempts = attempts + 1 WHERE id = ?');
    this.#refuse = db.prepare("UPDATE outbox SET status = 'refused', refusal = ? WHERE id = ?");
    this.#remove = db.prepare('DELETE FROM outbox WHERE id = ?');
    this.#pendingCount = db.prepare("SELECT count(*) AS n FROM outbox WHERE status = 'pending'");
    this.#trimRefused = db.prepare(
      `DELETE FROM outbox WHERE status = 'refused' AND id <=
         (SELECT id FROM outbox WHERE status = 'refused' ORDER BY id DESC LIMIT 1 OFFSET ?)`,
    );
    this.#refused = db.prepare(`SELECT ${columns} FROM outbox WHERE status = 'refused' ORDER BY id DESC LIMIT ?`);
  }

  /** Stores one request; call it inside the transaction of the change it reports. Listeners hear of it afterwards. */
  append(entry: OutboxEntry): { id: number; key: string } {
    const { last_seq: seq } = SeqRow.parse(this.#nextSeq.get(entry.stream));
    const { lastInsertRowid } = this.#insert.run(
      entry.stream,
      seq,
      entry.kind,
      entry.method,
      entry.path,
      JSON.stringify(entry.body),
      JSON.stringify(entry.context),
      this.#now(),
      Math.max(0, Math.round(entry.ageMs ?? 0)),
    );
    // A transaction is synchronous, so a microtask runs after its end, whichever end that was.
    queueMicrotask(() => {
      for (const listener of this.#listeners) listener(entry.stream);
    });
    return { id: Number(lastInsertRowid), key: this.#key(entry.stream, seq) };
  }

  /** The key of a stored row: its `Idempotency-Key`. */
  keyOf(row: Pick<OutboxRow, 'stream' | 'seq'>): string {
    return this.#key(row.stream, row.seq);
  }

  /** How old the row's fact is now, in milliseconds. */
  ageOf(row: Pick<OutboxRow, 'stored_at' | 'age_ms'>): number {
    return row.age_ms + Math.max(0, this.#now() - row.stored_at);
  }

  /** Calls `listener` with the stream after each append. Returns how to stop. */
  onAppend(listener: (stream: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The next row of a stream to be sent. */
  head(stream: string): OutboxRow | null {
    const row = this.#head.get(stream);
    return row === undefined ? null : OutboxRowSchema.parse(row);
  }

  /** Streams with something to send, the longest waiting first. */
  pendingStreams(): string[] {
    return this.#streams.all().map((row) => StreamRow.parse(row).stream);
  }

  attempted(id: number): void {
    this.#attempted.run(id);
  }

  /** The edge will not have this row: it is kept for a person, and the stream goes on. */
  refuse(id: number, refusal: Refusal): void {
    this.#refuse.run(JSON.stringify(refusal), id);
  }

  remove(id: number): void {
    this.#remove.run(id);
  }

  pendingCount(): number {
    return CountRow.parse(this.#pendingCount.get()).n;
  }

  /** Refused rows, newest first. */
  refused(limit: number): RefusedEntry[] {
    return this.#refused.all(limit).map((found) => {
      const row = OutboxRowSchema.parse(found);
      const refusal = RefusalSchema.parse(JSON.parse(row.refusal ?? 'null'));
      return { id: row.id, key: this.keyOf(row), kind: row.kind, path: row.path, refusal };
    });
  }

  /** Forgets all but the newest `keep` refused rows. */
  trimRefused(keep: number): void {
    this.#trimRefused.run(keep);
  }

  #key(stream: string, seq: number): string {
    return `${this.outboxId}/${headerSafe(stream)}/${seq}`;
  }
}
