/**
 * Events as server-sent events. A stream sends what came after a position and then reads D1 once a second. It ends before
 * the platform's limit of queries per request is reached; EventSource then reconnects with the last id it received, so no
 * event is lost or sent twice.
 */
import { and, asc, gt, max, sql } from 'drizzle-orm';
import type { SSEStreamingApi } from 'hono/streaming';
import type { EventTopic, SystemEvent } from '../../schema/contracts/events.ts';
import type { EventBatchRow } from '../../schema/tables/index.ts';
import { event_batches } from '../../schema/tables/index.ts';
import type { Database } from '../db/open.ts';
import { storedJson } from '../db/stored-json.ts';

const POLL_INTERVAL_MS = 1_000;
/** With one D1 query a second, well below the 50 that the free plan allows an invocation. */
export const STREAM_MAX_MS = 25_000;
const RECONNECT_AFTER_MS = 1_000;
const BATCH = 200;

export interface Subscription {
  /** All topics when null. */
  topics: EventTopic[] | null;
  /** The stream begins after the event of this number. */
  after: number;
  waitMs: number;
}

export async function streamEvents(
  stream: SSEStreamingApi,
  db: Database,
  { topics, after, waitMs }: Subscription,
): Promise<void> {
  let position = after;
  await stream.write(`retry: ${RECONNECT_AFTER_MS}\nid: ${position}\n\n`);
  // Counted in turns: the Worker's clock does not advance between two I/O operations.
  for (let waitedMs = 0; !stream.aborted; ) {
    const rows = await readEvents(db, topics, position);
    for (const row of rows) await writeEvents(stream, row, topics);
    position = rows.at(-1)?.seq ?? position;
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

function readEvents(db: Database, topics: EventTopic[] | null, after: number): Promise<EventBatchRow[]> {
  const hasTopic =
    topics === null
      ? undefined
      : sql`EXISTS (SELECT 1 FROM json_each(${storedJson(event_batches.events, '[]')}) AS event
          WHERE event.value->>'topic' IN (SELECT value FROM json_each(${JSON.stringify(topics)})))`;
  return db
    .select()
    .from(event_batches)
    .where(and(gt(event_batches.seq, after), hasTopic))
    .orderBy(asc(event_batches.seq))
    .limit(BATCH);
}

/** The number of the newest event; 0 without any. */
export async function newestEventSeq(db: Database): Promise<number> {
  const row = await db
    .select({ seq: max(event_batches.seq) })
    .from(event_batches)
    .get();
  return row?.seq ?? 0;
}
