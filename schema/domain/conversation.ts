/**
 * The automation of a conversation: `manual`, `auto`, or `paused` with a reason. Page, API, instruction and circuit
 * breaker all go through `changeConversation`. A pause remembers what it interrupted, and `resume` restores that;
 * a pause on top of a pause keeps the first reason. Leaving a pause, or setting `auto`, starts the breaker anew; what
 * was counted towards the limits of renewal begins anew only when a person does so, not when a chat asks for it.
 */
import type { AutomationStatus, PauseReason } from '../contracts/conversations.ts';
import { CONVERSATION_BREAKER } from '../defaults.ts';
import type { RenewalCounters } from './renewal-limits.ts';
import { countEffect, freshCounters } from './renewal-limits.ts';

export interface ConversationState extends RenewalCounters {
  automation_status: AutomationStatus;
  last_non_paused_automation_status: 'manual' | 'auto';
  pause_reason: PauseReason | null;
  paused_at: number | null;
  execution_failures: number;
  repeated_messages: number;
}

export type ConversationChange =
  | { type: 'set'; status: 'manual' | 'auto'; by: 'person' | 'chat' }
  | { type: 'pause'; reason: PauseReason }
  /** Only a person's. */
  | { type: 'resume' };

/** The state after that change, the same object when nothing changes; `now` in Unix milliseconds. */
export function changeConversation<S extends ConversationState>(state: S, change: ConversationChange, now: number): S {
  switch (change.type) {
    case 'set':
      return set(change.by === 'person' ? freshCounters(state) : state, change.status);
    case 'resume':
      return state.automation_status === 'paused'
        ? active(freshCounters(state), state.last_non_paused_automation_status)
        : state;
    case 'pause':
      return state.automation_status === 'paused'
        ? state
        : { ...state, automation_status: 'paused', pause_reason: change.reason, paused_at: now };
    default:
      return change satisfies never;
  }
}

function set<S extends ConversationState>(state: S, status: 'manual' | 'auto'): S {
  return state.automation_status === status ? state : active(state, status);
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

/** What a status that a chat wants for itself means as a change. */
export function toChange(status: AutomationStatus, reason: PauseReason): ConversationChange {
  return status === 'paused' ? { type: 'pause', reason } : { type: 'set', status, by: 'chat' };
}

/** A message has ended: failures in a row are counted, and too many pause the conversation; a success is an effect. */
export function countExecution<S extends ConversationState>(state: S, outcome: 'executed' | 'failed', now: number): S {
  const execution_failures = outcome === 'failed' ? state.execution_failures + 1 : 0;
  const effect = countEffect(state, outcome);
  const counted = execution_failures === effect.execution_failures ? effect : { ...effect, execution_failures };
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
