/**
 * The journal of instruction events, hash-chained per node: nothing in it can be altered, removed or added without
 * breaking the chain. `GET /v1/journal?controller_id=&after=&limit=` lists its blocks in order.
 */
import { z } from 'zod';
import { HTTP } from '../defaults.ts';
import { ControllerIdSchema, Sha256Schema, TimestampSchema } from './common.ts';

/** The previous hash of a chain's first block. */
export const GENESIS_HASH = '0'.repeat(64);

/** One event of one instruction. */
export const JournalEntrySchema = z.object({
  instruction_id: z.string(),
  kind: z.string(),
  controller_id: z.string().nullable().describe('The node that did it; null for the system or a person.'),
  detail: z.record(z.string(), z.unknown()),
});
export type JournalEntry = z.infer<typeof JournalEntrySchema>;

/** Who made the call that wrote a block, as in a row of the audit. */
export const JournalAuthorSchema = z.object({
  actor: z.string(),
  role: z.string(),
  action: z.string().describe('Method and route.'),
  request_id: z.string(),
});
export type JournalAuthor = z.infer<typeof JournalAuthorSchema>;

/** What one commit did to the instructions of one message; all of it is bound by the block's hash. */
export const JournalContentSchema = z.object({
  chain: ControllerIdSchema.describe('The node whose chain it is in: the one that holds the instructions.'),
  seq: z.number().int().positive().describe('The position in the chain, from 1 and without gaps.'),
  at: TimestampSchema,
  message_id: z.string(),
  written_by: JournalAuthorSchema.nullable().describe('Null for the timed jobs of the system.'),
  entries: z.array(JournalEntrySchema).min(1).describe('In the order in which they happened.'),
});
export type JournalContent = z.infer<typeof JournalContentSchema>;

export const JournalBlockSchema = JournalContentSchema.extend({
  prev_hash: Sha256Schema,
  hash: Sha256Schema,
  forgotten_at: TimestampSchema.nullish().describe(
    'When what was printed was removed from its entries: the hash is that of the block as it was written.',
  ),
});
export type JournalBlock = z.infer<typeof JournalBlockSchema>;

/** Place and hash of a block that was a chain's newest at some time. */
export const ChainHeadSchema = JournalBlockSchema.pick({ seq: true, hash: true });
export type ChainHead = z.infer<typeof ChainHeadSchema>;

export const JournalQuerySchema = z.object({
  controller_id: ControllerIdSchema,
  after: z.coerce.number().int().nonnegative().default(0).describe('Only blocks after that place.'),
  limit: z.coerce.number().int().min(1).max(HTTP.list_limit_max).default(HTTP.list_limit_max),
});
export const JournalPageSchema = z.object({
  items: z.array(JournalBlockSchema),
  next_after: z.number().int().nullable().describe('`after` of the next page; null on the last one.'),
  heads: z
    .array(ChainHeadSchema)
    .describe(
      'Heads that the edge keeps apart from the chain, as far as this page reaches; the last page has all that are left. A chain that is whole has a block for each of them.',
    ),
});
export type JournalPage = z.infer<typeof JournalPageSchema>;

/** What entries of the journal say of an instruction; the other parts of a detail are for programs only. */
export const SHOWN_DETAILS = [
  'status',
  'gate',
  'client_id',
  'source',
  'other',
  'via',
  'mcp_tool',
  'decision',
  'rule',
  'host',
  'by',
  'grant_id',
  'reason',
  'outcome',
  'attempt',
  'note',
  'command_id',
  'exit_code',
  'error_code',
  'duration_ms',
  'truncated',
  'stored',
] as const;
export const HIDDEN_DETAILS = [
  'chunk',
  'offset',
  'observed_at',
  'dedupe_key',
  'approval_hash',
  'output_sha256',
  'block',
  'left_sha256',
] as const;
/** The status page has a text for each of the shown ones. */
export type EventDetail = {
  readonly [K in (typeof SHOWN_DETAILS)[number] | (typeof HIDDEN_DETAILS)[number]]?: unknown;
};
