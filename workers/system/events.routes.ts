/**
 * The events of the system as server-sent events. A stream tells what came after `Last-Event-ID` (or after now), asks
 * D1 once a second while someone listens, and ends by itself before the platform's limit of queries; the browser's
 * EventSource then reconnects with the last id it saw, so nothing is missed and nothing is told twice.
 */
import { and, asc, gt, max, sql } from 'drizzle-orm';
import type { SSEStreamingApi } from 'hono/streaming';
import { streamSSE } from 'hono/streaming';
import { z } from 'zod';
import type { EventTopic, SystemEvent } from '../../schema/contracts/events.ts';
import { EVENT_TOPICS, EventSchema } from '../../schema/contracts/events.ts';
import { AppError } from '../../schema/errors.ts';
import { event_batches } from '../../schema/tables/index.ts';
import type { Database } from '../db/open.ts';
import type { MountedRoute } from '../http/route.ts';
import { READERS, raw } from '../http/route.ts';

const POLL_INTERVAL_MS = 1_000;
/** A D1 query a second: well below the 50 that an invocation has on the free plan. */
const STREAM_LASTS_MS = 25_000;
const RECONNECT_AFTER_MS = 1_000;
const BATCH = 200;

type EventBatch = typeof event_batches.$inferSelect;

const isTopic = (word: string): word is EventTopic => (EVENT_TOPICS as readonly string[]).includes(word);
const QuerySchema = z.object({
  topics: z
    .string()
    .max(200)
    .refine((text) => text.split(',').every(isTopic), `one or more of ${EVENT_TOPICS.join(', ')}, with commas between`)
    .optional(),
  /** Like the header, for those who cannot set one. */
  last_event_id: z.coerce.number().int().nonnegative().optional(),
  /** How long to stay when there is nothing to tell; 0 ends as soon as what is there has been told. */
  wait_ms: z.coerce.number().int().min(0).max(STREAM_LASTS_MS).default(STREAM_LASTS_MS),
});

interface Subscription {
  topics: EventTopic[] | null;
  after: number;
  waitMs: number;
}

export const events: readonly MountedRoute[] = [
  raw(
    {
      method: 'get',
      path: '/v1/events',
      summary: 'What happens, as server-sent events; resumed by Last-Event-ID',
      tag: 'events',
      roles: READERS,
      query: QuerySchema,
      data: EventSchema,
      produces: 'text/event-stream',
    },
    async ({ c, db, query }) => {
      if (c.req.raw.method === 'HEAD') return c.body(null, 200, { 'content-type': 'text/event-stream' });
      const given = lastEventId(c.req.header('last-event-id')) ?? query.last_event_id;
      const subscription: Subscription = {
        topics: query.topics?.split(',').filter(isTopic) ?? null,
        after: given ?? (await newestSeq(db)),
        waitMs: query.wait_ms,
      };
      return streamSSE(c, (stream) => tell(stream, db, subscription));
    },
  ),
];

async function tell(stream: SSEStreamingApi, db: Database, { topics, after, waitMs }: Subscription): Promise<void> {
  let position = after;
  await stream.write(`retry: ${RECONNECT_AFTER_MS}\nid: ${position}\n\n`);
  // Counted in turns: the Worker's clock stands still between two I/O operations.
  for (let waited = 0; !stream.aborted; ) {
    const rows = await readEvents(db, topics, position);
    for (const row of rows) await writeEvents(stream, row, topics);
    position = rows.at(-1)?.seq ?? position;
    if (rows.length === BATCH) continue;
    if (waited >= waitMs) return;
    await stream.sleep(POLL_INTERVAL_MS);
    waited += POLL_INTERVAL_MS;
  }
}

/** The id comes with the row's last event only: a stream that is cut before it is resumed with the whole row. */
async function writeEvents(stream: SSEStreamingApi, { seq, at, events: all }: EventBatch, topics: EventTopic[] | null) {
  const wanted = all.filter(({ topic }) => topics === null || topics.includes(topic));
  for (const [n, item] of wanted.entries()) {
    const id = n === wanted.length - 1 ? { id: String(seq) } : {};
    const event: SystemEvent = { seq, at, ...item };
    await stream.writeSSE({ ...id, event: item.topic, data: JSON.stringify(event) });
  }
}

function readEvents(db: Database, topics: EventTopic[] | null, after: number): Promise<EventBatch[]> {
  const wanted =
    topics === null
      ? undefined
      : sql`EXISTS (SELECT 1 FROM json_each(${event_batches.events}) AS item
          WHERE item.value->>'topic' IN (SELECT value FROM json_each(${JSON.stringify(topics)})))`;
  return db
    .select()
    .from(event_batches)
    .where(and(gt(event_batches.seq, after), wanted))
    .orderBy(asc(event_batches.seq))
    .limit(BATCH);
}

async function newestSeq(db: Database): Promise<number> {
  const row = await db
    .select({ seq: max(event_batches.seq) })
    .from(event_batches)
    .get();
  return row?.seq ?? 0;
}

function lastEventId(header: string | undefined): number | undefined {
  if (header === undefined || header === '') return undefined;
  if (/^\d{1,15}$/.test(header)) return Number(header);
  throw new AppError('invalid_request', 'last-event-id: the id of an event of this stream', {
    details: { in: 'header', field: 'last-event-id', expected: 'the id of an event of this stream' },
  });
}
