/** What a screen reader is to say when the view has changed. Pure. */
import type { SystemShown } from './describe-connection.ts';
import type { ConversationShown } from './describe-conversation.ts';
import type { Text } from './texts.ts';

export interface Heard {
  connection: Text;
  system: SystemShown;
  conversation: ConversationShown;
  approvals: number;
  /** What a person has to know, newest first. */
  attention: readonly Text[];
}

/** Each with a label that takes the text. Nothing is said at the start. */
export function announcements(before: Heard | null, after: Heard): { key: string; of: Text | null; count: number }[] {
  if (before === null) return [];
  const said: { key: string; of: Text | null; count: number }[] = [];
  if (before.connection.key !== after.connection.key) said.push({ key: after.connection.key, of: null, count: 0 });
  if (before.system.mode !== after.system.mode) said.push({ key: 'say_mode', of: after.system.label, count: 0 });
  const [old, now] = [before.conversation, after.conversation];
  const isSame = old.state === 'known' && now.state === 'known' && old.conversationId === now.conversationId;
  if (isSame && old.status !== now.status)
    said.push({ key: 'say_status', of: { key: `status_${now.status}` }, count: 0 });
  if (after.approvals > before.approvals) said.push({ key: 'say_approvals', of: null, count: after.approvals });
  const [newest] = after.attention;
  if (newest !== undefined && after.attention.length > before.attention.length)
    said.push({ ...newest, of: null, count: 0 });
  return said;
}
