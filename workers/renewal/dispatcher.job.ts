/**
 * `renewal.dispatcher`: reads each due job with its conversation and links, decides, and stores all steps in one batch
 * that fails while the system is paused. A job that is sent becomes `running` in the batch that stores its command; the
 * push comes after, and only the node's response makes the job `done`.
 */
import type { TargetSnapshot } from '../../schema/contracts/renewal.ts';
import { RENEWAL } from '../../schema/defaults.ts';
import { changeConversation } from '../../schema/domain/conversation.ts';
import type { JobStep } from '../../schema/domain/job-machine.ts';
import { DEADLINE_MS } from '../../schema/domain/job-machine.ts';
import type { DispatchFacts } from '../../schema/domain/renewal.ts';
import { decideDispatch } from '../../schema/domain/renewal.ts';
import { renewalHold, trippedBreaker } from '../../schema/domain/renewal-limits.ts';
import { payloadText } from '../../schema/domain/renewal-payload.ts';
import { newId } from '../../schema/ids.ts';
import { guardNotPaused, violationOf } from '../db/guards.ts';
import type { Reach } from '../nodes/presence.ts';
import { reachOf } from '../nodes/presence.ts';
import { pushCommands } from '../nodes/push.ts';
import type { Runner, RunnerContext } from '../timed-jobs/job.ts';
import { chooseLink } from './choose-link.ts';
import type { ConversationStep } from './conversations.ts';
import { notifyNodes, storeConversations } from './conversations.ts';
import type { DueConversation, DueJob } from './due-jobs.ts';
import { dueJobs } from './due-jobs.ts';
import type { StoredStep } from './job-steps.ts';
import { stepEvent, takeSteps } from './job-steps.ts';
import type { RenewalLink } from './link-reads.ts';

/** So many times more jobs are read than sent: those of conversations that are not `auto` are deferred in the same tick. */
const WINDOW_FACTOR = 10;

interface Decided {
  due: DueJob;
  step: JobStep;
  stored: StoredStep;
  /** The conversation is paused, because it has tripped a breaker. */
  pause: ConversationStep | null;
}

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
    const decided = decideAll(context, due, reach);
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

type ReachOf = (nodeId: string) => Reach;

function decideAll(context: RunnerContext, due: readonly DueJob[], reach: ReachOf): Decided[] {
  let room = context.settings.max_jobs_per_tick;
  return due.flatMap((one) => {
    const isDeferred = one.conversation !== null && one.conversation.automation_status !== 'auto';
    if (!isDeferred && room === 0) return [];
    if (!isDeferred) room -= 1;
    return [decide(context, one, reach)];
  });
}

function decide(context: RunnerContext, due: DueJob, reach: ReachOf): Decided {
  const { job, conversation, links } = due;
  const { link, unusable } = chooseLink(links, reach);
  const { send, step, pauses } = decideDispatch(job, {
    conversation,
    newest: conversation?.last_message_id === job.message_id,
    ...limits(due, context.now),
    link,
    unusable,
    payload: payloadText(job),
    interval_ms: context.settings.interval_ms,
    now: context.now,
    random: context.random(),
  });
  const stored = { job, next: step.next, event: stepEvent(job.job_id, step) };
  if (conversation === null) return { due, step, stored, pause: null };
  if (send !== null && link !== null) {
    return { due, step, stored: { ...stored, ...delivery(context, due, conversation, link, send, step) }, pause: null };
  }
  const paused = pauses === null ? null : { type: 'pause' as const, reason: pauses };
  const pause = paused && { read: conversation, next: changeConversation(conversation, paused, context.now) };
  return { due, step, stored, pause };
}

function limits({ conversation, text_hash }: DueJob, now: number): Pick<DispatchFacts, 'breaker' | 'hold'> {
  if (conversation === null) return { breaker: null, hold: null };
  const { settings } = conversation;
  return {
    breaker: trippedBreaker(conversation, settings, text_hash),
    hold: renewalHold(conversation, settings, now),
  };
}

/** The attempt that is sent, with its command. */
function delivery(
  context: RunnerContext,
  { job, assistant_message_id }: DueJob,
  { platform }: DueConversation,
  link: RenewalLink,
  message_text: string,
  step: JobStep,
): Pick<StoredStep, 'attempt' | 'command' | 'requires'> {
  const command_id = newId('command', context.now);
  const { controller_id, target_payload: target } = link;
  const attempt = step.next.attempt_count;
  const plan_id = `${job.job_id}.${attempt}`;
  return {
    requires: 'newest_of_auto',
    attempt: {
      plan_id,
      batch_id: context.batch_id,
      target_snapshot: { ...targetOf(link), platform, sent: { controller_id, command_id } },
    },
    command: {
      command_id,
      controller_id,
      kind: 'delivery',
      body: {
        job_id: job.job_id,
        attempt,
        plan_id,
        platform,
        target,
        message_text,
        assistant_message_id,
        timeout_ms: RENEWAL.delivery_timeout_ms,
      },
      expires_at: context.now + DEADLINE_MS,
    },
  };
}

function targetOf(link: RenewalLink): Omit<TargetSnapshot, 'platform' | 'sent'> {
  const { link_id, client_id, page_url, page_title } = link;
  return {
    link_id,
    client_id,
    page_url,
    page_title,
    route: { path: link.route_path, pattern: link.route_pattern, params: link.route_params },
    target: { id: link.target_id, kind: link.target_kind, payload: link.target_payload },
  };
}

/** The jobs whose step was stored; null when the system was paused meanwhile, and nothing changed. */
async function store(context: RunnerContext, decided: readonly Decided[]): Promise<Set<string> | null> {
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
async function notify(context: RunnerContext, stored: readonly Decided[]): Promise<void> {
  await pushCommands(
    context,
    stored.flatMap((one) => one.stored.command ?? []),
  );
  await notifyNodes(
    context,
    stored.flatMap(({ pause }) => pause?.read.local_conversation_id ?? []),
  );
}

function report({ log }: RunnerContext, { due, step }: Decided): void {
  const { job_id, local_conversation_id } = due.job;
  const { attempt_count, next_attempt_at } = step.next;
  log(step.stage, step.result, { job_id, local_conversation_id, attempt_count, next_attempt_at });
}

function countStages(stored: readonly Decided[], due: number) {
  const count = (...stages: JobStep['stage'][]) => stored.filter((one) => stages.includes(one.step.stage)).length;
  return {
    due_jobs: due,
    successful_jobs: count('job_attempt_started'),
    retried_jobs: count('job_retry_scheduled'),
    skipped_jobs: count('job_deferred', 'job_canceled'),
    failed_jobs: count('job_failed'),
  };
}
