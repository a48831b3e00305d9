/** Marks a claimed instruction as running when its node reports the start. */
import { eq } from 'drizzle-orm';
import { startInstruction as markStarted } from '../../schema/domain/message-progress.ts';
import { instructions } from '../../schema/tables/index.ts';
import type { Edge, Plan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import type { LoadedInstruction } from './finish.ts';
import { guardStatuses, storeStatuses } from './statuses.ts';

/** Changes nothing for an instruction that is not `claimed`: a repeat, or one that has ended meanwhile. */
export function startInstruction({ db, now }: Pick<Edge, 'db' | 'now'>, { row, statuses }: LoadedInstruction) {
  const guarded: Plan = { guards: [guardStatuses(db, row.message_id, statuses)] };
  if (row.status !== 'claimed') return { plan: guarded, statuses };
  const { instruction_id, controller_id } = row;
  const after = markStarted(statuses, instruction_id, now);
  const mark: Plan = {
    statements: [
      db.update(instructions).set({ started_at: now }).where(eq(instructions.instruction_id, instruction_id)),
    ],
    events: [{ topic: 'instructions', type: 'started', subject_id: instruction_id }],
  };
  const stored = storeStatuses(db, statuses, after, {
    chain: controller_id,
    message_id: row.message_id,
    controller_id,
    detail: {},
    now,
  });
  return { plan: mergePlans(guarded, stored, mark), statuses: after };
}
