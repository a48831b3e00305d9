import { describe, expect, it } from 'vitest';
import type { ConversationChange } from '../../../schema/domain/conversation.ts';
import {
  CONVERSATION_STATE,
  changeConversation,
  conversationEffects,
  countExecution,
  countRepeats,
  newConversation,
  toChange,
} from '../../../schema/domain/conversation.ts';

const fresh = newConversation(
  { local_conversation_id: 'lc_1', platform: 'claude', remote_conversation_id: 'r', title: null },
  0,
);
const changed = (...changes: ConversationChange[]) =>
  changes.reduce((state, change, n) => changeConversation(state, change, n + 1), fresh);

describe('the automation of a conversation', () => {
  it.each(['manual', 'auto'] as const)('resumes to %s when that was the status before the pause', (status) => {
    const paused = changed({ type: 'set', status, by: 'person' }, { type: 'pause', reason: 'user_pause' });
    expect(paused).toMatchObject({ automation_status: 'paused', pause_reason: 'user_pause', paused_at: 2 });
    expect(changeConversation(paused, { type: 'resume' }, 9)).toMatchObject({
      automation_status: status,
      pause_reason: null,
      paused_at: null,
    });
  });

  it('keeps the reason of the first of two pauses, unless a person pauses it too', () => {
    const twice = changed({ type: 'pause', reason: 'execution_failure' }, { type: 'pause', reason: 'ai_pause' });
    expect(twice).toMatchObject({ pause_reason: 'execution_failure', paused_at: 1 });
    expect(changeConversation(twice, { type: 'pause', reason: 'user_pause' }, 9)).toMatchObject({
      pause_reason: 'user_pause',
      paused_at: 1,
    });
  });

  it('does not change by a resume when it is not paused', () => {
    expect(changeConversation(fresh, { type: 'resume' }, 1)).toBe(fresh);
  });
});

describe('the circuit breaker', () => {
  it('pauses the conversation after three failures in a row; a success resets the count', () => {
    const outcomes = ['failed', 'failed', 'executed', 'failed', 'failed'] as const;
    const nearly = outcomes.reduce((state, outcome) => countExecution(state, outcome, 5), fresh);
    expect(nearly).toMatchObject({ automation_status: 'manual', execution_failures: 2 });
    expect(countExecution(nearly, 'failed', 6)).toMatchObject({
      automation_status: 'paused',
      pause_reason: 'execution_failure',
    });
  });

  it('pauses the conversation when the same text has executed three times', () => {
    expect(countRepeats(fresh, 2, 1).automation_status).toBe('manual');
    expect(countRepeats(fresh, 3, 1)).toMatchObject({ automation_status: 'paused', pause_reason: 'repeated_message' });
  });

  it('resets its counters when the conversation leaves a pause', () => {
    const paused = countExecution({ ...fresh, execution_failures: 2 }, 'failed', 1);
    expect(changeConversation(paused, { type: 'resume' }, 2).execution_failures).toBe(0);
  });
});

describe('the counters behind the limits', () => {
  const tired = { ...fresh, automation_status: 'auto', renewals_in_row: 7, renewals_without_effect: 4 } as const;

  it('are reset when a person sets the automation, also to the current status', () => {
    const set = { type: 'set', status: 'auto', by: 'person' } as const;
    expect(changeConversation(tired, set, 1)).toMatchObject({ renewals_in_row: 0, renewals_without_effect: 0 });
    expect(changeConversation(fresh, { ...set, status: 'manual' }, 1)).toEqual({ ...fresh, status_set_by: 'person' });
  });

  it('are kept when a chat sets the automation', () => {
    expect(changeConversation(tired, toChange('auto', 'ai_pause'), 1)).toBe(tired);
    const paused = changeConversation(tired, toChange('paused', 'ai_pause'), 1);
    expect(changeConversation(paused, toChange('auto', 'ai_pause'), 2)).toMatchObject({
      automation_status: 'auto',
      renewals_in_row: 7,
      renewals_without_effect: 4,
    });
  });

  it('count a broken row for each message whose instructions ended, and an effect for one that succeeded', () => {
    expect(countExecution(tired, 'failed', 1)).toMatchObject({ renewals_in_row: 0, renewals_without_effect: 4 });
    expect(countExecution(tired, 'executed', 1)).toMatchObject({ renewals_in_row: 0, renewals_without_effect: 0 });
  });
});

describe('the effects of a changed conversation', () => {
  const auto = { ...fresh, automation_status: 'auto', last_non_paused_automation_status: 'auto' } as const;

  it('a change of the automation is an event, and notifies the nodes that have it open', () => {
    const paused = changeConversation(auto, { type: 'pause', reason: 'no_progress' }, 1);
    expect(conversationEffects(auto, paused)).toEqual({
      events: [
        {
          topic: 'conversations',
          type: 'automation_changed',
          subject_id: 'lc_1',
          data: { automation_status: 'paused', pause_reason: 'no_progress' },
        },
      ],
      notifies_nodes: true,
      renews_now: false,
    });
  });

  it('setting auto renews at once; setting it again does so only when it resets a counter', () => {
    const set = { type: 'set', status: 'auto', by: 'person' } as const;
    expect(conversationEffects(fresh, changeConversation(fresh, set, 1)).renews_now).toBe(true);
    expect(conversationEffects(auto, { ...auto })).toMatchObject({ events: [], renews_now: false });
    const repeated = { ...auto, repeated_renewals: 3 };
    expect(conversationEffects(repeated, changeConversation(repeated, set, 1))).toMatchObject({
      events: [],
      notifies_nodes: false,
      renews_now: true,
    });
  });
});

it('the state of a conversation is everything that its changes and counters decide, and nothing else', () => {
  const others = Object.keys(fresh).filter((name) => !CONVERSATION_STATE.some((state) => state === name));
  expect(others.toSorted()).toEqual([
    'created_at',
    'forget_before',
    'forgotten',
    'forgotten_before',
    'last_message_at',
    'last_message_id',
    'local_conversation_id',
    'open_ask',
    'platform',
    'project_at',
    'remote_conversation_id',
    'texts_kept_days',
    'title',
    'updated_at',
  ]);
});
