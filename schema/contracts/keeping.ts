/** For how long the edge keeps texts: what was said in messages, and what their instructions asked and printed. */
import { z } from 'zod';

/** Few, as the edge walks the stored messages once for each. */
export const TEXTS_KEPT_DAYS = [7, 30, 90, 365] as const;
/** `always`: texts are not removed by their age. */
export const TextsKeptSchema = z.union([z.literal(TEXTS_KEPT_DAYS), z.literal('always')]);
export type TextsKept = z.infer<typeof TextsKeptSchema>;
export const TEXTS_KEPT_CHOICES = [...TEXTS_KEPT_DAYS.map(String), 'always', 'default'] as const;

/** `default`: as long as the edge keeps the texts of conversations for which nothing is set. */
export const KeepBodySchema = z.strictObject({ days: z.union([TextsKeptSchema, z.literal('default')]) });

export const KeepStateSchema = z.object({
  days: TextsKeptSchema.describe('What applies to the conversation.'),
  is_own: z.boolean().describe('Whether it was set for this conversation.'),
});
export type KeepState = z.infer<typeof KeepStateSchema>;
