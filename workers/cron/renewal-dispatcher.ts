/**
 * `renewal.dispatcher`: each due job is read anew with its conversation and links, decided, and all steps are stored
 * in one batch that fails while the system is paused. A job that is sent becomes `running` in the same batch as its
 * command; the push comes after, and only the node's answer makes the job `done`.
 */
import { allHubs, nodeHub } from '../../durable-objects/stubs.ts';
import type { TargetSnapshot } from '../../schema/contracts/renewal.ts';
import { RENEWAL } from '../../schema/defaults.ts';
import type { JobStep } from '../../schema/domain/renewal.ts';
import { DEADLINE_MS, decideDispatch, payloadText } from '../../schema/domain/renewal.ts';
import { newId } from '../../schema/ids.ts';
import { guardNotPaused, violationOf } from '../guards.ts';
import { log as logLine } from '../log.ts';
import type { CommandDraft } from '../queries/commands.ts';
import { toCommand } from '../queries/commands.ts';
import type { DueJob, DueLink } from '../queries/due-jobs.ts';
import { dueJobs } from '../queries/due-jobs.ts';
import type { StepRow } from '../queries/renewal-jobs.ts';
import { insertStepCommands, insertStepEvents, storeSteps } from '../queries/renewal-jobs.ts';
import type { Runner, RunnerContext } from './runner.ts';

/** Jobs of conversations that are not `auto` are put off many at a time, so that they hold nobody up. */
const WINDOW_FACTOR = 10;

interface Decided {
  due: DueJob;
  step: JobStep;
  row: StepRow;
  command: CommandDraft<'delivery'> | null;
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
    const connected = await connectedNodes(context, due);
    const decided = decideAll(context, due, connected);
    const taken = await store(context, decided);
    if (taken === null) {
      log('scan_skipped', 'system_paused');
      return 'system_paused';
    }
    const done = decided.filter((one) => taken.has(one.due.job.job_id));
    await push(context, done);
    for (const one of done) report(context, one);
    log('scan_completed', 'ok', counts(done, due.length));
    return 'ok';
  },
};

/** Of the nodes that could deliver, those with a live socket. */
async function connectedNodes({ env }: RunnerContext, due: readonly DueJob[]): Promise<Set<string>> {
  const ids = [...new Set(due.flatMap((one) => one.links.map((link) => link.controller_id)))];
  if (ids.length === 0) return new Set();
  const answers = await Promise.all(allHubs(env).map((hub) => hub.presence(ids)));
  return new Set(ids.filter((id) => answers.some((presence) => presence[id]?.connected)));
}

function decideAll(context: RunnerContext, due: readonly DueJob[], connected: Set<string>): Decided[] {
  const { settings, now, random } = context;
  let room = settings.max_jobs_per_tick;
  return due.flatMap((one) => {
    const { job, conversation, links } = one;
    const putOff = conversation !== null && conversation.automation_status !== 'auto';
    if (!putOff && room === 0) return [];
    if (!putOff) room -= 1;
    // The newest link on a connected node; without one its node finds the command when it comes back in time.
    const link = links.find((found) => connected.has(found.controller_id)) ?? links[0] ?? null;
    const { send, step } = decideDispatch(job, {
      conversation,
      newest: conversation?.last_message_id === job.message_id,
      link,
      payload: payloadText(job),
      interval_ms: settings.interval_ms,
      now,
      random: random(),
    });
    if (send === null || link === null || conversation === null) {
      return [{ due: one, step, row: stepRow(one, step), command: null }];
    }
    return [sending(context, { ...one, conversation }, step, link, send)];
  });
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
    ]);
    return new Set(taken.map((row) => row.job_id));
  } catch (error) {
    if (violationOf(error) !== 'system_paused') throw error;
    return null;
  }
}

async function push({ env, now }: RunnerContext, done: readonly Decided[]): Promise<void> {
  const pushes = done.flatMap(({ command }) =>
    command === null
      ? []
      : [
          nodeHub(env, command.controller_id).push(command.controller_id, {
            type: 'command',
            command: toCommand(command, now),
          }),
        ],
  );
  const failures = (await Promise.allSettled(pushes)).filter((one) => one.status === 'rejected');
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
