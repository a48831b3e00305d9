/**
 * Which instructions of a message may be claimed: the host's verdict, checked against the tool table, and the gates.
 * Ingest and resubmission decide by the same rules. A gate stops ordinary instructions only; the tool table decides what
 * a control instruction is and where it runs, not the node that sends it; and what a person has stopped asks a person
 * (persons-stops.ts), independent of the node's policy.
 */
import type { AutomationStatus } from '../contracts/conversations.ts';
import type { IngestStatus, InstructionInput, InstructionState, PolicyVerdict } from '../contracts/instructions.ts';
import type { SystemMode } from '../contracts/system.ts';
import { isControl, TOOLS, toolName } from '../contracts/tools.ts';
import { APPROVALS, INSTRUCTION } from '../defaults.ts';
import { isStoppedStatus } from './instruction-machine.ts';
import { messageEnd } from './message-progress.ts';
import type { PersonsStops } from './persons-stops.ts';
import { personsRule } from './persons-stops.ts';

/** What decides whether ordinary instructions of a conversation may start. */
export interface GateFacts {
  mode: SystemMode;
  automation_status: AutomationStatus;
  /** Another message of the conversation is executing. */
  busy: boolean;
}

/** What decides whether an instruction asks a person, and whether it still can. */
export interface AskFacts extends PersonsStops {
  /** How many instructions wait for approval already, or will at their turn: in the conversation, and on its node. */
  waiting: { conversation: number; node: number };
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
  input: Omit<InstructionInput, 'approval'>;
  verdict: 'run' | 'ask' | 'deny' | 'shadow';
  /** The host's, unless the edge asks a person although the host would not. */
  policy: PolicyVerdict;
  control: boolean;
  /** Why it is denied, when the tool table denies it. */
  gate: string | null;
  timeout_ms: number;
}

/** Checks the host's verdict against the tool table, which denies what it does not know, and against a person's stops. */
export function judge(input: Omit<InstructionInput, 'approval'>, stops: PersonsStops): JudgedInstruction {
  const name = toolName(input.target, input.tool);
  if (name === null) return deny(input, 'unknown_tool');
  const control = isControl(name);
  if (!TOOLS[name].params.safeParse(input.params).success) return deny(input, 'invalid_params');
  if (input.policy.decision === 'control' && !control) return deny(input, 'not_control');
  const verdicts = { allow: 'run', control: 'run', ask: 'ask', deny: 'deny', shadow: 'shadow' } as const;
  const verdict = verdicts[input.policy.decision];
  const rule = verdict === 'run' ? personsRule(name, input.params, stops) : null;
  if (rule !== null) {
    const policy: PolicyVerdict = { decision: 'ask', rule };
    return { input, verdict: 'ask', policy, control, gate: null, timeout_ms: TOOLS[name].timeout_ms };
  }
  return { input, verdict, policy: input.policy, control, gate: null, timeout_ms: TOOLS[name].timeout_ms };
}

function deny(input: JudgedInstruction['input'], gate: string): JudgedInstruction {
  return { input, verdict: 'deny', policy: input.policy, control: false, gate, timeout_ms: INSTRUCTION.timeout_ms };
}

/** What a judged instruction becomes, or `held` for one that a gate stops; and the gate that stops or denies it. */
export interface Admission {
  status: Extract<InstructionState, 'denied' | 'shadowed' | 'awaiting_approval' | 'waiting' | 'claimed'> | 'held';
  gate: string | null;
}

/** The gate of an instruction that would ask when too many ask already. */
export const TOO_MANY_APPROVALS = 'too_many_approvals';

/** How many more approvals a person can be asked for. */
function roomFor({ conversation, node }: AskFacts['waiting']): number {
  return Math.min(APPROVALS.max_per_conversation - conversation, APPROVALS.max_per_node - node);
}

/**
 * Decides on the instructions of one message, in its order: what follows an approval waits behind it, and an instruction
 * that asks waits behind all that is open before it, because those may change what it would do.
 */
export function createAdmission(
  gate: string | null,
  waiting: AskFacts['waiting'],
): (one: Pick<JudgedInstruction, 'verdict' | 'control' | 'gate'>) => Admission {
  let room = roomFor(waiting);
  let isBehindApproval = false;
  let isBehindOpen = false;
  return ({ verdict, control, gate: denial }) => {
    if (verdict === 'deny') return { status: 'denied', gate: denial };
    if (verdict === 'shadow') return { status: 'shadowed', gate: null };
    if (gate !== null && !control) return { status: 'held', gate };
    const asks = verdict === 'ask';
    if (asks && room <= 0) return { status: 'denied', gate: TOO_MANY_APPROVALS };
    const mustWait = asks ? isBehindOpen : isBehindApproval;
    if (asks) room -= 1;
    isBehindApproval ||= asks;
    isBehindOpen = true;
    return { status: mustWait ? 'waiting' : asks ? 'awaiting_approval' : 'claimed', gate: null };
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
