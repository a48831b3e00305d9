/** Finding an object by its id or by words of its title, and finding words in what was said and done. */
import { z } from 'zod';
import { idSchema, TimestampSchema } from './common.ts';

/** What can be found; each has an address of the status page. */
export const FOUND_KINDS = [
  'conversation',
  'message',
  'instruction',
  'renewal',
  'task',
  'run',
  'node',
  'browser',
] as const;
export type FoundKind = (typeof FOUND_KINDS)[number];

export const SEARCH_MAX_CHARS = 300;

export const SearchQuerySchema = z.object({
  q: z
    .string()
    .trim()
    .max(SEARCH_MAX_CHARS)
    .default('')
    .describe('The beginning of an id, the address of a chat or its last part, or a piece of a title.'),
});

export const FoundSchema = z.object({
  kind: z.enum(FOUND_KINDS),
  id: z.string(),
  title: z.string().nullable().describe('Of a conversation or a task.'),
});
export type Found = z.infer<typeof FoundSchema>;

export const SearchResponseSchema = z.object({
  items: z.array(FoundSchema),
  has_more: z.boolean().describe('There are more: only so many of each kind are listed.'),
  titles_searched: z
    .number()
    .int()
    .describe('So many of the newest conversations, and of the newest tasks, are searched by title.'),
});
export type SearchResponse = z.infer<typeof SearchResponseSchema>;

/** Where words are found: the text of a message, the call and the output of an instruction, and texts of a task. */
export const TEXT_PLACES = ['text', 'call', 'output', 'goal', 'result', 'error'] as const;
export type TextPlace = (typeof TEXT_PLACES)[number];

export const TextSearchQuerySchema = z.object({
  q: z
    .string()
    .trim()
    .min(2)
    .max(SEARCH_MAX_CHARS)
    .describe('Words that the text has, without regard to the case of Latin letters.'),
  local_conversation_id: idSchema('lc').optional().describe('Only what belongs to that conversation.'),
  cursor: z
    .string()
    .regex(/^[0-9a-z]{26}$/, 'next_cursor of the previous part')
    .optional()
    .describe('Continue further back.'),
});
export type TextSearchQuery = z.infer<typeof TextSearchQuerySchema>;

export const FoundTextSchema = z.object({
  kind: z.enum(['message', 'instruction', 'task']),
  id: z.string(),
  local_conversation_id: z.string().nullable().describe('Null for what belongs to no conversation.'),
  place: z.enum(TEXT_PLACES).describe('Which of its texts has the words first.'),
  before: z.string().describe('What is before the words; cut.'),
  match: z.string().describe('The words as they are written there.'),
  after: z.string().describe('What is behind them; cut.'),
  at: TimestampSchema,
});
export type FoundText = z.infer<typeof FoundTextSchema>;

export const TextSearchResponseSchema = z.object({
  items: z.array(FoundTextSchema).describe('Newest first.'),
  back_to: TimestampSchema.nullable().describe('What is older was not searched; null when everything was.'),
  next_cursor: z.string().nullable().describe('To search further back; null when everything was searched.'),
});
export type TextSearchResponse = z.infer<typeof TextSearchResponseSchema>;
