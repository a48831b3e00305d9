/**
 * What an arriving final message becomes. One decision in the order of the ingest statuses: is it complete and an
 * assistant's, is it new, may its instructions run without a person, and may they run now. A gate stops ordinary
 * instructions only. The tool table decides which are control instructions, never the node that sends them.
 */
import canonicalize from 'canonicalize';
import type { AutomationStatus } from '../contracts/conversations.ts';
import type { IngestBody, IngestStatus, InstructionInput, InstructionState } from '../contracts/instructions.ts';
import type { SystemMode } from '../contracts/system.ts';
import { isControl, TOOLS, toolName } from '../contracts/tools.ts';
import { INSTRUCTION } from '../defaults.ts';
import { withDeadlines } from './message-progress.ts';
import { wellFormed } from './well-formed.ts';

/** Equal for two observations of one message: its id, or without one the hash of its text. */
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
 * Whether the message is stored already. Equal texts are one message when one of the observations has no id; messages with
 * different ids are different.
 */
export function recognize(
  stored: readonly StoredObservation[],
  seen: { assistant_message_id: string | null; text_hash: string },
): Recognition {
  const identity = identityOf(seen.assistant_message_id, seen.text_hash);
  const same = stored.find((one) => one.identity === identity);
  if (same) return { as: 'same_identity', message_id: same.message_id };
  const equalText = stored.find(
    (one) =>
      one.text_hash === seen.text_hash && (one.assistant_message_id === null || seen.assistant_message_id === null),
  );
  return equalText ? { as: 'same_text', message_id: equalText.message_id } : { as: 'new' };
}

/** How many messages with that text have run, or are running, in the conversation. */
export function countExecuted(stored: readonly StoredObservation[], textHash: string): number {
  const ran: readonly IngestStatus[] = ['accepted', 'executed', 'failed'];
  return stored.filter((one) => one.text_hash === textHash && ran.includes(one.ingest_status)).length;
}

/** The text whose hash is an instruction's key: equal only for the same call at the same place of one message. */
export function dedupeText(
  message: { platform: string; remote_conversation_id: string; identity: string },
  { block_index, index, target, tool, params }: InstructionInput,
): string {
  const { platform, remote_conversation_id, identity } = message;
  const key = [platform, remote_conversation_id, identity, block_index, index, target, tool, wellFormed(params)];
  const text = canonicalize(key);
  if (text === undefined) throw new Error('parameters that came as JSON have a canonical form');
  return text;
}

/** What decides whether ordinary instructions of a conversation may run. */
export interface GateFacts {
  mode: SystemMode;
  automation_status: AutomationStatus;
  /** Another message of the conversation is executing. */
  busy: boolean;
}

export interface IngestFacts extends GateFacts {
  recognition: Recognition;
  /** The age of the observation, and the greatest age at which instructions run without a person (milliseconds). */
  age_ms: number;
  max_age_ms: number;
  now: number;
}

export interface DecidedInstruction {
  input: InstructionInput;
  status: InstructionState;
  gate: string | null;
  control: boolean;
  timeout_ms: number;
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
  if (body.capture.other === 'differs') return stopAll(body, 'capture_mismatch', 'blocked', facts);
  if (body.role !== 'assistant') return { ingest_status: 'ignored_no_instructions', instructions: [] };
  if (body.instructions.length === 0) {
    const status = body.block_errors.length > 0 ? 'parse_error_only' : 'ignored_no_instructions';
    return { ingest_status: facts.recognition.as === 'same_identity' ? 'duplicate_message' : status, instructions: [] };
  }
  if (facts.recognition.as === 'same_identity') return { ingest_status: 'duplicate_message', instructions: [] };
  // It has nothing new that an age limit or a gate could stop.
  if (facts.recognition.as === 'same_text') return { ingest_status: 'duplicate_only', instructions: [] };
  if (facts.age_ms > facts.max_age_ms) return stopAll(body, 'expired', 'expired', facts);
  return applyGates(body.instructions.map(judge), facts);
}

type Verdict = 'run' | 'ask' | 'deny' | 'shadow';
export interface Judged {
  input: InstructionInput;
  verdict: Verdict;
  control: boolean;
  gate: string | null;
  timeout_ms: number;
}

/** The host's verdict, checked against the tool table: what the table does not have, or forbids, is denied. */
export function judge(input: InstructionInput): Judged {
  const name = toolName(input.target, input.tool);
  if (name === null) return denyInput(input, 'unknown_tool');
  const control = isControl(name);
  if (!TOOLS[name].params.safeParse(input.params).success) return denyInput(input, 'invalid_params');
  if (input.policy.decision === 'control' && !control) return denyInput(input, 'not_control');
  const verdicts = { allow: 'run', control: 'run', ask: 'ask', deny: 'deny', shadow: 'shadow' } as const;
  const verdict = verdicts[input.policy.decision];
  return { input, verdict, control, gate: null, timeout_ms: TOOLS[name].timeout_ms };
}

function denyInput(input: InstructionInput, gate: string): Judged {
  return { input, verdict: 'deny', control: false, gate, timeout_ms: INSTRUCTION.timeout_ms };
}

function stopAll(body: Arrival, status: IngestStatus, as: InstructionState, facts: IngestFacts): IngestDecision {
  const fresh = facts.recognition.as === 'new' && body.role === 'assistant';
  const instructions = fresh ? body.instructions.map(judge) : [];
  return {
    ingest_status: status,
    instructions: instructions.map((one) =>
      one.verdict === 'deny' ? withStatus(one, 'denied', one.gate) : withStatus(one, as, status),
    ),
  };
}

function applyGates(all: readonly Judged[], facts: IngestFacts): IngestDecision {
  if (all.every((one) => one.verdict === 'deny')) {
    return { ingest_status: 'denied_only', instructions: all.map((one) => withStatus(one, 'denied', one.gate)) };
  }
  const gate = gateOf(facts);
  let behindApproval = false;
  const instructions = all.map((one) => {
    if (one.verdict === 'deny') return withStatus(one, 'denied', one.gate);
    if (one.verdict === 'shadow') return withStatus(one, 'shadowed', null);
    if (gate !== null && !one.control) return withStatus(one, 'blocked', gate);
    if (one.verdict === 'ask') {
      behindApproval = true;
      return withStatus(one, 'awaiting_approval', null);
    }
    return withStatus(one, behindApproval ? 'waiting' : 'claimed', null);
  });
  return { ingest_status: statusOf(instructions, gate), instructions: withDeadlines(instructions, facts.now) };
}

/** The first gate that stops ordinary instructions; null for none. */
export function gateOf(
  facts: GateFacts,
): Extract<IngestStatus, 'system_paused' | 'automation_paused' | 'automation_busy'> | null {
  if (facts.mode === 'paused') return 'system_paused';
  if (facts.automation_status === 'paused') return 'automation_paused';
  return facts.busy ? 'automation_busy' : null;
}

function statusOf(all: readonly DecidedInstruction[], gate: IngestStatus | null): IngestStatus {
  const has = (status: InstructionState) => all.some((one) => one.status === status);
  if (has('awaiting_approval')) return 'awaiting_approval';
  if (has('claimed')) return 'accepted';
  if (gate !== null && has('blocked')) return gate;
  return all.every((one) => one.status === 'shadowed') ? 'executed' : 'failed';
}

function withStatus(one: Judged, status: InstructionState, gate: string | null): DecidedInstruction {
  const { input, control, timeout_ms } = one;
  return { input, status, gate, control, timeout_ms, claim_expires_at: null, approval_expires_at: null };
}
