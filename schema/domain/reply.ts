/** Which messages of an assistant get a reply from its host. Agent and edge share it: no renewal goes beside a reply. */
import type { AutomationStatus } from '../contracts/conversations.ts';
import type { IngestStatus } from '../contracts/instructions.ts';
import { INSTRUCTION } from '../defaults.ts';
import { isOpenMessage } from './message-machine.ts';

/**
 * The assistant waits for the reply to instructions that ran, were refused, could not be read or were stopped by a
 * gate. A repeat, a message without instructions, one too old, and one on whose text the two readings of the page
 * disagree get no reply.
 */
const REPLIED: Record<IngestStatus, boolean> = {
  capture_mismatch: false,
  ignored_no_instructions: false,
  parse_error_only: true,
  duplicate_message: false,
  expired: false,
  denied_only: true,
  system_paused: true,
  automation_paused: true,
  automation_busy: true,
  duplicate_only: false,
  awaiting_approval: true,
  accepted: true,
  executed: true,
  failed: true,
};

/** Whether the host that holds a message of that status delivers a reply to it. */
export function repliesTo(status: IngestStatus): boolean {
  return REPLIED[status];
}

/**
 * The same for a message in a conversation with that automation. While it is paused, nothing replies to what could not be
 * read: an assistant that repeats its mistake would get the same reply without end.
 */
export function repliesIn(status: IngestStatus, automation: AutomationStatus): boolean {
  return repliesTo(status) && !(status === 'parse_error_only' && automation === 'paused');
}

/**
 * When the reply to a message that has just got this status is given up (Unix milliseconds). Null for a message that
 * gets no reply, and for one with an open instruction, whose reply is due after that has ended.
 */
export function replyDueAt(status: IngestStatus, now: number): number | null {
  return repliesTo(status) && !isOpenMessage(status) ? replyDeadline(now) : null;
}

/** When a reply that can be delivered from `now` on is given up. */
export function replyDeadline(now: number): number {
  return now + INSTRUCTION.reply_give_up_ms;
}
