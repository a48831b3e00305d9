/**
 * Decides the status of a final message and of its instructions, in the order of the ingest statuses: is the message
 * whole and an assistant's, is it new, may its instructions run without a person, and may they run now.
 */
import canonicalize from 'canonicalize';
import type {
  IngestBody,
  IngestStatus,
  InstructionInput,
  InstructionState,
  PolicyVerdict,
} from '../contracts/instructions.ts';
import type { AskFacts, GateFacts, JudgedInstruction } from './admission.ts';
import { createAdmission, gateOf, judge, messageStatus } from './admission.ts';
import { withDeadlines } from './message-progress.ts';
import { wellFormed } from './well-formed.ts';

/** The identity of a message in its conversation: its id, or without one the hash of its text. */
export function identityOf(assistantMessageId: string | null | undefined, textHash: string): string {
  return assistantMessageId ? `id:${assistantMessageId}` : `text:${textHash}`;
}

export interface StoredObservation {
  message_id: string;
  identity: string;
  assistant_message_id: string | null;
  text_hash: string;
  ingest_status: IngestStatus;
}

export type Recognition = { as: 'new' } | { as: 'same_identity' | 'same_text'; message_id: string };

/**
 * Whether the message is stored already. Two observations with the same text are one message when either has no id, and
 * two messages when both have ids that differ.
 */
export function recognize(
  stored: readonly StoredObservation[],
  seen: { assistant_message_id: string | null; text_hash: string },
): Recognition {
  const identity = identityOf(seen.assistant_message_id, seen.text_hash);
  const same = stored.find((one) => one.identity === identity);
  if (same) return { as: 'same_identity', message_id: same.message_id };
  const sameText = stored.find(
    (one) =>
      one.text_hash === seen.text_hash && (one.assistant_message_id === null || seen.assistant_message_id === null),
  );
  return sameText ? { as: 'same_text', message_id: sameText.message_id } : { as: 'new' };
}

/** How many stored messages with this text have run or are running. */
export function countExecuted(stored: readonly StoredObservation[], textHash: string): number {
  const ran: readonly IngestStatus[] = ['accepted', 'executed', 'failed'];
  return stored.filter((one) => one.text_hash === textHash && ran.includes(one.ingest_status)).length;
}

/** The text whose hash is an instruction's key: two are equal only for the same call at the same place of a message. */
export function dedupeText(
  message: { platform: string; remote_conversation_id: string; identity: string },
  call: Pick<InstructionInput, 'block_index' | 'index' | 'target' | 'tool' | 'params'>,
): string {
  const { block_index, index, target, tool, params } = call;
  const { platform, remote_conversation_id, identity } = message;
  const key = [platform, remote_conversation_id, identity, block_index, index, target, tool, wellFormed(params)];
  const text = canonicalize(key);
  if (text === undefined) throw new Error('the parameters of an instruction have no canonical form');
  return text;
}

export interface IngestFacts extends GateFacts, AskFacts {
  recognition: Recognition;
  /** How old the observation is, and how old it may be for its instructions to run without a person (milliseconds). */
  age_ms: number;
  max_age_ms: number;
  now: number;
}

export interface DecidedInstruction {
  input: InstructionInput;
  /** The verdict that counts. */
  policy: PolicyVerdict;
  status: InstructionState;
  gate: string | null;
  control: boolean;
  timeout_ms: number;
  claimed_at: number | null;
  claim_expires_at: number | null;
  approval_expires_at: number | null;
}

export interface IngestDecision {
  ingest_status: IngestStatus;
  instructions: DecidedInstruction[];
}

type Arrival = Pick<IngestBody, 'capture' | 'role' | 'block_errors' | 'instructions'>;

/** The status of the message and of each of its instructions, at insert. */
export function decideIngest(body: Arrival, facts: IngestFacts): IngestDecision {
  if (body.capture.other === 'differs') return stopMessage(body, 'capture_mismatch', 'blocked', facts);
  if (body.role !== 'assistant') return { ingest_status: 'ignored_no_instructions', instructions: [] };
  if (body.instructions.length === 0) {
    const status = body.block_errors.length > 0 ? 'parse_error_only' : 'ignored_no_instructions';
    return { ingest_status: facts.recognition.as === 'same_identity' ? 'duplicate_message' : status, instructions: [] };
  }
  if (facts.recognition.as === 'same_identity') return { ingest_status: 'duplicate_message', instructions: [] };
  // It has no new instruction that an age limit or a gate could stop.
  if (facts.recognition.as === 'same_text') return { ingest_status: 'duplicate_only', instructions: [] };
  if (facts.age_ms > facts.max_age_ms) return stopMessage(body, 'expired', 'expired', facts);
  return gateMessage(body.instructions, facts);
}

/** A message that does not run without a person: its new instructions get the status `as`. */
function stopMessage(body: Arrival, status: IngestStatus, as: InstructionState, facts: IngestFacts): IngestDecision {
  const isStored = facts.recognition.as === 'new' && body.role === 'assistant';
  const instructions = isStored ? body.instructions : [];
  return {
    ingest_status: status,
    instructions: instructions.map((input) => {
      const one = judge(input, facts);
      return one.verdict === 'deny' ? decided(input, one, 'denied', one.gate) : decided(input, one, as, status);
    }),
  };
}

function gateMessage(all: readonly InstructionInput[], facts: IngestFacts): IngestDecision {
  const admit = createAdmission(gateOf(facts), facts.waiting);
  const instructions = all.map((input) => {
    const one = judge(input, facts);
    const { status, gate } = admit(one);
    return decided(input, one, status === 'held' ? 'blocked' : status, gate);
  });
  return { ingest_status: messageStatus(instructions), instructions: withDeadlines(instructions, facts.now) };
}

function decided(
  input: InstructionInput,
  { policy, control, timeout_ms }: JudgedInstruction,
  status: InstructionState,
  gate: string | null,
): DecidedInstruction {
  const deadlines = { claimed_at: null, claim_expires_at: null, approval_expires_at: null };
  return { input, policy, status, gate, control, timeout_ms, ...deadlines };
}
