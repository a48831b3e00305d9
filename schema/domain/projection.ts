/**
 * Which settled messages of an assistant become renewal jobs, and why others do not; and how far one tick passes through
 * the messages that have come.
 */
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
  /** A task of the chat holds its renewals. */
  task_pending: boolean;
  /** A person's question in the conversation waits for its answer. */
  ask_pending: boolean;
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
  if (facts.task_pending) return 'task_pending';
  if (facts.ask_pending) return 'ask_pending';
  if (facts.hold === null) return null;
  return facts.hold.reason === 'cooldown' || facts.hold.reason === 'rate_limited' ? 'cooldown' : 'limit_reached';
}

/** A message after the cursor, with no more than what decides whether a tick passes it. */
export interface SeenMessage {
  ingest_seq: number;
  message_id: string;
  local_conversation_id: string;
  role: string;
  /** Unix milliseconds. */
  received_at: number;
  automation_status: AutomationStatus;
}

export interface ProjectionWindow {
  /** The message up to which the tick decides: its new cursor. */
  last: number;
  /** The messages of assistants that it passes because their conversation is not `auto`. */
  passed: SeenMessage[];
  /** There are more that could be decided now. */
  more: boolean;
}

/**
 * The tick passes the messages in their order (`seen`, of which `longest` are read at most) up to the first that was
 * received after `settledBy`, or that is one more of an assistant in an `auto` conversation than `limit`.
 */
export function projectionWindow(
  seen: readonly SeenMessage[],
  { cursor, settledBy, limit, longest }: { cursor: number; settledBy: number; limit: number; longest: number },
): ProjectionWindow {
  const passed: SeenMessage[] = [];
  let last = cursor;
  let room = limit;
  for (const message of seen) {
    if (message.received_at > settledBy) return { last, passed, more: false };
    if (message.role === 'assistant') {
      if (message.automation_status !== 'auto') passed.push(message);
      else if (room === 0) return { last, passed, more: true };
      else room -= 1;
    }
    last = message.ingest_seq;
  }
  return { last, passed, more: seen.length === longest };
}
