import fc from 'fast-check';
import { expect, it } from 'vitest';
import { AUTOMATION_STATUSES, PAUSE_REASONS } from '../../../schema/contracts/conversations.ts';
import type { ConversationChange } from '../../../schema/domain/conversation.ts';
import { changeConversation, newConversation, toChange } from '../../../schema/domain/conversation.ts';

const change = fc.oneof(
  fc.constant<ConversationChange>({ type: 'resume' }),
  fc.constantFrom(...PAUSE_REASONS).map((reason): ConversationChange => ({ type: 'pause', reason })),
  fc.constantFrom(...AUTOMATION_STATUSES).map((status) => toChange(status, 'ai_pause')),
);

it('a conversation has a reason and a time exactly while it is paused, and never a pause to resume to', () => {
  const identity = {
    local_conversation_id: 'lc_1',
    platform: 'claude',
    remote_conversation_id: 'r',
    title: null,
  } as const;
  fc.assert(
    fc.property(fc.array(change, { size: 'max', maxLength: 30 }), (changes) => {
      const state = changes.reduce(
        (before, one, n) => changeConversation(before, one, n + 1),
        newConversation(identity, 0),
      );
      const paused = state.automation_status === 'paused';
      expect(state.pause_reason !== null).toBe(paused);
      expect(state.paused_at !== null).toBe(paused);
      if (!paused) expect(state.last_non_paused_automation_status).toBe(state.automation_status);
    }),
  );
});
