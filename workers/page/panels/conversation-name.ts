import { PLATFORMS } from '../../../schema/contracts/common.ts';
import type { Conversation } from '../../../schema/contracts/conversations.ts';
import { makeVisibleLine } from '../../../schema/domain/visible.ts';

/** The title of the chat, or what the site calls it. */
export function conversationName({
  title,
  remote_conversation_id,
}: Pick<Conversation, 'title' | 'remote_conversation_id'>): string {
  return makeVisibleLine(title === null || title.trim() === '' ? remote_conversation_id : title);
}

/** Where the chat is on its site. */
export function chatAddress({
  platform,
  remote_conversation_id,
}: Pick<Conversation, 'platform' | 'remote_conversation_id'>): string {
  return PLATFORMS[platform].conversation_url + encodeURIComponent(remote_conversation_id);
}
