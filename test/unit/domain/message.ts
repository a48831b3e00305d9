/** Builders of a message's instructions. */
import type { InstructionState, PolicyDecision, PolicyVerdict } from '../../../schema/contracts/instructions.ts';
import type { AskFacts } from '../../../schema/domain/admission.ts';
import type { IngestFacts } from '../../../schema/domain/ingest.ts';
import type { TrackedInstruction } from '../../../schema/domain/message-progress.ts';
import type { StoppedInstruction } from '../../../schema/domain/resubmission.ts';

/** Nothing that a person has stopped, and nothing that waits for a person. */
export const FREE: AskFacts = {
  hold: false,
  conversation: { pause_reason: null, last_non_paused_automation_status: 'manual', status_set_by: null },
  waiting: { conversation: 0, node: 0 },
};

/** A new message in a running system whose conversation is free. */
export const NEW_MESSAGE: IngestFacts = {
  ...FREE,
  recognition: { as: 'new' },
  mode: 'running',
  automation_status: 'manual',
  busy: false,
  age_ms: 0,
  max_age_ms: 600_000,
  now: 1_000,
};

/** Instructions `ins_0`, `ins_1`, … in these states. */
export function messageOf(
  ...states: (InstructionState | [InstructionState, 'control' | 'asks'])[]
): TrackedInstruction[] {
  return states.map((given, index) => ({
    instruction_id: `ins_${index}`,
    index,
    status: Array.isArray(given) ? given[0] : given,
    gate: null,
    control: Array.isArray(given) && given[1] === 'control',
    asks: Array.isArray(given) && given[1] === 'asks',
    timeout_ms: 60_000,
    claimed_at: null,
    claim_expires_at: null,
    approval_expires_at: null,
  }));
}

export function statusesOf(all: readonly { status: InstructionState }[]): InstructionState[] {
  return all.map((one) => one.status);
}

/** Instructions of a stopped message, of an ordinary tool or of a control tool. */
export function stoppedMessage(states: readonly InstructionState[], tool = 'exec'): StoppedInstruction[] {
  const control = tool !== 'exec';
  const params = control ? {} : { argv: ['true'] };
  return messageOf(...states).map((one) => ({
    ...one,
    control,
    gate: one.status === 'blocked' ? 'system_paused' : null,
    input: { block_index: 0, index: one.index, target: 'conductor', tool, params },
  }));
}

/** The host's verdicts by instruction; null for an instruction that it did not judge. */
export function verdicts(...decisions: (PolicyDecision | null)[]): Map<string, PolicyVerdict> {
  return new Map(
    decisions.flatMap((decision, n) => (decision === null ? [] : [[`ins_${n}`, { decision, rule: 'r' }] as const])),
  );
}
