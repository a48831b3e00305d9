/** What comes next of a message: pure. One instruction at a time, in message order. */
import type { InstructionState } from '../../schema/contracts/instructions.ts';
import type { ExecutionRow } from './execution-store.ts';

const OPEN: readonly InstructionState[] = ['claimed', 'waiting', 'awaiting_approval', 'running'];

export function isOpen(status: InstructionState): boolean {
  return OPEN.includes(status);
}

export type NextStep =
  /** All have ended: the reply is due. */
  | { type: 'reply' }
  /** An answer of the edge, or a person, is awaited. */
  | { type: 'wait' }
  | { type: 'execute'; execution: ExecutionRow }
  /** The claim has run out before the instruction began. */
  | { type: 'give_up'; execution: ExecutionRow };

export function nextStep(executions: readonly ExecutionRow[], now: number): NextStep {
  const execution = executions.find((one) => isOpen(one.status));
  if (!execution) return { type: 'reply' };
  const untouched = execution.status === 'claimed' && execution.started_at === null && execution.result === null;
  if (!untouched) return { type: 'wait' };
  const lapsed = execution.claim_until !== null && execution.claim_until <= now;
  return { type: lapsed ? 'give_up' : 'execute', execution };
}
