/** `conductor::conversation/mode`: a chat sets the automation of its own conversation. */
import { changeConversation, needsPerson, toChange } from '../../../schema/domain/conversation.ts';
import type { EdgeToolHandler } from './tool.ts';

export const conversationMode: EdgeToolHandler<'conductor::conversation/mode'> = async ({ mode }, context) => {
  // Decided at ingest too; a person may have stopped the conversation since.
  if (needsPerson(context.conversation, mode) && !context.approved) {
    const output =
      'a person has stopped this conversation since this was claimed; write it again, and it asks a person';
    return { output, denied: 'held_by_a_person' };
  }
  const next = changeConversation(context.conversation, toChange(mode, 'ai_pause'), context.now);
  const { automation_status, pause_reason } = next;
  const reason = pause_reason === null ? '' : ` (${pause_reason})`;
  return { output: `this conversation is ${automation_status}${reason}`, conversation: next };
};
