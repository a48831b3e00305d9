/**
 * The ingest status of a message: which may follow which (drawn in docs/state-machines.md). Ingest decides the first
 * one; after that the end of the instructions, an approval, or a resubmission moves it.
 */
import type { IngestStatus, InstructionState } from '../contracts/instructions.ts';
import { stateMachine } from './state-machine.ts';

/** What a resubmission can make of a message, for any reason that had stopped it. */
const RESUBMITTED = [
  'accepted',
  'awaiting_approval',
  'denied_only',
  'executed',
  'failed',
  'system_paused',
  'automation_paused',
  'automation_busy',
] as const;

export const MESSAGE_TRANSITIONS = {
  accepted: ['awaiting_approval', 'executed', 'failed'],
  awaiting_approval: ['accepted', 'executed', 'failed'],
  capture_mismatch: ['capture_mismatch', ...RESUBMITTED],
  expired: ['expired', ...RESUBMITTED],
  system_paused: RESUBMITTED,
  automation_paused: RESUBMITTED,
  automation_busy: RESUBMITTED,
  failed: RESUBMITTED,
  ignored_no_instructions: [],
  parse_error_only: [],
  duplicate_message: [],
  denied_only: [],
  duplicate_only: [],
  executed: [],
} as const satisfies Record<IngestStatus, readonly IngestStatus[]>;

const machine = stateMachine<IngestStatus>('message', MESSAGE_TRANSITIONS);
/** Throws for a move that the table forbids. */
export const moveMessage = machine.move;

/** Statuses of a message with an open instruction: only from these it becomes `executed` or `failed` by an end. */
export const OPEN_MESSAGE_STATUSES = ['accepted', 'awaiting_approval'] as const satisfies readonly IngestStatus[];

/** The status of a message with an open instruction, by its instructions. */
export function openMessageStatus(
  all: readonly { status: InstructionState }[],
): (typeof OPEN_MESSAGE_STATUSES)[number] {
  return all.some((one) => one.status === 'awaiting_approval') ? 'awaiting_approval' : 'accepted';
}

/** Whether an instruction of the message is open. */
export function isOpenMessage(status: IngestStatus): boolean {
  return (OPEN_MESSAGE_STATUSES as readonly IngestStatus[]).includes(status);
}
