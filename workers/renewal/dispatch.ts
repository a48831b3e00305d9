/** What one tick does with a due job: the step to store, with the command that sends it. Reads and stores nothing. */
import type { EventDraft } from '../../schema/contracts/events.ts';
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
import type { JobRow } from '../../schema/tables/index.ts';
import type { Reach } from '../nodes/presence.ts';
import type { RunnerContext } from '../timed-jobs/job.ts';
import { chooseLink } from './choose-link.ts';
import type { ConversationStep } from './conversations.ts';
import type { DueConversation, DueJob } from './due-jobs.ts';
import type { StoredStep } from './job-steps.ts';
import { stepEvent } from './job-steps.ts';
import type { RenewalLink } from './link-reads.ts';

type TickFacts = Pick<RunnerContext, 'now' | 'random' | 'settings' | 'batch_id'>;
type ReachOf = (nodeId: string) => Reach;

export interface Dispatch {
  due: DueJob;
  step: JobStep;
  stored: StoredStep;
  /** The conversation is paused, because it has tripped a breaker. */
  pause: ConversationStep | null;
}

/** Decides about each due job: at most `max_jobs_per_tick`, and all of conversations that are not `auto`. */
export function dispatchAll(tick: TickFacts, due: readonly DueJob[], reach: ReachOf): Dispatch[] {
  let room = tick.settings.max_jobs_per_tick;
  return due.flatMap((one) => {
    const isDeferred = one.conversation !== null && one.conversation.automation_status !== 'auto';
    if (!isDeferred && room === 0) return [];
    if (!isDeferred) room -= 1;
    return [dispatch(tick, one, reach)];
  });
}

function dispatch(tick: TickFacts, due: DueJob, reach: ReachOf): Dispatch {
  const { job, conversation, links } = due;
  const { link, unusable } = chooseLink(links, reach);
  const { send, step, pauses } = decideDispatch(job, {
    conversation,
    newest: conversation?.last_message_id === job.message_id,
    ask_pending: conversation !== null && conversation.open_ask !== null,
    ...limits(due, tick.now),
    link,
    unusable,
    payload: payloadText(job),
    interval_ms: tick.settings.interval_ms,
    now: tick.now,
    random: tick.random(),
  });
  const event = stepEvent(job.job_id, step);
  const stored = { job, next: step.next, event: send === null ? event : withLateness(event, job, tick.now) };
  if (conversation === null) return { due, step, stored, pause: null };
  if (send !== null && link !== null) {
    return { due, step, stored: { ...stored, ...delivery(tick, due, conversation, link, send, step) }, pause: null };
  }
  const paused = pauses === null ? null : { type: 'pause' as const, reason: pauses };
  const pause = paused && { read: conversation, next: changeConversation(conversation, paused, tick.now) };
  return { due, step, stored, pause };
}

/** How long the job has been due when the tick that sends it begins. */
function withLateness(
  event: EventDraft,
  { next_attempt_at }: Pick<JobRow, 'next_attempt_at'>,
  now: number,
): EventDraft {
  return { ...event, data: { ...event.data, late_ms: Math.max(0, now - (next_attempt_at ?? now)) } };
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
  tick: TickFacts,
  { job, assistant_message_id }: DueJob,
  { platform }: DueConversation,
  link: RenewalLink,
  message_text: string,
  step: JobStep,
): Pick<StoredStep, 'attempt' | 'command' | 'requires'> {
  const command_id = newId('command', tick.now);
  const { controller_id, target_payload: target } = link;
  const attempt = step.next.attempt_count;
  const plan_id = `${job.job_id}.${attempt}`;
  return {
    requires: 'newest_of_auto',
    attempt: {
      plan_id,
      batch_id: tick.batch_id,
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
      expires_at: tick.now + DEADLINE_MS,
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
