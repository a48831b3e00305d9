/** The audit of every write, and the chain in which the writes of people are bound by hashes. */
import { z } from 'zod';
import { HTTP } from '../defaults.ts';
import { Sha256Schema, TimestampSchema } from './common.ts';
import { ChainHeadSchema } from './journal.ts';

export const AuditEntrySchema = z.object({
  seq: z.number().int(),
  at: TimestampSchema,
  actor: z.string(),
  role: z.string(),
  action: z.string().describe('Method and route.'),
  subject_id: z.string().nullable(),
  request_id: z.string(),
  chain_seq: z
    .number()
    .int()
    .nullish()
    .describe("Its place in the chain of people's writes, from 1 and without gaps; null for a write of a node."),
});
export type AuditEntry = z.infer<typeof AuditEntrySchema>;

/** Names the chain where heads of chains are kept. No node can have this id. */
export const PEOPLE_CHAIN = 'audit:people';

/** A write of a person, as its hash binds it. `seq` is its place in the chain. */
export const PeopleWriteSchema = AuditEntrySchema.omit({ chain_seq: true }).extend({
  seq: z.number().int().positive(),
});
export type PeopleWrite = z.infer<typeof PeopleWriteSchema>;
export const PeopleWriteLinkSchema = PeopleWriteSchema.extend({ prev_hash: Sha256Schema, hash: Sha256Schema });
export type PeopleWriteLink = z.infer<typeof PeopleWriteLinkSchema>;

export const PeopleWritesQuerySchema = z.object({
  after: z.coerce.number().int().nonnegative().default(0).describe('Only writes after that place.'),
  limit: z.coerce.number().int().min(1).max(HTTP.list_limit_max).default(HTTP.list_limit_max),
});
export const PeopleWritesPageSchema = z.object({
  items: z.array(PeopleWriteLinkSchema).describe('Oldest first.'),
  next_after: z.number().int().nullable().describe('`after` of the next page; null on the last one.'),
  heads: z
    .array(ChainHeadSchema)
    .describe('The head that the edge keeps apart from the chain, on the page that reaches it.'),
});
export type PeopleWritesPage = z.infer<typeof PeopleWritesPageSchema>;
