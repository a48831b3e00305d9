/** Which settled messages of an assistant become renewal jobs, and why others do not. */
import type { AutomationStatus } from '../contracts/conversations.ts';
import type { SkipReason } from '../contracts/renewal.ts';
import type { LinkTarget } from './links.ts';
import { isDeliverable } from './links.ts';
import type { Hold } from './renewal-limits.ts';

export interface ProjectionFacts {
  automation_status: AutomationStatus;
  link: LinkTarget | null;
  has_job: boolean;
  /** Whether it is still the conversation's newest message. */
  newest: boolean;
  /** Its instructions have not ended, or their reply was delivered or is still expected. */
  instruction_pending: boolean;
  /** The limit that holds a renewal back now. */
  hold: Hold | null;
}

/** Why a settled message of an assistant becomes no job; null when it does. */
export function skipReason(facts: ProjectionFacts): SkipReason | null {
  if (facts.automation_status === 'manual') return 'automation_manual';
  if (facts.automation_status === 'paused') return 'automation_paused';
  if (facts.link === null) return 'missing_active_link';
  if (!isDeliverable(facts.link)) return 'route_unavailable';
  if (facts.has_job) return 'duplicate_job';
  if (!facts.newest) return 'superseded';
  if (facts.instruction_pending) return 'instruction_pending';
  if (facts.hold === null) return null;
  return facts.hold.reason === 'cooldown' || facts.hold.reason === 'rate_limited' ? 'cooldown' : 'limit_reached';
}
