/**
 * The automation of a conversation: `manual`, `auto`, or `paused` with a reason. Page, API, instruction and circuit
 * breaker all go through `changeConversation`. A pause remembers what it interrupted, and `resume` restores that;
 * a pause on top of a pause keeps the first reason. Leaving a pause, or setting `auto`, starts the counters anew.
 */
import type { AutomationStatus, PauseReason } from '../contracts/conversations.ts';
import { CONVERSATION_BREAKER } from '../defaults.ts';

export interface ConversationState {
  automation_status: AutomationStatus;
  last_non_paused_automation_status: 'manual' | 'auto';
  pause_reason: PauseReason | null;
  paused_at: number | null;
  execution_failures: number;
  repeated_messages: number;
}

export type ConversationChange =
  | { type: 'set'; status: 'manual' | 'auto' }
  | { type: 'pause'; reason: PauseReason }
  | { type: 'resume' };

/** The state after that change, the same object when nothing changes; `now` in Unix milliseconds. */
export function changeConversation<S extends ConversationState>(state: S, change: ConversationChange, now: number): S {
  switch (change.type) {
    case 'set':
      return state.automation_status === change.status ? state : active(state, change.status);
    case 'resume':
      return state.automation_status === 'paused' ? active(state, state.last_non_paused_automation_status) : state;
    case 'pause':
      return state.automation_status === 'paused'
        ? state
        : { ...state, automation_status: 'paused', pause_reason: change.reason, paused_at: now };
    default:
      return change satisfies never;
  }
}

function active<S extends ConversationState>(state: S, status: 'manual' | 'auto'): S {
  return {
    ...state,
    automation_status: status,
    last_non_paused_automation_status: status,
    pause_reason: null,
    paused_at: null,
    execution_failures: 0,
    repeated_messages: 0,
  };
}

/** What a wanted status, as a person or a chat names it, means as a change. */
export function toChange(status: AutomationStatus, reason: PauseReason): ConversationChange {
  return status === 'paused' ? { type: 'pause', reason } : { type: 'set', status };
}

/** A message has ended: failures in a row are counted, and too many pause the conversation. */
export function countExecution<S extends ConversationState>(state: S, outcome: 'executed' | 'failed', now: number): S {
  const execution_failures = outcome === 'failed' ? state.execution_failures + 1 : 0;
  const counted = execution_failures === state.execution_failures ? state : { ...state, execution_failures };
  return execution_failures >= CONVERSATION_BREAKER.execution_failure
    ? changeConversation(counted, { type: 'pause', reason: 'execution_failure' }, now)
    : counted;
}

/** A new message has the text of `executedBefore` executed ones; too many of them pause the conversation. */
export function countRepeats<S extends ConversationState>(state: S, executedBefore: number, now: number): S {
  const counted = executedBefore === state.repeated_messages ? state : { ...state, repeated_messages: executedBefore };
  return executedBefore >= CONVERSATION_BREAKER.repeated_message
    ? changeConversation(counted, { type: 'pause', reason: 'repeated_message' }, now)
    : counted;
}
