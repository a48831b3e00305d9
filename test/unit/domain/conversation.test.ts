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
};
const changed = (...changes: ConversationChange[]) =>
  changes.reduce((state, change, n) => changeConversation(state, change, n + 1), fresh);

describe('the automation of a conversation', () => {
  it.each(['manual', 'auto'] as const)('resumes to %s when that is what the pause interrupted', (status) => {
    const paused = changed({ type: 'set', status }, { type: 'pause', reason: 'user_pause' });
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
