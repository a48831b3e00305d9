/**
 * A conversation's next renewal, for a person: whether it is due, when, and for which reason. Of several reasons against
 * it the first one counts, in the order in which projector and dispatcher check them.
 */
import type { AutomationStatus, PauseReason } from '../contracts/conversations.ts';
import type { RenewalJob } from '../contracts/renewal.ts';
import type { NextRenewal } from '../contracts/renewal-settings.ts';
import type { SystemMode } from '../contracts/system.ts';
import type { LinkTarget } from './links.ts';
import { isDeliverable } from './links.ts';
import type { LinkUnusable } from './renewal.ts';
import type { Hold } from './renewal-limits.ts';

export interface NextRenewalFacts {
  mode: SystemMode;
  has_leader: boolean;
  automation_status: AutomationStatus;
  pause_reason: PauseReason | null;
  /** The conversation's newest message; null before the first one. */
  newest: { role: string; received_at: number; instruction_pending: boolean } | null;
  /** A task of the chat holds its renewals. */
  task_pending: boolean;
  /** A person's question in the conversation waits for its answer. */
  ask_pending: boolean;
  /** The job of that message. */
  job: Pick<RenewalJob, 'status' | 'next_attempt_at' | 'deadline_at' | 'last_error'> | null;
  breaker: PauseReason | null;
  hold: Hold | null;
  link: LinkTarget | null;
  unusable: LinkUnusable | null;
  settle_delay_ms: number;
  now: number;
}

/** Times in Unix milliseconds. */
export function nextRenewal(facts: NextRenewalFacts): NextRenewal {
  return whyNone(facts) ?? whyHeld(facts) ?? whenDue(facts);
}

const notDue = (reason: string, at: number | null = null): NextRenewal => ({ due: false, at, reason });

/** Why the newest message gets no renewal, or has had it already. */
function whyNone({ newest, job, task_pending }: NextRenewalFacts): NextRenewal | null {
  if (newest === null) return notDue('no_message');
  if (newest.role !== 'assistant') return notDue('waiting_for_answer');
  switch (job?.status) {
    case 'running':
      return { due: true, at: job.deadline_at, reason: 'being_delivered' };
    case 'done':
      return notDue('waiting_for_answer');
    case 'failed':
      return notDue(job.last_error ?? 'failed');
    case 'canceled':
      return notDue(job.last_error ?? 'canceled');
    default:
      if (job !== null) return null;
      if (newest.instruction_pending) return notDue('instruction_pending');
      return task_pending ? notDue('task_pending') : null;
  }
}

/** What holds the renewal back now. */
function whyHeld(facts: NextRenewalFacts): NextRenewal | null {
  const { mode, automation_status, pause_reason, breaker, hold, link, unusable } = facts;
  if (mode === 'paused') return notDue('system_paused');
  if (mode === 'draining' && facts.job === null) return notDue('system_draining');
  if (!facts.has_leader) return notDue('no_leader');
  if (automation_status === 'manual') return notDue('automation_manual');
  if (automation_status === 'paused') return notDue(pause_reason ?? 'automation_paused');
  if (facts.ask_pending) return notDue('ask_pending');
  if (breaker !== null) return notDue(breaker);
  if (hold !== null) return notDue(hold.reason, hold.until);
  if (link === null) return notDue('missing_active_link');
  if (!isDeliverable(link)) return notDue('route_unavailable');
  return unusable === null ? null : notDue(unusable);
}

function whenDue({ job, newest, settle_delay_ms, now }: NextRenewalFacts): NextRenewal {
  if (job === null) {
    const at = (newest?.received_at ?? now) + settle_delay_ms;
    return { due: at <= now, at, reason: at <= now ? 'due' : 'settling' };
  }
  const at = job.next_attempt_at;
  const due = at === null || at <= now;
  return { due, at, reason: due ? 'due' : (job.last_error ?? 'scheduled') };
}
