/**
 * Canceling an instruction. What has not begun ends at once. What runs on its holder is told to end by a command, and
 * its result says how it ended; what another node's browser does cannot be called back, so it ends here at once and
 * the result that may still come is kept as late.
 */
import { eq } from 'drizzle-orm';
import { COMMAND } from '../../schema/defaults.ts';
import { newId } from '../../schema/ids.ts';
import { instructions } from '../../schema/tables/index.ts';
import type { Database } from '../db/open.ts';
import type { Plan } from '../db/plan.ts';
import type { CommandDraft } from '../nodes/commands.ts';
import { insertCommand } from '../nodes/commands.ts';
import { pushCommands } from '../nodes/push.ts';
import type { LoadedInstruction } from './finish.ts';
import { endFromOutside } from './finish.ts';
import { guardStatuses } from './statuses.ts';

/** The plan, without its answer, for an instruction that is still open; `detail` says who wants it and why. */
export function cancelInstruction(
  env: Env,
  db: Database,
  loaded: LoadedInstruction,
  detail: { by: string; reason?: string },
  now: number,
): Plan {
  const { row } = loaded;
  if (row.status === 'running' && row.command_id === null) return tellToEnd(env, db, loaded, detail, now);
  const ending = { to: 'canceled', controller_id: null, detail } as const;
  return endFromOutside(env, db, loaded, ending, now).plan;
}

function tellToEnd(
  env: Env,
  db: Database,
  { row, statuses }: LoadedInstruction,
  detail: { by: string; reason?: string },
  now: number,
): Plan {
  const { instruction_id, message_id, controller_id } = row;
  const command: CommandDraft<'instruction.cancel'> = {
    command_id: newId('command', now),
    controller_id,
    kind: 'instruction.cancel',
    body: { instruction_id },
    // As long as it may run: its host may be away for a while.
    expires_at: Math.max(now + COMMAND.expiry_ms, row.claim_expires_at ?? 0),
  };
  return {
    guards: [guardStatuses(db, row.message_id, statuses)],
    statements: [
      insertCommand(db, command, now),
      db
        .update(instructions)
        .set({ cancel_requested_at: now, updated_at: now })
        .where(eq(instructions.instruction_id, instruction_id)),
    ],
    events: [{ topic: 'instructions', type: 'cancel_requested', subject_id: instruction_id, data: { ...detail } }],
    journal: [
      { chain: controller_id, message_id, instruction_id, kind: 'cancel_requested', controller_id: null, detail },
    ],
    after: () => pushCommands(env, [command], now),
  };
}
