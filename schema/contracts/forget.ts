/** Forgetting a conversation: what was said and done in it is removed, and the hashes of its journal stay. */
import { z } from 'zod';
import { TimestampSchema } from './common.ts';

const CountSchema = z.number().int().nonnegative();

/** How many rows were removed or emptied. */
const ForgottenSchema = z.object({
  messages: CountSchema,
  instructions: CountSchema,
  artifacts: CountSchema.describe('Full texts of long outputs.'),
  journal_blocks: CountSchema.describe('Blocks of the journal whose printed output was removed.'),
  renewal_jobs: CountSchema,
  asks: CountSchema,
  grants: CountSchema,
  tasks: CountSchema.describe('Tasks of the chat, with their steps, runs, logs and checkpoints.'),
});
export type Forgotten = z.infer<typeof ForgottenSchema>;

export const NOTHING_FORGOTTEN: Forgotten = {
  messages: 0,
  instructions: 0,
  artifacts: 0,
  journal_blocks: 0,
  renewal_jobs: 0,
  asks: 0,
  grants: 0,
  tasks: 0,
};

export const ForgetBodySchema = z.strictObject({});

/** `forgetting`: what was said before `before` is being removed; `forgotten`: it is gone; `kept`: nothing was removed. */
const FORGET_STATES = ['kept', 'forgetting', 'forgotten'] as const;
export const ForgetStateSchema = z.object({
  state: z.enum(FORGET_STATES),
  before: TimestampSchema.nullable(),
  removed: ForgottenSchema.describe('In all, over every time that it was forgotten.'),
});
export type ForgetState = z.infer<typeof ForgetStateSchema>;
