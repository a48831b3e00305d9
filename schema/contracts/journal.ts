/**
 * The journal of instruction events, hash-chained per node: what has been read once cannot be altered or shortened
 * unseen. `GET /v1/journal?controller_id=&after=&limit=` gives it in order.
 */
import { z } from 'zod';
import { HTTP } from '../defaults.ts';
import { ControllerIdSchema, Sha256Schema, TimestampSchema } from './common.ts';

/** Before the first event of a chain. */
export const GENESIS_HASH = '0'.repeat(64);

/** What the hash binds beside the hash before it. */
export const JournalEventSchema = z.object({
  /** The node whose chain it is in: the one that holds the instruction. */
  chain: ControllerIdSchema,
  /** Place in the chain, from 1, without gaps. */
  seq: z.number().int().positive(),
  at: TimestampSchema,
  instruction_id: z.string(),
  kind: z.string(),
  /** Who did it; null for the system or a person. */
  controller_id: z.string().nullable(),
  detail: z.record(z.string(), z.unknown()),
});
export type JournalEvent = z.infer<typeof JournalEventSchema>;

export const JournalEntrySchema = JournalEventSchema.extend({ prev_hash: Sha256Schema, hash: Sha256Schema });
export type JournalEntry = z.infer<typeof JournalEntrySchema>;

export const JournalQuerySchema = z.object({
  controller_id: ControllerIdSchema,
  /** Only what comes after that place. */
  after: z.coerce.number().int().nonnegative().default(0),
  limit: z.coerce.number().int().min(1).max(HTTP.list_limit_max).default(HTTP.list_limit_max),
});
export const JournalPageSchema = z.object({
  items: z.array(JournalEntrySchema),
  /** Where the next page begins; null at the end. */
  next_after: z.number().int().nullable(),
  /** The newest entry of the chain; null when it is empty. */
  head: z.object({ seq: z.number().int(), hash: Sha256Schema }).nullable(),
});
