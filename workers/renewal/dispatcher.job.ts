/**
 * `renewal.dispatcher`: each due job is read anew with its conversation and links, decided, and all steps are stored
 * in one batch that fails while the system is paused. A job that is sent becomes `running` in the same batch as its
 * command; the push comes after, and only the node's answer makes the job `done`.
 */
import { nodeHub } from '../../durable-objects/stubs.ts';
import type { TargetSnapshot } from '../../schema/contracts/renewal.ts';
import { RENEWAL } from '../../schema/defaults.ts';
import type { JobStep } from '../../schema/domain/job-machine.ts';
import { DEADLINE_MS } from '../../schema/domain/job-machine.ts';
import type { DispatchFacts } from '../../schema/domain/renewal.ts';
import { decideDispatch } from '../../schema/domain/renewal.ts';
import { renewalHold, trippedBreaker } from '../../schema/domain/renewal-limits.ts';
import { payloadText } from '../../schema/domain/renewal-payload.ts';
import { newId } from '../../schema/ids.ts';
import { guardNotPaused, violationOf } from '../db/guards.ts';
import { log as logLine } from '../log.ts';
import type { CommandDraft } from '../nodes/commands.ts';
import { toCommand } from '../nodes/commands.ts';
import type { Reach } from '../nodes/presence.ts';
import { reachOf } from '../nodes/presence.ts';
import type { Runner, RunnerContext } from '../timed-jobs/job.ts';
import type { BreakerPause } from './conversations.ts';
import { pauseConversations, tellNodes } from './conversations.ts';
import type { DueJob, DueLink } from './due-jobs.ts';
import { dueJobs } from './due-jobs.ts';
import type { StepRow } from './jobs.ts';
import { insertStepCommands, insertStepEvents, storeSteps } from './jobs.ts';
import { chooseLink } from './link-choice.ts';

/** Jobs of conversations that are not `auto` are put off many at a time, so that they hold nobody up. */
const WINDOW_FACTOR = 10;

interface Decided {
  due: DueJob;
  step: JobStep;
  row: StepRow;
  command: CommandDraft<'delivery'> | null;
  /** The breaker that it trips. */
  pause: BreakerPause | null;
}

export const renewalDispatcher: Runner = {
  name: 'renewal.dispatcher',
  ordinary: true,
  async run(context) {
    const { db, now, settings, log } = context;
    const due = await dueJobs(db, now, settings.max_jobs_per_tick * WINDOW_FACTOR);
    log('scan_window', 'ok', { due_jobs: due.length });
    if (due.length === 0) {
      log('scan_completed', 'idle', counts([], 0));
      return 'ok';
    }
    const reach = await reachOf(
      context.env,
      due.flatMap((one) => one.links),
    );
    const decided = decideAll(context, due, reach);
    const taken = await store(context, decided);
    if (taken === null) {
      log('scan_skipped', 'system_paused');
      return 'system_paused';
    }
    const done = decided.filter((one) => taken.has(one.due.job.job_id));
    await tell(context, done);
    for (const one of done) report(context, one);
    log('scan_completed', 'ok', counts(done, due.length));
    return 'ok';
  },
};

type ReachOf = (nodeId: string) => Reach;

function decideAll(context: RunnerContext, due: readonly DueJob[], reach: ReachOf): Decided[] {
  let room = context.settings.max_jobs_per_tick;
  return due.flatMap((one) => {
    const putOff = one.conversation !== null && one.conversation.automation_status !== 'auto';
    if (!putOff && room === 0) return [];
    if (!putOff) room -= 1;
    return [decide(context, one, reach)];
  });
}

function decide(context: RunnerContext, one: DueJob, reach: ReachOf): Decided {
  const { job, conversation, links } = one;
  const { link, unusable } = chooseLink(links, reach);
  const { send, step, pauses } = decideDispatch(job, {
    conversation,
    newest: conversation?.last_message_id === job.message_id,
    ...limits(one, context.now),
    link,
    unusable,
    payload: payloadText(job),
    interval_ms: context.settings.interval_ms,
    now: context.now,
    random: context.random(),
  });
  if (send !== null && link !== null && conversation !== null) {
    return sending(context, { ...one, conversation }, step, link, send);
  }
  const { local_conversation_id } = job;
  const pause = pauses === null ? null : { local_conversation_id, reason: pauses };
  return { due: one, step, row: stepRow(one, step), command: null, pause };
}

function limits({ conversation, text_hash }: DueJob, now: number): Pick<DispatchFacts, 'breaker' | 'hold'> {
  if (conversation === null) return { breaker: null, hold: null };
  const { settings } = conversation;
  return {
    breaker: trippedBreaker(conversation, settings, text_hash),
    hold: renewalHold(conversation, settings, now),
  };
}

function stepRow({ job }: DueJob, step: JobStep): StepRow {
  const { job_id, status, attempt_count, plan_id, batch_id, target_snapshot } = job;
  const was = { status, attempt_count, plan_id };
  return { job_id, was, next: step.next, plan_id, batch_id, target_snapshot, command_id: null };
}

type Reachable = DueJob & { conversation: NonNullable<DueJob['conversation']> };

function sending(context: RunnerContext, due: Reachable, step: JobStep, link: DueLink, text: string): Decided {
  const { job } = due;
  const { platform } = due.conversation;
  const command_id = newId('command', context.now);
  const attempt = step.next.attempt_count;
  const plan_id = `${job.job_id}.${attempt}`;
  const { link_id, client_id, page_url, page_title, route_path, route_pattern, route_params } = link;
  const target_snapshot: TargetSnapshot = {
    platform,
    link_id,
    client_id,
    page_url,
    page_title,
    route: { path: route_path, pattern: route_pattern, params: route_params },
    target: { id: link.target_id, kind: link.target_kind, payload: link.target_payload },
    sent: { controller_id: link.controller_id, command_id },
  };
  return {
    due,
    step,
    pause: null,
    row: { ...stepRow(due, step), plan_id, batch_id: context.batch_id, target_snapshot, command_id },
    command: {
      command_id,
      controller_id: link.controller_id,
      kind: 'delivery',
      body: {
        job_id: job.job_id,
        attempt,
        plan_id,
        platform,
        target: link.target_payload,
        message_text: text,
        assistant_message_id: due.assistant_message_id,
        timeout_ms: RENEWAL.delivery_timeout_ms,
      },
      expires_at: context.now + DEADLINE_MS,
    },
  };
}

/** The jobs whose step was taken; null when the system was paused meanwhile, and nothing changed. */
async function store({ db, now }: RunnerContext, decided: readonly Decided[]): Promise<Set<string> | null> {
  const commands = decided.flatMap((one) => (one.command === null ? [] : [one.command]));
  const pauses = decided.flatMap((one) => (one.pause === null ? [] : [one.pause]));
  const events = decided.map(({ due, step }) => ({
    job_id: due.job.job_id,
    status: step.next.status,
    type: step.stage,
    data: { result: step.result, attempt_count: step.next.attempt_count },
  }));
  try {
    const [, taken] = await db.batch([
      guardNotPaused(db),
      storeSteps(
        db,
        decided.map((one) => one.row),
        now,
      ),
      insertStepCommands(db, commands, now),
      insertStepEvents(db, events, now),
      ...pauseConversations(db, pauses, now),
    ]);
    return new Set(taken.map((row) => row.job_id));
  } catch (error) {
    if (violationOf(error) !== 'system_paused') throw error;
    return null;
  }
}

/** Sends what was committed, and has the nodes read again what was paused. */
async function tell({ env, db, now }: RunnerContext, done: readonly Decided[]): Promise<void> {
  const told = done.flatMap(({ command, pause }) => [
    ...(command === null
      ? []
      : [
          nodeHub(env, command.controller_id).push(command.controller_id, {
            type: 'command' as const,
            command: toCommand(command, now),
          }),
        ]),
    ...(pause === null ? [] : [tellNodes(env, db, pause.local_conversation_id)]),
  ]);
  const failures = (await Promise.allSettled<unknown>(told)).filter((one) => one.status === 'rejected');
  if (failures.length > 0) logLine('error', 'push', { failed: failures.length });
}

function report({ log }: RunnerContext, { due, step }: Decided): void {
  const { job_id, local_conversation_id } = due.job;
  const { attempt_count, next_attempt_at } = step.next;
  log(step.stage, step.result, { job_id, local_conversation_id, attempt_count, next_attempt_at });
}

function counts(done: readonly Decided[], due: number) {
  const of = (...stages: JobStep['stage'][]) => done.filter((one) => stages.includes(one.step.stage)).length;
  return {
    due_jobs: due,
    successful_jobs: of('job_attempt_started'),
    retried_jobs: of('job_retry_scheduled'),
    skipped_jobs: of('job_deferred', 'job_canceled'),
    failed_jobs: of('job_failed'),
  };
}
