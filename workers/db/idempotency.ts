/**
 * Repeats of a write. An outbox numbers its rows per stream, so one high-water mark per stream is enough; any other
 * caller's `Idempotency-Key` is kept as a row for a day. The mark is written in the batch of the change itself.
 */
import { and, eq, sql } from 'drizzle-orm';
import { AppError } from '../../schema/errors.ts';
import { idempotency_keys, outbox_marks } from '../../schema/tables/index.ts';
import { decryptResponse, encryptResponse } from '../crypto/encrypted-response.ts';
import type { WriteContext } from './commit.ts';
import { guardThat } from './guards.ts';
import type { Statement } from './open.ts';

interface Repeatable {
  body_hash: string;
  status: number;
  /** The caller's token, with which an answer that carries a secret is sealed. */
  bearer: string;
}
interface OutboxMark extends Repeatable {
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
  base: Repeatable,
): Idempotency {
  const found = OUTBOX_KEY.exec(key);
  if (found && caller.controller_id !== null) {
    const [, outbox_id = '', stream = '', seq = ''] = found;
    return { kind: 'outbox', controller_id: caller.controller_id, outbox_id, stream, seq: Number(seq), ...base };
  }
  if (!/^[\x21-\x7e]{1,200}$/.test(key)) {
    throw new AppError('invalid_request', 'idempotency-key: 1 to 200 visible characters', {
      details: { in: 'header', field: 'idempotency-key', expected: '1 to 200 visible characters' },
    });
  }
  return { kind: 'key', token_id: caller.token_id, key, ...base };
}

/** The stored answer to a repeat, or null when this is the first time. Throws `conflict` for another body. */
export async function replay({ db, idempotency }: WriteContext): Promise<{ response: unknown } | null> {
  if (idempotency === null) return null;
  const row = idempotency.kind === 'outbox' ? await readMark(db, idempotency) : await readKey(db, idempotency);
  if (!row) return null;
  if (row.body_hash !== idempotency.body_hash) {
    throw new AppError('conflict', 'this idempotency key was used with another body');
  }
  const text = await decryptResponse(row.answer, idempotency.bearer);
  if (text === null) throw new AppError('conflict', 'this was done before; its answer carried a secret, shown once');
  return { response: JSON.parse(text) };
}

async function readMark(db: WriteContext['db'], mark: OutboxMark) {
  const row = await db.select().from(outbox_marks).where(markIs(mark)).get();
  if (!row || row.seq < mark.seq) return null;
  if (row.seq > mark.seq) throw new AppError('conflict', 'this outbox row was answered long ago');
  return row;
}

function readKey(db: WriteContext['db'], key: CallerKey) {
  return db
    .select()
    .from(idempotency_keys)
    .where(and(eq(idempotency_keys.token_id, key.token_id), eq(idempotency_keys.key, key.key)))
    .get();
}

function markIs(mark: OutboxMark) {
  return and(
    eq(outbox_marks.controller_id, mark.controller_id),
    eq(outbox_marks.outbox_id, mark.outbox_id),
    eq(outbox_marks.stream, mark.stream),
  );
}

/** The statements that keep the answer, with the guard that makes two repeats at once into one. */
export async function recordResponse(context: WriteContext, response: unknown, secret: boolean): Promise<Statement[]> {
  const { db, idempotency, now } = context;
  if (idempotency === null) return [];
  const plain = JSON.stringify(response);
  const text = secret ? await encryptResponse(plain, idempotency.bearer) : plain;
  if (idempotency.kind === 'key') {
    const { token_id, key, body_hash, status } = idempotency;
    return [db.insert(idempotency_keys).values({ token_id, key, body_hash, status, answer: text, created_at: now })];
  }
  const { controller_id, outbox_id, stream, seq, body_hash, status } = idempotency;
  const newer = sql`NOT EXISTS (SELECT 1 FROM outbox_marks WHERE controller_id = ${controller_id}
    AND outbox_id = ${outbox_id} AND stream = ${stream} AND seq >= ${seq})`;
  const changed = { seq, body_hash, status, answer: text, updated_at: now };
  return [
    guardThat(db, newer),
    db
      .insert(outbox_marks)
      .values({ controller_id, outbox_id, stream, ...changed })
      .onConflictDoUpdate({
        target: [outbox_marks.controller_id, outbox_marks.outbox_id, outbox_marks.stream],
        set: changed,
      }),
  ];
}
