/** What MCP answers about an instruction: its end with its output, or that it is still open and how to read on. */
import { MCP } from '../../schema/defaults.ts';
import { isOpenStatus } from '../../schema/domain/instruction-machine.ts';
import type { InstructionRow } from '../../schema/tables/index.ts';
import type { ToolAnswer } from './answer.ts';

export interface CalledInstruction
  extends Pick<
    InstructionRow,
    | 'instruction_id'
    | 'target'
    | 'tool'
    | 'controller_id'
    | 'status'
    | 'policy'
    | 'gate'
    | 'exit_code'
    | 'error_code'
    | 'duration_ms'
    | 'truncated'
  > {
  output: string | null;
}

export function instructionAnswer(called: CalledInstruction, more: Record<string, unknown> = {}): ToolAnswer {
  const { instruction_id, target, tool, controller_id: node, status } = called;
  const head = { instruction_id, status, call: `${target}::${tool}`, node };
  if (isOpenStatus(status)) return { data: { ...head, message: openText(called), ...more }, isError: false };
  const isError = status !== 'succeeded';
  const why = isError ? { error: errorOf(called), message: endText(called) } : {};
  return { data: { ...head, ...why, ...resultOf(called), ...more }, isError };
}

/** No instruction came of the call: the node refused it, or did not respond. */
export function unjudgedAnswer(node: string, instruction_id: string, refused: string | null): ToolAnswer {
  const message =
    refused === null
      ? `${node} did not respond in time; nothing has been done, and nothing will be`
      : `${node} refused the call: ${refused}`;
  return { data: { error: 'node_unreachable', message, instruction_id, node }, isError: true };
}

function openText({ instruction_id, status }: CalledInstruction): string {
  const next = `the tool status with {"instruction_id":"${instruction_id}"} reads how it is`;
  const what =
    status === 'awaiting_approval'
      ? 'a person decides about it on the status page, in the overlay or on the command line'
      : 'it has not ended yet';
  return `${what}; ${next}`;
}

/** The code of a denial, of a gate, or of the failure. */
function errorOf({ status, gate, error_code, policy }: CalledInstruction): string {
  if (error_code !== null) return error_code;
  if (gate !== null) return gate;
  if (status === 'denied') return policy.decision === 'ask' ? 'denied_by_a_person' : 'denied_by_policy';
  return status === 'expired' && policy.decision === 'ask' ? 'approval_expired' : status;
}

function endText(called: CalledInstruction): string {
  const { status, gate, controller_id: node } = called;
  switch (status) {
    case 'denied':
      return deniedText(called);
    case 'blocked':
      return `it was not run: ${gate ?? 'a gate stopped it'}; call again when that has ended`;
    case 'expired':
      return `it was not run: ${errorOf(called) === 'approval_expired' ? 'no person' : node} did not decide in time; call again`;
    case 'shadowed':
      return `it was not run: ${node} is in shadow mode and records only`;
    case 'interrupted':
      return 'whether it took effect is not known: its node did not report an end';
    default:
      return `it ended as ${status}`;
  }
}

function deniedText({ gate, error_code, controller_id: node, policy: { decision, rule } }: CalledInstruction): string {
  if (gate !== null) return `it was not run: ${gate}`;
  if (error_code === 'approval_drifted') {
    return 'it was not run: what it would do had changed since a person was asked; call again, and a person is asked again';
  }
  if (error_code !== null) return `it was not run: ${node} denied it after a person had approved it; output says why`;
  if (decision === 'ask') return 'it was not run: a person denied it';
  return `the policy of ${node} says ${decision}: ${rule}; a person changes policy.json of that host`;
}

/** The beginning of a long output, and where it continues. */
function resultOf({ output, exit_code, error_code, duration_ms, truncated }: CalledInstruction) {
  if (output === null && duration_ms === null) return {};
  const text = output ?? '';
  const isLong = text.length > MCP.output_chars;
  const shown = isLong ? text.slice(0, MCP.output_chars).toWellFormed() : text;
  const rest = isLong ? { output_chars: text.length, next_offset: MCP.output_chars } : {};
  return { output: shown, ...rest, exit_code, error_code, duration_ms, truncated };
}
