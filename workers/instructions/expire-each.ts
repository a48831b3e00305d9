/** Ends instructions past their deadline, each in a commit of its own, for as long as the tick has room. */
import { commit } from '../db/commit.ts';
import type { Plan } from '../db/plan.ts';
import type { RunnerContext } from '../timed-jobs/job.ts';
import type { LoadedInstruction } from './load.ts';
import { loadInstruction } from './load.ts';

/**
 * `plan` decides on the instruction as it is now, and returns null when it is no longer to be ended. The result is
 * false when the room did not suffice for all.
 */
export async function expireEach(
  context: RunnerContext,
  instructionIds: readonly string[],
  plan: (loaded: LoadedInstruction) => Plan | null,
): Promise<boolean> {
  for (const id of instructionIds) {
    if (!context.hasRoom()) return false;
    await expireOne(context, id, plan);
  }
  return true;
}

async function expireOne(
  { db, now }: RunnerContext,
  instructionId: string,
  plan: (loaded: LoadedInstruction) => Plan | null,
): Promise<void> {
  const notifications: Promise<unknown>[] = [];
  const waitUntil = (work: Promise<unknown>) => void notifications.push(work);
  await commit({ db, now, by: null, idempotency: null, waitUntil }, async () => ({
    ...plan(await loadInstruction({ db }, instructionId)),
    response: null,
  }));
  await Promise.all(notifications);
}
