/** How far an execution is, and what happens next with its message. One instruction at a time, in message order. Pure. */
import type { SystemMode } from '../../schema/contracts/system.ts';
import { findTool, isControl, TOOLS } from '../../schema/contracts/tools.ts';
import { isOpenStatus } from '../../schema/domain/instruction-machine.ts';
import { mustBeDescribed } from './ask-in-turn.ts';
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
  if (!isOpenStatus(status)) return 'ended';
  if (result !== null) return 'finished';
  if (started_at !== null) return 'started';
  return status === 'claimed' ? 'ready' : 'waiting';
}

/**
 * What this node knows about the edge now:
 * `open`: the channel is alive and the mode is known to be `running`, so the next host tool need not wait for the
 * response to the result before it; `confirm`: it waits for that response, and asks when the last one is not recent;
 * `paused`: nothing ordinary starts;
 * `unknown`: no mode was ever reported, as after a start without contact, so nothing starts.
 */
export type StartGate = 'open' | 'confirm' | 'paused' | 'unknown';

export interface ModeView {
  seen: { mode: SystemMode } | null;
  /** False while the edge has named a newer version whose mode is not known yet. */
  isCurrent: boolean;
}

/** `isAlive`: the channel is ready and the edge was heard recently. */
export function startGate({ seen, isCurrent }: ModeView, isAlive: boolean): StartGate {
  if (seen === null) return 'unknown';
  if (seen.mode === 'paused') return 'paused';
  return seen.mode === 'running' && isCurrent && isAlive ? 'open' : 'confirm';
}

export type NextStep =
  /** All instructions have ended and the edge has their results: the reply is due. */
  | { type: 'reply' }
  /** What a person is asked has to be described, as its turn has come. */
  | { type: 'describe'; execution: ExecutionRow }
  /** Nothing until the edge responds, a person decides or an effect ends. */
  | { type: 'wait' }
  /** The edge has to say what a pause, or a time without contact, made of the rest. */
  | { type: 'ask' }
  | { type: 'execute'; execution: ExecutionRow }
  /** The claim has expired before the instruction started. */
  | { type: 'give_up'; execution: ExecutionRow };

export interface MessageProgress {
  message: Pick<MessageRow, 'state' | 'progress_pending'>;
  /** In message order. */
  executions: readonly ExecutionRow[];
  gate: StartGate;
  /** Whether the edge has named the statuses of this message recently. */
  isConfirmed: boolean;
  /** The agent stops: nothing starts any more. */
  isStopping: boolean;
  now: number;
}

/** The only decision on what starts when. */
export function nextStep({ message, executions, gate, isConfirmed, isStopping, now }: MessageProgress): NextStep {
  if (message.state !== 'executing' || isStopping) return { type: 'wait' };
  const phases = executions.map((execution) => ({ execution, phase: phaseOf(execution) }));
  const isUnconfirmed = phases.some(({ phase }) => phase === 'finished');
  const next = phases.find(({ phase }) => phase !== 'ended' && phase !== 'finished');
  if (!next) return { type: isUnconfirmed ? 'wait' : 'reply' };
  const { execution, phase } = next;
  // The description is a progress request, of which there is one at a time.
  if (mustBeDescribed(execution)) {
    return isUnconfirmed || message.progress_pending ? { type: 'wait' } : { type: 'describe', execution };
  }
  if (phase !== 'ready' || gate === 'unknown') return { type: 'wait' };
  const name = findTool(execution.name);
  const mustAsk = gate === 'paused' || (gate === 'confirm' && !isConfirmed);
  if (mustAsk && !(name !== null && isControl(name))) return { type: isUnconfirmed ? 'wait' : 'ask' };
  const runsHere = name !== null && TOOLS[name].where === 'host';
  if (isUnconfirmed && !(gate === 'open' && runsHere)) return { type: 'wait' };
  const isExpired = execution.claim_until !== null && execution.claim_until <= now;
  return { type: isExpired ? 'give_up' : 'execute', execution };
}
