/** `conductor::conversation/mode`: a chat sets the automation of its own conversation. */
import { changeConversation, toChange } from '../../../schema/domain/conversation.ts';
import type { EdgeToolHandler } from './tool.ts';

export const conversationMode: EdgeToolHandler<'conductor::conversation/mode'> = async ({ mode }, context) => {
  const next = changeConversation(context.conversation, toChange(mode, 'ai_pause'), context.now);
  const { automation_status, pause_reason } = next;
  const reason = pause_reason === null ? '' : ` (${pause_reason})`;
  return { output: `this conversation is ${automation_status}${reason}`, conversation: next };
};
