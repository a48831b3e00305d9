/** Makes a look at what waits due at once, where notices are sent; otherwise the next tick looks. */
import { timedJobs } from '../../durable-objects/stubs.ts';
import type { Edge } from '../db/plan.ts';
import { readSettings } from './settings.ts';

export async function lookSoon({ env, db, now }: Edge): Promise<void> {
  if ((await readSettings(db)) !== null) await timedJobs(env).due(now);
}
