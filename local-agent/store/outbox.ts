/**
 * Requests that must reach the edge. A row is appended in the transaction of the change that it reports, so both are
 * stored or neither is. Rows of one stream are sent in the order of `seq`, which keeps growing after rows are deleted:
 * the key `<outbox_id>/<stream>/<seq>` is never used for two different bodies.
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

/** Why the edge refused a row, as `status` shows it. */
export const RefusalSchema = z.object({ status: z.number().int(), code: z.string(), message: z.string() });
export type Refusal = z.infer<typeof RefusalSchema>;

/** One request to the edge. `context` is for the handler of its response and is never sent. */
export interface OutboxEntry {
  stream: string;
  kind: string;
  method: OutboxMethod;
  path: string;
  body: unknown;
  context: unknown;
  /** How old the reported fact is when it is appended, in milliseconds. */
  ageMs?: number;
}

/** A refused row, as `status` shows it. */
export interface RefusedEntry {
  id: number;
  key: string;
  kind: string;
  path: string;
  refusal: Refusal;
}

/** Percent-encodes characters that an HTTP header may not contain. */
function headerSafe(stream: string): string {
  return stream.toWellFormed().replace(/[^A-Za-z0-9._:-]/gu, (character) => encodeURIComponent(character));
}

export class Outbox {
  #outboxId: string;
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
  readonly #refusedCount: StatementSync;
  readonly #trimRefused: StatementSync;
  readonly #pendingOf: StatementSync;
  readonly #discard: StatementSync;

  constructor(db: DatabaseSync, options: { outboxId: string; now: () => number }) {
    this.#outboxId = options.outboxId;
    this.#now = options.now;
    this.#nextSeq = db.prepare(
      `INSERT INTO outbox_streams (stream, last_seq) VALUES (?, 1)
       ON CONFLICT (stream) DO UPDATE SET last_seq = last_seq + 1 RETURNING last_seq`,
    );
    this.#insert = db.prepare(
      `INSERT INTO outbox (stream, seq, kind, method, path, body, context, status, stored_at, age_ms)
       VALUES (:stream, :seq, :kind, :method, :path, :body, :context, 'pending', :stored_at, :age_ms)`,
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
    this.#refusedCount = db.prepare("SELECT count(*) AS n FROM outbox WHERE status = 'refused'");
    this.#pendingOf = db.prepare("SELECT count(*) AS n FROM outbox WHERE stream = ? AND status = 'pending'");
    this.#discard = db.prepare("DELETE FROM outbox WHERE stream = ? AND status = 'pending'");
    this.#trimRefused = db.prepare(
      `DELETE FROM outbox WHERE status = 'refused' AND id <=
         (SELECT id FROM outbox WHERE status = 'refused' ORDER BY id DESC LIMIT 1 OFFSET ?)`,
    );
    this.#refused = db.prepare(`SELECT ${columns} FROM outbox WHERE status = 'refused' ORDER BY id DESC LIMIT ?`);
  }

  get outboxId(): string {
    return this.#outboxId;
  }

  /** Rows are sent under this id from now on. */
  rename(outboxId: string): void {
    this.#outboxId = outboxId;
  }

  /** Stores one request inside the caller's transaction, that of the change it reports. Listeners run after it. */
  append(entry: OutboxEntry): { id: number; key: string } {
    const { last_seq: seq } = SeqRow.parse(this.#nextSeq.get(entry.stream));
    const { stream, kind, method, path, body, context, ageMs = 0 } = entry;
    const { lastInsertRowid } = this.#insert.run({
      stream,
      seq,
      kind,
      method,
      path,
      body: JSON.stringify(body),
      context: JSON.stringify(context),
      stored_at: this.#now(),
      age_ms: Math.max(0, Math.round(ageMs)),
    });
    // A transaction is synchronous, so a microtask runs after its commit or rollback.
    queueMicrotask(() => {
      for (const listener of this.#listeners) listener(stream);
    });
    return { id: Number(lastInsertRowid), key: this.#key(stream, seq) };
  }

  /** The key of a stored row: its `Idempotency-Key`. */
  keyOf(row: Pick<OutboxRow, 'stream' | 'seq'>): string {
    return this.#key(row.stream, row.seq);
  }

  /** How old the reported fact is now, in milliseconds. */
  ageOf(row: Pick<OutboxRow, 'stored_at' | 'age_ms'>): number {
    return row.age_ms + Math.max(0, this.#now() - row.stored_at);
  }

  /** Calls `listener` with the stream after each append. Returns a function that unsubscribes it. */
  onAppend(listener: (stream: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The next row to send of a stream; null when there is none. */
  head(stream: string): OutboxRow | null {
    const row = this.#head.get(stream);
    return row === undefined ? null : OutboxRowSchema.parse(row);
  }

  /** Streams with rows to send; the stream of the oldest row first. */
  pendingStreams(): string[] {
    return this.#streams.all().map((row) => StreamRow.parse(row).stream);
  }

  countAttempt(id: number): void {
    this.#attempted.run(id);
  }

  /** Keeps a row that the edge refused, for a person to see; the stream continues behind it. */
  refuse(id: number, refusal: Refusal): void {
    this.#refuse.run(JSON.stringify(refusal), id);
  }

  remove(id: number): void {
    this.#remove.run(id);
  }

  pendingCount(): number {
    return CountRow.parse(this.#pendingCount.get()).n;
  }

  /** How many refused rows are kept. */
  refusedCount(): number {
    return CountRow.parse(this.#refusedCount.get()).n;
  }

  /** How many rows of a stream are not sent yet. */
  pendingOf(stream: string): number {
    return CountRow.parse(this.#pendingOf.get(stream)).n;
  }

  /** Deletes the rows of a stream that the edge takes no more. */
  discard(stream: string): void {
    this.#discard.run(stream);
  }

  /** Refused rows, newest first. */
  refused(limit: number): RefusedEntry[] {
    return this.#refused.all(limit).map((found) => {
      const row = OutboxRowSchema.parse(found);
      const refusal = RefusalSchema.parse(JSON.parse(row.refusal ?? 'null'));
      return { id: row.id, key: this.keyOf(row), kind: row.kind, path: row.path, refusal };
    });
  }

  /** Deletes all but the newest `keep` refused rows. */
  trimRefused(keep: number): void {
    this.#trimRefused.run(keep);
  }

  #key(stream: string, seq: number): string {
    return `${this.#outboxId}/${headerSafe(stream)}/${seq}`;
  }
}
