/**
 * `renewal.dispatcher`: reads each due job with its conversation and links, decides, and stores all steps in one batch
 * that fails while the system is paused. A job that is sent becomes `running` in the batch that stores its command; the
 * push comes after, and only the node's response makes the job `done`.
 */
import type { JobStep } from '../../schema/domain/job-machine.ts';
import { guardNotPaused, violationOf } from '../db/guards.ts';
import { reachOf } from '../nodes/presence.ts';
import { pushCommands } from '../nodes/push.ts';
import type { Runner, RunnerContext } from '../timed-jobs/job.ts';
import { notifyNodes, storeConversations } from './conversations.ts';
import type { Dispatch } from './dispatch.ts';
import { dispatchAll } from './dispatch.ts';
import { dueJobs } from './due-jobs.ts';
import { takeSteps } from './job-steps.ts';

/** So many times more jobs are read than sent: those of conversations that are not `auto` are deferred in the same tick. */
const WINDOW_FACTOR = 10;

export const renewalDispatcher: Runner = {
  name: 'renewal.dispatcher',
  ordinary: true,
  queries: { base: 8 },
  async run(context) {
    const { env, db, now, settings, log } = context;
    const due = await dueJobs(db, now, settings.max_jobs_per_tick * WINDOW_FACTOR);
    log('scan_window', 'ok', { due_jobs: due.length });
    if (due.length === 0) {
      log('scan_completed', 'idle', countStages([], 0));
      return 'ok';
    }
    const reach = await reachOf(
      env,
      due.flatMap((one) => one.links),
    );
    const decided = dispatchAll(context, due, reach);
    const taken = await store(context, decided);
    if (taken === null) {
      log('scan_skipped', 'system_paused');
      return 'system_paused';
    }
    const stored = decided.filter((one) => taken.has(one.due.job.job_id));
    await notify(context, stored);
    for (const one of stored) report(context, one);
    log('scan_completed', 'ok', countStages(stored, due.length));
    return 'ok';
  },
};

/** The jobs whose step was stored; null when the system was paused meanwhile, and nothing changed. */
async function store(context: RunnerContext, decided: readonly Dispatch[]): Promise<Set<string> | null> {
  const pauses = decided.flatMap(({ pause }) => pause ?? []);
  try {
    return await takeSteps(
      context,
      decided.map((one) => one.stored),
      [guardNotPaused(context.db), ...storeConversations(context, pauses)],
    );
  } catch (error) {
    if (violationOf(error) !== 'system_paused') throw error;
    return null;
  }
}

/** Sends the stored commands, and asks the nodes to read the paused conversations again. */
async function notify(context: RunnerContext, stored: readonly Dispatch[]): Promise<void> {
  await pushCommands(
    context,
    stored.flatMap((one) => one.stored.command ?? []),
  );
  await notifyNodes(
    context,
    stored.flatMap(({ pause }) => pause?.read.local_conversation_id ?? []),
  );
}

function report({ log }: RunnerContext, { due, step }: Dispatch): void {
  const { job_id, local_conversation_id } = due.job;
  const { attempt_count, next_attempt_at } = step.next;
  log(step.stage, step.result, { job_id, local_conversation_id, attempt_count, next_attempt_at });
}

function countStages(stored: readonly Dispatch[], due: number) {
  const count = (...stages: JobStep['stage'][]) => stored.filter((one) => stages.includes(one.step.stage)).length;
  return {
    due_jobs: due,
    successful_jobs: count('job_attempt_started'),
    retried_jobs: count('job_retry_scheduled'),
    skipped_jobs: count('job_deferred', 'job_canceled'),
    failed_jobs: count('job_failed'),
  };
}
