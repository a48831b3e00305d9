/** How far an execution is, and what happens next with its message. One instruction at a time, in message order. Pure. */
import { isOpen } from '../../schema/domain/instruction-machine.ts';
import type { ExecutionRow, MessageRow } from './execution-store.ts';

/**
 * `waiting`: for a person or the edge. `ready`: claimed and not started. `started`: its effect may have happened.
 * `finished`: its result is stored and the edge has not responded to it yet. `ended`: by the edge's word.
 */
export type ExecutionPhase = 'waiting' | 'ready' | 'started' | 'finished' | 'ended';

export function phaseOf({
  status,
  started_at,
  result,
}: Pick<ExecutionRow, 'status' | 'started_at' | 'result'>): ExecutionPhase {
  if (!isOpen(status)) return 'ended';
  if (result !== null) return 'finished';
  if (started_at !== null) return 'started';
  return status === 'claimed' ? 'ready' : 'waiting';
}

export type NextStep =
  /** All instructions have ended: the reply is due. */
  | { type: 'reply' }
  /** Nothing until the edge responds, a person decides or an effect ends. */
  | { type: 'wait' }
  | { type: 'execute'; execution: ExecutionRow }
  /** The claim has expired before the instruction started. */
  | { type: 'give_up'; execution: ExecutionRow };

export interface Progress {
  message: Pick<MessageRow, 'state'>;
  /** In message order. */
  executions: readonly ExecutionRow[];
  /** The agent stops: nothing starts any more. */
  isStopping: boolean;
  now: number;
}

/** The only decision on what starts when. The next instruction starts only after the edge has ended the one before it. */
export function nextStep({ message, executions, isStopping, now }: Progress): NextStep {
  if (message.state !== 'executing' || isStopping) return { type: 'wait' };
  const execution = executions.find((one) => phaseOf(one) !== 'ended');
  if (!execution) return { type: 'reply' };
  if (phaseOf(execution) !== 'ready') return { type: 'wait' };
  const isExpired = execution.claim_until !== null && execution.claim_until <= now;
  return { type: isExpired ? 'give_up' : 'execute', execution };
}
