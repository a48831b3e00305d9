/** What comes next of a message: pure. One instruction at a time, in message order. */

import type { SystemMode } from '../../schema/contracts/system.ts';
import { isControl, TOOLS } from '../../schema/contracts/tools.ts';
import { isOpenStatus } from '../../schema/domain/instruction-machine.ts';
import type { ExecutionRow } from './execution-store.ts';
import { toolNameOf } from './tool-name.ts';

/**
 * What this node knows about the edge now:
 * `open`: the channel is alive and the mode is known to be `running`, so the next host tool need not wait for the
 * response to the result before it; `confirm`: it waits for that response; `paused`: nothing ordinary starts;
 * `unknown`: no mode was ever reported, as after a start without contact, so nothing starts.
 */
export type StartGate = 'open' | 'confirm' | 'paused' | 'unknown';

export interface ModeView {
  seen: { mode: SystemMode } | null;
  /** False while the edge has named a newer version whose mode is not known yet. */
  isCurrent: boolean;
}

/** `isAlive`: the channel is ready and the edge was heard within two ping intervals. */
export function startGate({ seen, isCurrent }: ModeView, isAlive: boolean): StartGate {
  if (seen === null) return 'unknown';
  if (seen.mode === 'paused') return 'paused';
  return seen.mode === 'running' && isCurrent && isAlive ? 'open' : 'confirm';
}

export type NextStep =
  /** All have ended and the edge has their results: the reply is due. */
  | { type: 'reply' }
  /** A response of the edge, a running instruction or a person comes first. */
  | { type: 'wait' }
  /** The edge has to say what a pause made of the rest. */
  | { type: 'ask' }
  | { type: 'execute'; execution: ExecutionRow }
  /** The claim expired before the instruction started. */
  | { type: 'give_up'; execution: ExecutionRow };

export function nextStep(executions: readonly ExecutionRow[], gate: StartGate, now: number): NextStep {
  const pending = executions.filter((one) => isOpenStatus(one.status));
  const isUnconfirmed = pending.some((one) => one.result !== null);
  const execution = pending.find((one) => one.result === null);
  if (!execution) return { type: isUnconfirmed ? 'wait' : 'reply' };
  if (execution.status !== 'claimed' || execution.started_at !== null) return { type: 'wait' };
  if (gate === 'unknown') return { type: 'wait' };
  const name = toolNameOf(execution.name);
  if (gate === 'paused' && !(name !== null && isControl(name))) return { type: isUnconfirmed ? 'wait' : 'ask' };
  const runsHere = name !== null && TOOLS[name].where === 'host';
  if (isUnconfirmed && !(gate === 'open' && runsHere)) return { type: 'wait' };
  const isExpired = execution.claim_until !== null && execution.claim_until <= now;
  return { type: isExpired ? 'give_up' : 'execute', execution };
}
