/** Streams of the outbox. Rows of one stream reach the edge in the order in which they were appended. */
import type { CallSource } from '../../schema/contracts/common.ts';

/** For what concerns this node and no conversation: its browsers, results of commands. */
export const NODE_STREAM = 'node';

/** For everything that concerns one conversation, or one call through MCP. */
export function conversationStream(conversation: { platform: CallSource; remote_conversation_id: string }): string {
  return `conv:${conversation.platform}:${conversation.remote_conversation_id}`;
}

/** For what a node reports of one run. */
export function runStream(runId: string): string {
  return `run:${runId}`;
}
