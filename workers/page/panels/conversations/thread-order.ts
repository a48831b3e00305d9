/** A page of a conversation's messages, with their instructions, replies and renewals, as one list in the order of time. */
import type { Instruction, MessageSummary } from '../../../../schema/contracts/instructions.ts';
import type { RenewalJob } from '../../../../schema/contracts/renewal.ts';
import type { ThreadItem } from '../../../../schema/contracts/thread.ts';

export type Happening =
  | { kind: 'message'; at: number; id: string; message: MessageSummary; instructions: readonly Instruction[] }
  | { kind: 'renewal'; at: number; id: string; job: RenewalJob };

/** Newest first. The reply is part of the message, whose row has its outcome. */
export function threadOf(items: readonly ThreadItem[]): Happening[] {
  const happenings = items.flatMap(({ message, instructions, job }): Happening[] => [
    { kind: 'message', at: message.received_at, id: message.message_id, message, instructions },
    ...(job === null ? [] : [{ kind: 'renewal' as const, at: job.created_at, id: job.job_id, job }]),
  ]);
  return happenings.sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1));
}
