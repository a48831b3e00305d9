import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AUTOMATION_STATUSES, PAUSE_REASONS } from '../../../schema/contracts/conversations.ts';
import type { ConversationChange, ConversationState } from '../../../schema/domain/conversation.ts';
import { changeConversation, countExecution, countRepeats, toChange } from '../../../schema/domain/conversation.ts';

const fresh: ConversationState = {
  automation_status: 'manual',
  last_non_paused_automation_status: 'manual',
  pause_reason: null,
  paused_at: null,
  execution_failures: 0,
  repeated_messages: 0,
  renewals_in_row: 0,
  renewals_without_effect: 0,
  repeated_renewals: 0,
  renewed_text_hash: null,
  renewals_day: null,
  renewals_that_day: 0,
  cooldown_until: null,
  cooldown_reason: null,
};
const changed = (...changes: ConversationChange[]) =>
  changes.reduce((state, change, n) => changeConversation(state, change, n + 1), fresh);

describe('the automation of a conversation', () => {
  it.each(['manual', 'auto'] as const)('resumes to %s when that is what the pause interrupted', (status) => {
    const paused = changed({ type: 'set', status, by: 'person' }, { type: 'pause', reason: 'user_pause' });
    expect(paused).toMatchObject({ automation_status: 'paused', pause_reason: 'user_pause', paused_at: 2 });
    expect(changeConversation(paused, { type: 'resume' }, 9)).toMatchObject({
      automation_status: status,
      pause_reason: null,
      paused_at: null,
    });
  });

  it('keeps the first reason of a pause', () => {
    const twice = changed({ type: 'pause', reason: 'execution_failure' }, { type: 'pause', reason: 'user_pause' });
    expect(twice).toMatchObject({ pause_reason: 'execution_failure', paused_at: 1 });
  });

  it('does not resume what is not paused', () => {
    expect(changeConversation(fresh, { type: 'resume' }, 1)).toBe(fresh);
  });

  it('is always whole: a reason and a time exactly while paused, and never paused to come back to', () => {
    const change = fc.oneof(
      fc.constant<ConversationChange>({ type: 'resume' }),
      fc.constantFrom(...PAUSE_REASONS).map((reason): ConversationChange => ({ type: 'pause', reason })),
      fc.constantFrom(...AUTOMATION_STATUSES).map((status) => toChange(status, 'ai_pause')),
    );
    fc.assert(
      fc.property(fc.array(change), (changes) => {
        const state = changed(...changes);
        const paused = state.automation_status === 'paused';
        expect(state.pause_reason !== null).toBe(paused);
        expect(state.paused_at !== null).toBe(paused);
        if (!paused) expect(state.last_non_paused_automation_status).toBe(state.automation_status);
      }),
    );
  });
});

describe('the circuit breaker', () => {
  it('pauses after three failures in a row, and success starts the count anew', () => {
    const outcomes = ['failed', 'failed', 'executed', 'failed', 'failed'] as const;
    const nearly = outcomes.reduce((state, outcome) => countExecution(state, outcome, 5), fresh);
    expect(nearly).toMatchObject({ automation_status: 'manual', execution_failures: 2 });
    expect(countExecution(nearly, 'failed', 6)).toMatchObject({
      automation_status: 'paused',
      pause_reason: 'execution_failure',
    });
  });

  it('pauses what has executed the same text three times', () => {
    expect(countRepeats(fresh, 2, 1).automation_status).toBe('manual');
    expect(countRepeats(fresh, 3, 1)).toMatchObject({ automation_status: 'paused', pause_reason: 'repeated_message' });
  });

  it('starts its counters anew when a pause is left', () => {
    const paused = countExecution({ ...fresh, execution_failures: 2 }, 'failed', 1);
    expect(changeConversation(paused, { type: 'resume' }, 2).execution_failures).toBe(0);
  });
});

describe('what was counted towards the limits', () => {
  const tired = { ...fresh, automation_status: 'auto', renewals_in_row: 7, renewals_without_effect: 4 } as const;

  it('begins anew when a person sets the automation, even to what it is', () => {
    const set = { type: 'set', status: 'auto', by: 'person' } as const;
    expect(changeConversation(tired, set, 1)).toMatchObject({ renewals_in_row: 0, renewals_without_effect: 0 });
    expect(changeConversation(fresh, { ...set, status: 'manual' }, 1)).toBe(fresh);
  });

  it('stays when a chat does', () => {
    expect(changeConversation(tired, toChange('auto', 'ai_pause'), 1)).toBe(tired);
    const paused = changeConversation(tired, toChange('paused', 'ai_pause'), 1);
    expect(changeConversation(paused, toChange('auto', 'ai_pause'), 2)).toMatchObject({
      automation_status: 'auto',
      renewals_in_row: 7,
      renewals_without_effect: 4,
    });
  });

  it('has its row broken by any message whose instructions ended, and sees an effect in one that succeeded', () => {
    expect(countExecution(tired, 'failed', 1)).toMatchObject({ renewals_in_row: 0, renewals_without_effect: 4 });
    expect(countExecution(tired, 'executed', 1)).toMatchObject({ renewals_in_row: 0, renewals_without_effect: 0 });
  });
});
