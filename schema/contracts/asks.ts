/** Asks: a message that a person sends into a conversation, and the assistant's answer to exactly that message. */
import { z } from 'zod';
import { idSchema, TimestampSchema } from './common.ts';

/**
 * `queued`: nothing has left. `sent`: a node has it; `delivered_at` says when the chat had it, if that is known.
 * `ambiguous`: whether it was sent, or which answer is its answer, is not known; it is never sent again. `answered` and
 * `failed` are final; an ambiguous one becomes `answered` when an answer comes that names it.
 */
export const ASK_STATES = ['queued', 'sent', 'ambiguous', 'answered', 'failed'] as const;
export const AskStateSchema = z.enum(ASK_STATES);
export type AskState = z.infer<typeof AskStateSchema>;

/** The caller's own name of one question: a repeat under the same name is the same question. */
export const OperationIdSchema = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'letters, digits, . _ -');

export const AskBodySchema = z.strictObject({
  operation_id: OperationIdSchema,
  text: z.string().max(262_144).regex(/\S/, 'not blank').describe('Sent exactly as it is.'),
});
export type AskBody = z.infer<typeof AskBodySchema>;

/** `named`: the browser says that it answers this message; `next`: it was the next answer, and nothing came between. */
export const ANSWER_EVIDENCE = ['named', 'next'] as const;

export const AskSchema = z.object({
  operation_id: z.string(),
  local_conversation_id: idSchema('lc'),
  state: AskStateSchema,
  reason: z.string().nullable().describe('What it waits for, or why it failed or is ambiguous.'),
  text: z.string(),
  deadline_at: TimestampSchema.nullable().describe(
    'When the state ends by itself; null when it is final or ambiguous.',
  ),
  created_at: TimestampSchema,
  sent_at: TimestampSchema.nullable(),
  delivered_at: TimestampSchema.nullable(),
  finished_at: TimestampSchema.nullable(),
  answer: z
    .object({
      message_id: z.string(),
      assistant_message_id: z.string().nullable(),
      text: z.string(),
      observed_at: TimestampSchema,
      evidence: z.enum(ANSWER_EVIDENCE),
    })
    .nullable(),
});
export type Ask = z.infer<typeof AskSchema>;
