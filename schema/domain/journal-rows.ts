/**
 * The rows of instructions against their journal: what a row says was called, and its status, must be what the chain
 * has bound. A row that was changed without the edge shows here, although the chain itself is whole. Pure; SHA-256 is
 * injected.
 */

import type { z } from 'zod';
import type { InstructionInput, InstructionState, MessageDetailSchema } from '../contracts/instructions.ts';
import { INSTRUCTION_STATES } from '../contracts/instructions.ts';
import type { JournalContent } from '../contracts/journal.ts';
import { dedupeText, identityOf } from './ingest.ts';
import type { Sha256 } from './journal-chain.ts';

type MessageDetail = z.infer<typeof MessageDetailSchema>;

/** What the journal says of one instruction. */
export interface Recorded {
  message_id: string;
  /** The hash of the call, from the entry of its observation. */
  dedupe_key: string | null;
  /** The newest status that an entry names; null while none has. */
  status: InstructionState | null;
  at: number;
}

/** Entries of these kinds name the status that the instruction has from then on. */
const STATUS_KINDS: readonly string[] = ['claimed', 'gated', 'started', 'ended'];
/** The statuses of an instruction whose journal names none: decided when it was observed. */
const FIRST_STATES: readonly InstructionState[] = ['waiting', 'awaiting_approval', 'denied', 'shadowed'];

/** Adds what a block says to what is known of its instructions. */
export function record(known: Map<string, Recorded>, { message_id, at, entries }: JournalContent): void {
  for (const { instruction_id, kind, detail } of entries) {
    const before = known.get(instruction_id) ?? { message_id, dedupe_key: null, status: null, at };
    const status = STATUS_KINDS.includes(kind) ? stateNamed(detail.status) : null;
    const isNewer = at >= before.at;
    known.set(instruction_id, {
      message_id,
      dedupe_key: kind === 'observed' && typeof detail.dedupe_key === 'string' ? detail.dedupe_key : before.dedupe_key,
      status: status !== null && (isNewer || before.status === null) ? status : before.status,
      at: Math.max(at, before.at),
    });
  }
}

function stateNamed(value: unknown): InstructionState | null {
  return INSTRUCTION_STATES.find((state) => state === value) ?? null;
}

/** How the rows of a message differ from the journal, one line for each difference; none when they agree. */
export async function rowFaults(
  sha256: Sha256,
  message: MessageDetail,
  known: ReadonlyMap<string, Recorded>,
): Promise<string[]> {
  const faults: string[] = [];
  const identity = identityOf(message.assistant_message_id, await sha256(message.raw_text));
  for (const row of message.instructions) {
    const recorded = known.get(row.instruction_id);
    if (recorded === undefined) {
      faults.push(`${row.instruction_id} is stored, but the journal does not have it`);
      continue;
    }
    const call: Pick<InstructionInput, 'block_index' | 'index' | 'target' | 'tool' | 'params'> = row;
    const key = await sha256(dedupeText({ ...message, identity }, call));
    if (recorded.dedupe_key !== null && recorded.dedupe_key !== key) {
      faults.push(`${row.instruction_id}: its call, or the message it is in, is not the one that the journal has`);
    }
    const agrees = recorded.status === null ? FIRST_STATES.includes(row.status) : recorded.status === row.status;
    if (!agrees) {
      faults.push(
        `${row.instruction_id} is stored as ${row.status}; the journal says ${recorded.status ?? 'that it never ran'}`,
      );
    }
  }
  return faults;
}
