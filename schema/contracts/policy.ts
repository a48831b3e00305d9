/** `policy.json` of a host: what chats may do there. No chat can change it. */
import { z } from 'zod';
import { PLATFORM_IDS } from './common.ts';

export const RULE_DECISIONS = ['allow', 'ask', 'deny'] as const;
const decision = z.enum(RULE_DECISIONS);

/** Items of a pattern with a meaning of their own; every other item matches itself. */
export const ARGV_PLACEHOLDERS = {
  /** One item of any kind, or as the last item any rest: options too. */
  any: '*',
  /** One item that does not begin with `-`, so no option. */
  word: '<word>',
  /** As the last item: any rest of such items. */
  words: '<words>',
} as const;

const argvItem = z.string().regex(/^(?!<(?!words?>$)[^>]*>$)/, 'in angle brackets only <word> and <words> are known');
const argvPattern = z
  .array(argvItem)
  .min(1)
  .refine(
    (items) => !items.slice(0, -1).includes(ARGV_PLACEHOLDERS.words),
    '<words> matches any rest, so it can only be the last item',
  );

export const PolicySchema = z.strictObject({
  $schema: z.string().optional(),
  mode: z.enum(['enforce', 'shadow']).default('enforce'),
  /** Folders that tools may access; `~` is the home of the user that runs the agent. */
  roots: z.array(z.string().min(1)).min(1).optional(),
  exec: z
    .strictObject({
      default: decision.default('ask'),
      rules: z
        .array(
          z.strictObject({
            /** argv, matched item by item by a pattern with ARGV_PLACEHOLDERS. */
            match: z.strictObject({ argv: argvPattern }),
            decision,
          }),
        )
        .default([]),
      shell: decision.default('ask'),
    })
    .prefault({}),
  /** By the name of a tool without its target, or a glob such as `system/*`. */
  tools: z.record(z.string(), decision).default({}),
  platforms: z.partialRecord(z.enum(PLATFORM_IDS), decision).default({}),
  redact: z.strictObject({ env: z.array(z.string()).default([]), files: z.array(z.string()).default([]) }).prefault({}),
});
export type Policy = z.infer<typeof PolicySchema>;
