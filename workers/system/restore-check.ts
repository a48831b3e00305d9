/**
 * After D1 was restored to an earlier point, its terms, versions and claims are of that time, while nodes and sites went
 * on. The objects keep what D1 had confirmed to them, so they notice. The check raises the epoch first, then the fences,
 * then ends what the restored rows show as in flight instead of letting it run a second time, and writes the epoch into
 * D1 last. If it is interrupted, the next call finds D1's epoch behind and continues.
 */
import { sql } from 'drizzle-orm';
import { automationState, leaderLease } from '../../durable-objects/stubs.ts';
import type { FenceMarks, RestoreCheckResponse } from '../../schema/contracts/system.ts';
import type { Edge, Plan, WritePlan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import { fenceLag } from '../nodes/fence-lag.ts';
import { announceMode } from '../nodes/push.ts';
import type { InFlight } from './in-flight.ts';
import { findInFlight, quarantine } from './in-flight.ts';

const NOTHING: InFlight = { instructions: [], renewal_jobs: [], tasks: [], commands: [], more: false };

/**
 * The plan of one call. `force` says that D1 was restored even if its numbers do not show it. Throws `database_unavailable` while
 * D1's fence cannot be read or raised.
 */
export async function planRestoreCheck(edge: Edge, force: boolean): Promise<WritePlan<RestoreCheckResponse>> {
  const { env, db, now } = edge;
  const lease = await leaderLease(env).compareFence();
  if (lease.status !== 'compared') throw fenceLag();
  const mode = await automationState(env).restoreCheck(force || lease.behind);
  if (mode.status !== 'checked' || !(await leaderLease(env).raiseRestoredFence())) throw fenceLag();
  const { record, owed } = mode;
  const { epoch } = record;
  const found = owed ? await findInFlight(db, now) : NOTHING;
  const quarantined = {
    instructions: found.instructions.length,
    renewal_jobs: found.renewal_jobs.length,
    tasks: found.tasks.length,
    commands: found.commands.length,
  };
  const restored: Plan = {
    statements: found.more ? [] : [db.run(sql`UPDATE fence SET epoch = ${epoch} WHERE id = 1 AND epoch < ${epoch}`)],
    events: [{ topic: 'system', type: 'restored', subject_id: String(epoch), data: { epoch, ...quarantined } }],
    after: () => announceMode(env, record),
  };
  const objects: FenceMarks = { term: lease.term, mode_version: record.version, epoch };
  return {
    ...(owed ? mergePlans(quarantine(edge, found), restored) : {}),
    subject_id: String(epoch),
    // `d1` as it was before the check: the lease compared first.
    response: { restored: owed, d1: lease.d1, objects, quarantined, more: found.more, summary: summarize(owed, found) },
  };
}

function summarize(owed: boolean, { instructions, renewal_jobs, tasks, commands, more }: InFlight): string {
  if (!owed) return 'the database agrees with the objects; nothing was done';
  const counts = `${instructions.length} instructions, ${renewal_jobs.length} renewals, ${tasks.length} tasks, ${commands.length} commands`;
  return `the database was restored; quarantined ${counts}${more ? ', and there is more: ask again' : ''}`;
}
