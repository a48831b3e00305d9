/**
 * Events as server-sent events. A stream sends what came after a position and then reads D1 once a second. It ends before
 * the platform's limit of queries per request is reached; EventSource then reconnects with the last id it received, so no
 * event is lost or sent twice. A client whose position is not in the table (the database was restored, or the events
 * after it were deleted) gets one `reset` event: it reads everything again, and the stream continues from the newest
 * event. The stream ends as soon as its caller's token is revoked, rotated or expires, or its session is signed out.
 */
import type { SQL } from 'drizzle-orm';
import { max, sql } from 'drizzle-orm';
import type { SSEStreamingApi } from 'hono/streaming';
import type { EventItem, EventTopic, SystemEvent } from '../../schema/contracts/events.ts';
import { RESET_EVENT } from '../../schema/contracts/events.ts';
import { readJson } from '../../schema/json-text.ts';
import type { EventBatchRow } from '../../schema/tables/index.ts';
import { event_batches } from '../../schema/tables/index.ts';
import { wasSignedOut } from '../db/ended-sessions.ts';
import type { Database } from '../db/open.ts';
import { storedJson } from '../db/stored-json.ts';
import { STREAM_MAX_QUERIES } from '../db/usage.ts';

const POLL_INTERVAL_MS = 1_000;
/** With one query a second, fewer than a stream may have. */
export const STREAM_MAX_MS = 25_000;
const RECONNECT_AFTER_MS = 1_000;
const BATCH = 200;

export interface Subscription {
  /** All topics when null. */
  topics: EventTopic[] | null;
  /** The stream begins after the event of this number. */
  after: number;
  waitMs: number;
  /** The caller's token, by its id; null for one that D1 does not have: the bootstrap secret, or a login of Access. */
  tokenId: string | null;
  /** The hash of the caller's credential: a session that was signed out ends its streams. */
  credentialHash: string;
  /** When the caller's identity expires (Unix milliseconds); null for never. */
  expiresAt: number | null;
}

/** What one query finds. `token`: the hash of the caller's token while it is valid; another one after a rotation. */
interface Turn {
  token: string | null;
  isSignedOut: boolean;
  rows: EventBatchRow[];
}

export async function streamEvents(
  stream: SSEStreamingApi,
  db: Database,
  { topics, after, waitMs, tokenId, credentialHash, expiresAt }: Subscription,
): Promise<void> {
  let position = after;
  const kept = await readKept(db);
  const isKnown = after <= kept.newest && after >= kept.oldest - 1;
  if (!isKnown) position = kept.newest;
  await stream.write(`retry: ${RECONNECT_AFTER_MS}\nid: ${position}\n\n`);
  if (!isKnown)
    await stream.writeSSE({ event: RESET_EVENT, id: String(position), data: JSON.stringify({ seq: position }) });
  let opened: string | null | undefined;
  // Counted in turns: the Worker's clock does not advance between two I/O operations.
  for (let waitedMs = 0; !stream.aborted; ) {
    const { token, isSignedOut, rows } = await readTurn(db, { topics, after: position, tokenId, credentialHash });
    opened ??= token;
    const isOver = isSignedOut || (tokenId !== null && (token === null || token !== opened));
    if (isOver || (expiresAt !== null && expiresAt <= Date.now())) return;
    for (const row of rows) await writeEvents(stream, row, topics);
    position = rows.at(-1)?.seq ?? position;
    if (db.usage.queries >= STREAM_MAX_QUERIES) return;
    if (rows.length === BATCH) continue;
    if (waitedMs >= waitMs) return;
    await stream.sleep(POLL_INTERVAL_MS);
    waitedMs += POLL_INTERVAL_MS;
  }
}

/** Only the last event of a commit carries the id, so a stream that is cut before it is resumed with the whole commit. */
async function writeEvents(stream: SSEStreamingApi, { seq, at, events }: EventBatchRow, topics: EventTopic[] | null) {
  const wanted = events.filter(({ topic }) => topics === null || topics.includes(topic));
  for (const [n, item] of wanted.entries()) {
    const id = n === wanted.length - 1 ? { id: String(seq) } : {};
    const event: SystemEvent = { seq, at, ...item };
    await stream.writeSSE({ ...id, event: item.topic, data: JSON.stringify(event) });
  }
}

/** The state of the token and the events after a position, as one query: an invocation has few. */
async function readTurn(
  db: Database,
  { topics, after, tokenId, credentialHash }: Pick<Subscription, 'topics' | 'after' | 'tokenId' | 'credentialHash'>,
): Promise<Turn> {
  const found = await db.all<{ token: string | null; ended: number; seq: number | null; at: number; events: string }>(
    sql`SELECT t.token, t.ended, e.seq, e.at, e.events
      FROM (SELECT (SELECT token_hash FROM tokens WHERE token_id = ${tokenId} AND revoked_at IS NULL
          AND (expires_at IS NULL OR expires_at > ${Date.now()})) AS token,
          ${wasSignedOut(credentialHash)} AS ended) AS t
      LEFT JOIN (SELECT seq, at, events FROM event_batches
        WHERE seq > ${after} AND ${hasTopic(topics)} ORDER BY seq LIMIT ${BATCH}) AS e ON true
      ORDER BY e.seq`,
  );
  const rows = found.flatMap(({ seq, at, events }) => {
    const read = seq === null ? null : readJson(events);
    return seq === null ? [] : [{ seq, at, events: (read?.ok === true ? read.value : []) as EventItem[] }];
  });
  return { token: found[0]?.token ?? null, isSignedOut: found[0]?.ended === 1, rows };
}

function hasTopic(topics: EventTopic[] | null): SQL {
  if (topics === null) return sql`true`;
  return sql`EXISTS (SELECT 1 FROM json_each(${storedJson(sql`events`, '[]')}) AS event
    WHERE event.value->>'topic' IN (SELECT value FROM json_each(${JSON.stringify(topics)})))`;
}

/** The numbers of the oldest and the newest event that are kept; 0 and 0 without any. */
async function readKept(db: Database): Promise<{ oldest: number; newest: number }> {
  const row = await db.get<{ oldest: number; newest: number }>(
    sql`SELECT coalesce((SELECT min(seq) FROM event_batches), 0) AS oldest,
      coalesce((SELECT max(seq) FROM event_batches), 0) AS newest`,
  );
  return row;
}

/** The number of the newest event; 0 without any. */
export async function newestEventSeq(db: Database): Promise<number> {
  const row = await db
    .select({ seq: max(event_batches.seq) })
    .from(event_batches)
    .get();
  return row?.seq ?? 0;
}
