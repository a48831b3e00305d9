/** The status of a command to a node: which may follow which (drawn in docs/state-machines.md). */
import type { CommandState } from '../contracts/commands.ts';
import { stateMachine } from './state-machine.ts';

export const COMMAND_TRANSITIONS = {
  pending: ['received', 'refused', 'done', 'expired'],
  received: ['done', 'expired'],
  /** A result that comes after the expiry is still taken. */
  expired: ['done'],
  refused: [],
  done: [],
} as const satisfies Record<CommandState, readonly CommandState[]>;

const machine = stateMachine<CommandState>('command', COMMAND_TRANSITIONS);
/** The statuses that an update to `to` may start from. */
export const commandSourcesOf = machine.sourcesOf;
