/** Finding an object by its id, or by words of its title. */
import { z } from 'zod';

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

export const SearchQuerySchema = z.object({
  q: z
    .string()
    .trim()
    .max(300)
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
