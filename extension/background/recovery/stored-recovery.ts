/** What storage keeps of the ladder, so that a new background page continues at the same rung. */
import { z } from 'zod';
import { PlatformSchema } from '../../../schema/contracts/common.ts';
import type { OpenTurn } from './ladder.ts';

export const MAX_TURNS = 50;

const TurnSchema: z.ZodType<OpenTurn> = z.object({
  platform: PlatformSchema,
  tabId: z.number().int(),
  conversationId: z.string().max(256),
  openedAt: z.number(),
  rung: z.enum(['quiet', 'reading', 'reloading']),
  reloads: z.number().int().nonnegative(),
  wakeAt: z.number().nullable(),
});
const ReloadsSchema = z.object({ conversationId: z.string().max(256), times: z.array(z.number()).max(MAX_TURNS) });

/** One entry that cannot be read takes no other one with it. */
function entries<T>(schema: z.ZodType<T>) {
  return z
    .array(schema.nullable().catch(null))
    .transform((all) => all.filter((one) => one !== null).slice(-MAX_TURNS))
    .catch([]);
}

export const RecoverySchema = z.object({ turns: entries(TurnSchema), reloads: entries(ReloadsSchema) });
export type StoredRecovery = z.infer<typeof RecoverySchema>;
export const NO_RECOVERY: StoredRecovery = { turns: [], reloads: [] };

/** A turn after a restart: a look that was under way is made again. */
export function resumedTurn(turn: OpenTurn, now: number): OpenTurn {
  return { ...turn, wakeAt: turn.wakeAt ?? now };
}
