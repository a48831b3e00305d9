/**
 * After D1 was restored to an earlier point: terms, versions and claims in it are of then, while the world went on. The
 * objects keep what D1 had confirmed to them outside D1, so they can tell. The check raises the epoch first, then the
 * fences, then ends what the restored rows take for in flight instead of letting it run a second time, and writes the
 * epoch into D1 last of all. Whatever stops it in between, the next call sees that D1's epoch is behind and goes on.
 */
import { sql } from 'drizzle-orm';
import { allHubs, automationState, leaderLease } from '../../durable-objects/stubs.ts';
import type { FenceMarks, RestoreCheckResponse } from '../../schema/contracts/system.ts';
import type { Database } from '../db/open.ts';
import type { WritePlan } from '../db/plan.ts';
import type { InFlight } from './in-flight.ts';
import { findInFlight, guardInFlight, quarantine, quarantineStory } from './in-flight.ts';
import { fenceLag } from './mode.ts';

const NOTHING: InFlight = { instructions: [], renewal_jobs: [], commands: [], more: false };

/** The plan of one call; `force` says that D1 was restored even if its numbers do not. Throws while D1 lags behind. */
export async function planRestoreCheck(
  env: Env,
  db: Database,
  now: number,
  force: boolean,
): Promise<WritePlan<RestoreCheckResponse>> {
  const lease = await leaderLease(env).compareFence();
  if (lease.status !== 'compared') throw fenceLag();
  const mode = await automationState(env).restoreCheck(force || lease.behind);
  if (mode.status !== 'checked' || !(await leaderLease(env).raiseRestoredFence())) throw fenceLag();
  const { record, owed } = mode;
  const found = owed ? await findInFlight(db, now) : NOTHING;
  const objects: FenceMarks = { term: lease.term, mode_version: record.version, epoch: record.epoch };
  const quarantined = {
    instructions: found.instructions.length,
    renewal_jobs: found.renewal_jobs.length,
    commands: found.commands.length,
  };
  const data = { epoch: record.epoch, ...quarantined };
  return {
    guards: guardInFlight(db, found),
    statements: [
      ...(owed ? quarantine(db, found, now) : []),
      ...(owed && !found.more
        ? [db.run(sql`UPDATE fence SET epoch = ${record.epoch} WHERE id = 1 AND epoch < ${record.epoch}`)]
        : []),
    ],
    events: owed ? [{ topic: 'system', type: 'restored', subject_id: String(record.epoch), data }] : [],
    journal: quarantineStory(found),
    subject_id: String(record.epoch),
    // D1 as it was found: the lease looked first.
    response: { restored: owed, d1: lease.d1, objects, quarantined, more: found.more, summary: summarize(owed, found) },
    after: async () => {
      if (owed) await Promise.all(allHubs(env).map((hub) => hub.announceMode(record.mode, record.version)));
    },
  };
}

function summarize(owed: boolean, { instructions, renewal_jobs, commands, more }: InFlight): string {
  if (!owed) return 'the database stands where the objects stand; nothing was done';
  const counts = `${instructions.length} instructions, ${renewal_jobs.length} renewals, ${commands.length} commands`;
  return `the database was restored; quarantined ${counts}${more ? ', and there is more: ask again' : ''}`;
}
