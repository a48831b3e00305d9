/**
 * The journal of instruction events, hash-chained per node, so that altering or shortening it is detected.
 * `GET /v1/journal?controller_id=&after=&limit=` returns it in order.
 */
import { z } from 'zod';
import { HTTP } from '../defaults.ts';
import { ControllerIdSchema, Sha256Schema, TimestampSchema } from './common.ts';

/** The hash before the first event of a chain. */
export const GENESIS_HASH = '0'.repeat(64);

/** What an entry's hash binds, together with the hash of the entry before it. */
export const JournalEventSchema = z.object({
  /** The node whose chain has the event: the one that holds the instruction. */
  chain: ControllerIdSchema,
  /** The position in the chain, from 1 and without gaps. */
  seq: z.number().int().positive(),
  at: TimestampSchema,
  instruction_id: z.string(),
  kind: z.string(),
  /** The node that did it; null for the system or a person. */
  controller_id: z.string().nullable(),
  detail: z.record(z.string(), z.unknown()),
});
export type JournalEvent = z.infer<typeof JournalEventSchema>;

export const JournalEntrySchema = JournalEventSchema.extend({ prev_hash: Sha256Schema, hash: Sha256Schema });
export type JournalEntry = z.infer<typeof JournalEntrySchema>;

export const JournalQuerySchema = z.object({
  controller_id: ControllerIdSchema,
  /** Only entries after this position. */
  after: z.coerce.number().int().nonnegative().default(0),
  limit: z.coerce.number().int().min(1).max(HTTP.list_limit_max).default(HTTP.list_limit_max),
});
export const JournalPageSchema = z.object({
  items: z.array(JournalEntrySchema),
  /** The `after` of the next page; null at the end. */
  next_after: z.number().int().nullable(),
  /** The newest entry of the chain; null for an empty chain. */
  head: z.object({ seq: z.number().int(), hash: Sha256Schema }).nullable(),
});
