/** Writes of the timed jobs: the row of a tick, and arming the next one. */
import { automationState, timedJobs } from '../../durable-objects/stubs.ts';
import type { Tick } from '../../schema/contracts/ticks.ts';
import { ticks } from '../../schema/tables/index.ts';
import type { Database, Statement } from '../db/open.ts';
import type { Edge } from '../db/plan.ts';
import { settings } from '../settings.ts';
import { nextDueAt } from './tick-reads.ts';

export function insertTick(db: Database, tick: Omit<Tick, 'tick_seq'>): Statement {
  return db.insert(ticks).values(tick);
}

/** Arms the next tick, after a write that may have made something due and does not know what. */
export async function armNextTick({ env, db }: Edge): Promise<void> {
  const { mode } = await automationState(env).read();
  const due = await nextDueAt(db, settings(env), mode);
  if (due !== null) await timedJobs(env).due(due);
}
