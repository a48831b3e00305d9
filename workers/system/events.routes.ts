/** The events of the system, as a stream that a client resumes with `Last-Event-ID`. */
import { streamSSE } from 'hono/streaming';
import { z } from 'zod';
import type { EventTopic } from '../../schema/contracts/events.ts';
import { EVENT_TOPICS, EventSchema } from '../../schema/contracts/events.ts';
import { TokenIdSchema } from '../../schema/contracts/tokens.ts';
import { AppError } from '../../schema/errors.ts';
import { sha256Hex } from '../crypto/hash.ts';
import type { MountedRoute } from '../http/route.ts';
import { READERS, raw } from '../http/route.ts';
import type { Subscription } from './event-stream.ts';
import { newestEventSeq, STREAM_MAX_MS, streamEvents } from './event-stream.ts';

const isTopic = (word: string): word is EventTopic => (EVENT_TOPICS as readonly string[]).includes(word);
const QuerySchema = z.object({
  topics: z
    .string()
    .max(200)
    .refine((text) => text.split(',').every(isTopic), `one or more of ${EVENT_TOPICS.join(', ')}, with commas between`)
    .optional(),
  /** The same as the header, for clients that cannot set one. */
  last_event_id: z.coerce.number().int().nonnegative().optional(),
  /** How long to wait for further events; 0 ends the stream once the stored ones are sent. */
  wait_ms: z.coerce.number().int().min(0).max(STREAM_MAX_MS).default(STREAM_MAX_MS),
});

export const events: readonly MountedRoute[] = [
  raw(
    {
      method: 'get',
      path: '/v1/events',
      summary:
        'Events of the system, as server-sent events; resumed by Last-Event-ID. An event `reset`: that id is not known, read everything again',
      tag: 'events',
      roles: READERS,
      query: QuerySchema,
      data: EventSchema,
      produces: 'text/event-stream',
    },
    async ({ c, db, query, principal }) => {
      if (c.req.raw.method === 'HEAD') return c.body(null, 200, { 'content-type': 'text/event-stream' });
      const lastId = lastEventId(c.req.header('last-event-id')) ?? query.last_event_id;
      const subscription: Subscription = {
        topics: query.topics?.split(',').filter(isTopic) ?? null,
        after: lastId ?? (await newestEventSeq(db)),
        waitMs: query.wait_ms,
        tokenId: isStoredToken(principal.token_id) ? principal.token_id : null,
        credentialHash: await sha256Hex(c.var.credential),
        expiresAt: principal.expires_at,
      };
      return streamSSE(c, (stream) => streamEvents(stream, db, subscription));
    },
  ),
];

/** Not so for the bootstrap secret and for a login of Access, which D1 does not have. */
const isStoredToken = (tokenId: string) => TokenIdSchema.safeParse(tokenId).success;

function lastEventId(header: string | undefined): number | undefined {
  if (header === undefined || header === '') return undefined;
  if (/^\d{1,15}$/.test(header)) return Number(header);
  throw new AppError('invalid_request', 'last-event-id: the id of an event of this stream', {
    details: { in: 'header', field: 'last-event-id', expected: 'the id of an event of this stream' },
  });
}
