/**
 * The automation of a conversation: `manual`, `auto`, or `paused` with a reason. Page, API, instruction and circuit
 * breaker all go through `changeConversation`. A pause remembers the status before it, and `resume` restores that; a
 * second pause keeps the first reason, except that a person's pause replaces it. Leaving a pause, or setting `auto`,
 * resets the breaker. The counters of renewal are reset only by a person, not by a chat.
 *
 * What a person has stopped, a chat starts again only with a person's approval (`needsPerson`).
 */
import type { Platform } from '../contracts/common.ts';
import type { AutomationStatus, PauseReason, StatusSetter } from '../contracts/conversations.ts';
import type { EventDraft } from '../contracts/events.ts';
import type { Forgotten } from '../contracts/forget.ts';
import { CONVERSATION_BREAKER } from '../defaults.ts';
import type { RenewalCounters } from './renewal-limits.ts';
import { countEffect, NEW_COUNTERS, resetCounters } from './renewal-limits.ts';
import { stateMachine } from './state-machine.ts';

export const AUTOMATION_TRANSITIONS = {
  manual: ['auto', 'paused'],
  auto: ['manual', 'paused'],
  paused: ['manual', 'auto'],
} as const satisfies Record<AutomationStatus, readonly AutomationStatus[]>;

const machine = stateMachine<AutomationStatus>('conversation', AUTOMATION_TRANSITIONS);

/** What `changeConversation` and the counters decide. */
export interface ConversationState extends RenewalCounters {
  automation_status: AutomationStatus;
  last_non_paused_automation_status: 'manual' | 'auto';
  /** Who set the last status that was no pause; null for one that was never set. */
  status_set_by: StatusSetter | null;
  pause_reason: PauseReason | null;
  paused_at: number | null;
  execution_failures: number;
  repeated_messages: number;
}

const NEW_STATE: ConversationState = {
  automation_status: 'manual',
  last_non_paused_automation_status: 'manual',
  status_set_by: null,
  pause_reason: null,
  paused_at: null,
  execution_failures: 0,
  repeated_messages: 0,
  ...NEW_COUNTERS,
};
/** The columns of that state: what is stored after a decision, and must still be as read when it is stored. */
export const CONVERSATION_STATE = Object.keys(NEW_STATE) as (keyof ConversationState)[];

/** A conversation as it is stored: its state, and what is known of it besides. */
export interface StoredConversation extends ConversationState {
  local_conversation_id: string;
  platform: Platform;
  remote_conversation_id: string;
  title: string | null;
  last_message_id: string | null;
  last_message_at: number | null;
  project_at: number | null;
  open_ask: string | null;
  forget_before: number | null;
  texts_kept_days: number | null;
  forgotten_before: number | null;
  forgotten: Forgotten | null;
  created_at: number;
  updated_at: number;
}

type ConversationIdentity = Pick<
  StoredConversation,
  'local_conversation_id' | 'platform' | 'remote_conversation_id' | 'title'
>;

/** A conversation that is seen for the first time; `now` in Unix milliseconds. */
export function newConversation(identity: ConversationIdentity, now: number): StoredConversation {
  return {
    ...identity,
    ...NEW_STATE,
    last_message_id: null,
    last_message_at: null,
    project_at: null,
    open_ask: null,
    forget_before: null,
    texts_kept_days: null,
    forgotten_before: null,
    forgotten: null,
    created_at: now,
    updated_at: now,
  };
}

export type ConversationChange =
  | { type: 'set'; status: 'manual' | 'auto'; by: StatusSetter }
  | { type: 'pause'; reason: PauseReason }
  /** Only a person's. */
  | { type: 'resume' };

/** The state after that change, the same object when nothing changes; `now` in Unix milliseconds. */
export function changeConversation<S extends ConversationState>(state: S, change: ConversationChange, now: number): S {
  switch (change.type) {
    case 'set':
      return setStatus(change.by === 'person' ? resetCounters(state) : state, change.status, change.by);
    case 'resume':
      return state.automation_status === 'paused'
        ? activate(resetCounters(state), state.last_non_paused_automation_status)
        : state;
    case 'pause':
      return pause(state, change.reason, now);
    default:
      return change satisfies never;
  }
}

function setStatus<S extends ConversationState>(state: S, status: 'manual' | 'auto', by: StatusSetter): S {
  const next = state.automation_status === status ? state : activate(state, status);
  // A chat that sets again what is set does not become the one who set it.
  const isSet = next === state || state.last_non_paused_automation_status === status;
  const setter = by === 'chat' && isSet ? state.status_set_by : by;
  return next.status_set_by === setter ? next : { ...next, status_set_by: setter };
}

function activate<S extends ConversationState>(state: S, status: 'manual' | 'auto'): S {
  return {
    ...state,
    automation_status: machine.move(state.automation_status, status),
    last_non_paused_automation_status: status,
    pause_reason: null,
    paused_at: null,
    execution_failures: 0,
    repeated_messages: 0,
  };
}

function pause<S extends ConversationState>(state: S, reason: PauseReason, now: number): S {
  if (state.automation_status === 'paused') {
    return reason === PERSONS_PAUSE && state.pause_reason !== reason ? { ...state, pause_reason: reason } : state;
  }
  const automation_status = machine.move(state.automation_status, 'paused');
  return { ...state, automation_status, pause_reason: reason, paused_at: now };
}

const PERSONS_PAUSE: PauseReason = 'user_pause';

/**
 * Whether only a person may change the status to `to`: the end of a person's pause, and `auto` where a person has set
 * `manual`. A status that was never set may be set by the chat itself.
 */
export function needsPerson(
  state: Pick<ConversationState, 'pause_reason' | 'last_non_paused_automation_status' | 'status_set_by'>,
  to: AutomationStatus,
): boolean {
  if (to === 'paused') return false;
  if (state.pause_reason === PERSONS_PAUSE) return true;
  return to === 'auto' && state.last_non_paused_automation_status === 'manual' && state.status_set_by === 'person';
}

/** What storing `next` in place of `read` means for others. */
export interface ConversationEffects {
  events: EventDraft[];
  /** The nodes that have the conversation open have to read it again. */
  notifies_nodes: boolean;
  /** Its newest message and its waiting jobs are due now. */
  renews_now: boolean;
}

export function conversationEffects(
  read: ConversationState,
  next: ConversationState & Pick<StoredConversation, 'local_conversation_id'>,
): ConversationEffects {
  const { automation_status, pause_reason, local_conversation_id: subject_id } = next;
  const isChanged = automation_status !== read.automation_status;
  // A person who sets `auto` again resets the counters that held the renewal back.
  const isReset = read.repeated_renewals > 0 && next.repeated_renewals === 0;
  const data = { automation_status, pause_reason };
  return {
    events: isChanged ? [{ topic: 'conversations', type: 'automation_changed', subject_id, data }] : [],
    notifies_nodes: isChanged,
    renews_now: (isChanged || isReset) && automation_status === 'auto',
  };
}

/** The change that a chat asks for by naming a status. */
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

/**
 * A message had blocks and none of them could be read. After as many failures in a row as pause the conversation, the next
 * one does, and gets no reply.
 */
export function countUnreadable<S extends ConversationState>(state: S, now: number): S {
  if (state.automation_status === 'paused') return state;
  return state.execution_failures >= CONVERSATION_BREAKER.execution_failure
    ? changeConversation(state, { type: 'pause', reason: 'execution_failure' }, now)
    : { ...state, execution_failures: state.execution_failures + 1 };
}

/** A new message has the text of `executedBefore` executed ones; too many of them pause the conversation. */
export function countRepeats<S extends ConversationState>(state: S, executedBefore: number, now: number): S {
  const counted = executedBefore === state.repeated_messages ? state : { ...state, repeated_messages: executedBefore };
  return executedBefore >= CONVERSATION_BREAKER.repeated_message
    ? changeConversation(counted, { type: 'pause', reason: 'repeated_message' }, now)
    : counted;
}
