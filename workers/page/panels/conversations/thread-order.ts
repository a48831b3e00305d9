/** Messages, their instructions and replies, and renewals of one conversation, as one list in the order of time. */
import type { Instruction, MessageSummary } from '../../../../schema/contracts/instructions.ts';
import type { RenewalJob } from '../../../../schema/contracts/renewal.ts';

export type Happening =
  | { kind: 'message'; at: number; id: string; message: MessageSummary; instructions: readonly Instruction[] }
  | { kind: 'renewal'; at: number; id: string; job: RenewalJob };

/** Newest first. An instruction belongs to its message; the reply is part of the message, whose row has its outcome. */
export function threadOf(
  messages: readonly MessageSummary[],
  instructions: readonly Instruction[],
  jobs: readonly RenewalJob[],
): Happening[] {
  const byMessage = Map.groupBy(instructions, ({ message_id }) => message_id);
  const said = messages.map((message): Happening => {
    const of = [...(byMessage.get(message.message_id) ?? [])].sort((a, b) => a.index - b.index);
    return { kind: 'message', at: message.received_at, id: message.message_id, message, instructions: of };
  });
  const sent = jobs.map((job): Happening => ({ kind: 'renewal', at: job.created_at, id: job.job_id, job }));
  return [...said, ...sent].sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1));
}
