/** Wakes the timed jobs for what has just become due. */
import { timedJobs } from '../../durable-objects/stubs.ts';
import type { Edge } from '../db/plan.ts';

export async function wakeTimedJobs({ env, now }: Pick<Edge, 'env' | 'now'>): Promise<void> {
  await timedJobs(env).due(now);
}
