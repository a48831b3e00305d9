/** What happened in a conversation, by its messages: each with its instructions and its renewal, so that a page is complete. */
import { z } from 'zod';
import { pageOf } from './common.ts';
import { InstructionSchema, MessageSummarySchema } from './instructions.ts';
import { RenewalJobSchema } from './renewal.ts';

export const ThreadItemSchema = z.object({
  message: MessageSummarySchema,
  instructions: z.array(InstructionSchema),
  job: RenewalJobSchema.nullable().describe('The renewal that follows the message; null when it has none.'),
});
export type ThreadItem = z.infer<typeof ThreadItemSchema>;
export const ThreadPageSchema = pageOf(ThreadItemSchema);
