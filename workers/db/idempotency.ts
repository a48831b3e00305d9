/**
 * Repeats of a write. An agent's outbox numbers its rows per stream, so one high-water mark per stream is enough; the
 * `Idempotency-Key` of any other caller is kept as a row for a day. Mark or row is written in the batch of the change.
 */
import { and, eq, sql } from 'drizzle-orm';
import type { ChainHead } from '../../schema/contracts/journal.ts';
import { AppError } from '../../schema/errors.ts';
import { idempotency_keys, outbox_marks } from '../../schema/tables/index.ts';
import { decryptResponse, encryptResponse } from '../crypto/encrypted-response.ts';
import { guardThat } from './guards.ts';
import type { Database, Statement } from './open.ts';

interface Repeatable {
  body_hash: string;
  status: number;
  /** The caller's credential, which encrypts a response that carries a secret. */
  credential: string;
}
export interface OutboxMark extends Repeatable {
  kind: 'outbox';
  controller_id: string;
  outbox_id: string;
  stream: string;
  seq: number;
}
interface CallerKey extends Repeatable {
  kind: 'key';
  token_id: string;
  key: string;
}
export type Idempotency = OutboxMark | CallerKey;

/** `<outbox_id>/<stream>/<seq>`, as an agent's outbox sends it. */
const OUTBOX_KEY = /^([0-9a-f-]{8,64})\/([^/]{1,400})\/(\d{1,15})$/;

export function parseIdempotencyKey(
  key: string,
  caller: { token_id: string; controller_id: string | null },
  request: Repeatable,
): Idempotency {
  const found = OUTBOX_KEY.exec(key);
  if (found && caller.controller_id !== null) {
    const [, outbox_id = '', stream = '', seq = ''] = found;
    return { kind: 'outbox', controller_id: caller.controller_id, outbox_id, stream, seq: Number(seq), ...request };
  }
  if (!/^[\x21-\x7e]{1,200}$/.test(key)) {
    throw new AppError('invalid_request', 'idempotency-key: 1 to 200 visible characters', {
      details: { in: 'header', field: 'idempotency-key', expected: '1 to 200 visible characters' },
    });
  }
  return { kind: 'key', token_id: caller.token_id, key, ...request };
}

/** The stored response to a repeated request, or null for the first one. Throws `conflict` for another body. */
export async function replay(db: Database, idempotency: Idempotency | null): Promise<{ response: unknown } | null> {
  if (idempotency === null) return null;
  const row = idempotency.kind === 'outbox' ? await readMark(db, idempotency) : await readKey(db, idempotency);
  if (!row) return null;
  if (row.body_hash !== idempotency.body_hash) {
    if (idempotency.kind === 'outbox') throw copiedOutbox(idempotency);
    throw new AppError('conflict', 'this idempotency key was used with another body');
  }
  const text = await decryptResponse(row.answer, idempotency.credential);
  if (text === null) {
    throw new AppError(
      'conflict',
      'a repeat of an earlier request, whose response carried a secret that is shown once',
    );
  }
  return { response: JSON.parse(text) };
}

async function readMark(db: Database, { controller_id, outbox_id, stream, seq }: OutboxMark) {
  const row = await db
    .select()
    .from(outbox_marks)
    .where(
      and(
        eq(outbox_marks.controller_id, controller_id),
        eq(outbox_marks.outbox_id, outbox_id),
        eq(outbox_marks.stream, stream),
      ),
    )
    .get();
  if (!row || row.seq < seq) return null;
  if (row.seq > seq) throw copiedOutbox({ outbox_id, stream, seq });
  return row;
}

/** An outbox never sends two bodies under one number, or a number after a later one: another file sends under its id. */
function copiedOutbox({ outbox_id, stream, seq }: Pick<OutboxMark, 'outbox_id' | 'stream' | 'seq'>): AppError {
  return new AppError(
    'outbox_conflict',
    `row ${seq} of the stream ${stream} of the outbox ${outbox_id} was sent before with another body, or a later row was: ` +
      'a copy of its state folder sends under the same id, or an older copy was restored; send the row under a new outbox id',
  );
}

function readKey(db: Database, { token_id, key }: CallerKey) {
  return db
    .select()
    .from(idempotency_keys)
    .where(and(eq(idempotency_keys.token_id, token_id), eq(idempotency_keys.key, key)))
    .get();
}

/**
 * Statements that store the response for repeats. Of two identical requests at once, the second one fails on a guard
 * (mark) or a unique key (row) and is then replayed. A mark keeps `head`, the new head of its node's chain.
 */
export async function recordResponse(
  { db, now }: { db: Database; now: number },
  idempotency: Idempotency | null,
  { response, secret = false }: { response: unknown; secret?: boolean },
  head: ChainHead | null,
): Promise<Statement[]> {
  if (idempotency === null) return [];
  const plain = JSON.stringify(response);
  const answer = secret ? await encryptResponse(plain, idempotency.credential) : plain;
  if (idempotency.kind === 'key') {
    const { token_id, key, body_hash, status } = idempotency;
    return [db.insert(idempotency_keys).values({ token_id, key, body_hash, status, answer, created_at: now })];
  }
  const { controller_id, outbox_id, stream, seq, body_hash, status } = idempotency;
  const isNewest = sql`NOT EXISTS (SELECT 1 FROM outbox_marks WHERE controller_id = ${controller_id}
    AND outbox_id = ${outbox_id} AND stream = ${stream} AND seq >= ${seq})`;
  const kept = head === null ? {} : { journal_seq: head.seq, journal_hash: head.hash };
  const mark = { seq, body_hash, status, answer, ...kept, updated_at: now };
  return [
    guardThat(db, isNewest),
    db
      .insert(outbox_marks)
      .values({ controller_id, outbox_id, stream, ...mark })
      .onConflictDoUpdate({
        target: [outbox_marks.controller_id, outbox_marks.outbox_id, outbox_marks.stream],
        set: mark,
      }),
  ];
}
