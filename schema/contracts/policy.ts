/** `policy.json` of a host: what chats may do there. Nothing a chat says can change it. */
import { z } from 'zod';
import { PLATFORM_IDS } from './common.ts';

export const RULE_DECISIONS = ['allow', 'ask', 'deny'] as const;
const decision = z.enum(RULE_DECISIONS);

export const PolicySchema = z.strictObject({
  $schema: z.string().optional(),
  mode: z.enum(['enforce', 'shadow']).default('enforce'),
  /** Folders that tools may touch; `~` is the home of the user the agent runs as. */
  roots: z.array(z.string().min(1)).min(1).optional(),
  exec: z
    .strictObject({
      default: decision.default('ask'),
      rules: z
        .array(
          z.strictObject({
            /** argv matched item by item; `*` as the last item stands for any rest, elsewhere for one item. */
            match: z.strictObject({ argv: z.array(z.string()).min(1) }),
            decision,
          }),
        )
        .default([]),
      shell: decision.default('ask'),
    })
    .prefault({}),
  /** Tool name without its target, or a glob over it such as `system/*`. */
  tools: z.record(z.string(), decision).default({}),
  platforms: z.partialRecord(z.enum(PLATFORM_IDS), decision).default({}),
  redact: z.strictObject({ env: z.array(z.string()).default([]), files: z.array(z.string()).default([]) }).prefault({}),
});
export type Policy = z.infer<typeof PolicySchema>;
