/**
 * What a person is told of a conversation's next renewal: whether it is due, when, and why or why not. The first thing
 * that stands in its way is named, in the order in which projector and dispatcher would meet it.
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
  /** The conversation's newest message; null when none has been seen. */
  newest: { role: string; received_at: number; instruction_pending: boolean } | null;
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
  return ended(facts) ?? blocked(facts) ?? scheduled(facts);
}

const not = (reason: string, at: number | null = null): NextRenewal => ({ due: false, at, reason });

/** A newest message that asks for no renewal, or has had it. */
function ended({ newest, job }: NextRenewalFacts): NextRenewal | null {
  if (newest === null) return not('no_message');
  if (newest.role !== 'assistant') return not('waiting_for_answer');
  switch (job?.status) {
    case 'running':
      return { due: true, at: job.deadline_at, reason: 'being_delivered' };
    case 'done':
      return not('waiting_for_answer');
    case 'failed':
      return not(job.last_error ?? 'failed');
    case 'canceled':
      return not(job.last_error ?? 'canceled');
    default:
      return newest.instruction_pending && job === null ? not('instruction_pending') : null;
  }
}

function blocked(facts: NextRenewalFacts): NextRenewal | null {
  const { mode, automation_status, pause_reason, breaker, hold, link, unusable } = facts;
  if (mode === 'paused') return not('system_paused');
  if (mode === 'draining' && facts.job === null) return not('system_draining');
  if (!facts.has_leader) return not('no_leader');
  if (automation_status === 'manual') return not('automation_manual');
  if (automation_status === 'paused') return not(pause_reason ?? 'automation_paused');
  if (breaker !== null) return not(breaker);
  if (hold !== null) return not(hold.reason, hold.until);
  if (link === null) return not('missing_active_link');
  if (!isDeliverable(link)) return not('route_unavailable');
  return unusable === null ? null : not(unusable);
}

function scheduled({ job, newest, settle_delay_ms, now }: NextRenewalFacts): NextRenewal {
  if (job === null) {
    const at = (newest?.received_at ?? now) + settle_delay_ms;
    return { due: at <= now, at, reason: at <= now ? 'due' : 'settling' };
  }
  const at = job.next_attempt_at;
  const due = at === null || at <= now;
  return { due, at, reason: due ? 'due' : (job.last_error ?? 'scheduled') };
}
