/**
 * Which instructions of a message may be claimed: the host's verdict, checked against the tool table, and the gates.
 * Ingest and resubmission decide by the same rules. A gate stops ordinary instructions only; the tool table decides what
 * a control instruction is, not the node that sends it.
 */
import type { AutomationStatus } from '../contracts/conversations.ts';
import type { IngestStatus, InstructionInput, InstructionState } from '../contracts/instructions.ts';
import type { SystemMode } from '../contracts/system.ts';
import { isControl, TOOLS, toolName } from '../contracts/tools.ts';
import { INSTRUCTION } from '../defaults.ts';
import { isStoppedStatus } from './instruction-machine.ts';
import { messageEnd } from './message-progress.ts';

/** What decides whether ordinary instructions of a conversation may start. */
export interface GateFacts {
  mode: SystemMode;
  automation_status: AutomationStatus;
  /** Another message of the conversation is executing. */
  busy: boolean;
}

/** The first gate that stops ordinary instructions; null when none does. */
export function gateOf(
  facts: GateFacts,
): Extract<IngestStatus, 'system_paused' | 'automation_paused' | 'automation_busy'> | null {
  if (facts.mode === 'paused') return 'system_paused';
  if (facts.automation_status === 'paused') return 'automation_paused';
  return facts.busy ? 'automation_busy' : null;
}

/** An instruction with the verdict that counts. */
export interface JudgedInstruction {
  input: InstructionInput;
  verdict: 'run' | 'ask' | 'deny' | 'shadow';
  control: boolean;
  /** Why it is denied, when the tool table denies it. */
  gate: string | null;
  timeout_ms: number;
}

/** Checks the host's verdict against the tool table, which denies what it does not know or allow. */
export function judge(input: InstructionInput): JudgedInstruction {
  const name = toolName(input.target, input.tool);
  if (name === null) return deny(input, 'unknown_tool');
  const control = isControl(name);
  if (!TOOLS[name].params.safeParse(input.params).success) return deny(input, 'invalid_params');
  if (input.policy.decision === 'control' && !control) return deny(input, 'not_control');
  const verdicts = { allow: 'run', control: 'run', ask: 'ask', deny: 'deny', shadow: 'shadow' } as const;
  const verdict = verdicts[input.policy.decision];
  return { input, verdict, control, gate: null, timeout_ms: TOOLS[name].timeout_ms };
}

function deny(input: InstructionInput, gate: string): JudgedInstruction {
  return { input, verdict: 'deny', control: false, gate, timeout_ms: INSTRUCTION.timeout_ms };
}

/** What a judged instruction becomes, or `held` for one that a gate stops. */
export type Admission =
  | Extract<InstructionState, 'denied' | 'shadowed' | 'awaiting_approval' | 'waiting' | 'claimed'>
  | 'held';

/** Decides on the instructions of one message, in its order: what follows an approval waits behind it. */
export function createAdmission(
  gate: string | null,
): (one: Pick<JudgedInstruction, 'verdict' | 'control'>) => Admission {
  let behindApproval = false;
  return ({ verdict, control }) => {
    if (verdict === 'deny') return 'denied';
    if (verdict === 'shadow') return 'shadowed';
    if (gate !== null && !control) return 'held';
    if (verdict !== 'ask') return behindApproval ? 'waiting' : 'claimed';
    behindApproval = true;
    return 'awaiting_approval';
  };
}

/** Gates in the order in which a message that several have stopped names them. */
const GATES = ['system_paused', 'automation_paused', 'automation_busy', 'capture_mismatch', 'expired'] as const;

/** The status of a message by its instructions. */
export function messageStatus(all: readonly { status: InstructionState; gate: string | null }[]): IngestStatus {
  const has = (status: InstructionState) => all.some((one) => one.status === status);
  if (has('awaiting_approval')) return 'awaiting_approval';
  if (has('claimed')) return 'accepted';
  if (all.every((one) => one.status === 'denied')) return 'denied_only';
  return GATES.find((gate) => all.some((one) => isStoppedStatus(one.status) && one.gate === gate)) ?? messageEnd(all);
}
