/** `policy.json` of a host: what chats may do there. No chat can change it. */
import { z } from 'zod';
import { PLATFORM_IDS } from './common.ts';

export const RULE_DECISIONS = ['allow', 'ask', 'deny'] as const;
const decision = z.enum(RULE_DECISIONS);

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
            /** argv, matched item by item. `*` matches one item, and as the last item any number of items. */
            match: z.strictObject({ argv: z.array(z.string()).min(1) }),
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
