/**
 * A change of a conversation in one shape, whether it came as protobuf (`StreamTimeline`) or as JSON
 * (`ReadConversation`). Parts are null when the update does not say them: updates are partial and joined by id.
 */

export type Status = 'idle' | 'running' | 'waiting' | 'error';

export interface MessageChange {
  id: string;
  conversationId: string | null;
  role: 'user' | 'assistant' | 'other' | null;
  index: number | null;
  isComplete: boolean;
  stopReason: string | null;
  /** Empty for the first message of a conversation. */
  parentId: string | null;
  isNotSent: boolean;
}

export interface GroupChange {
  id: string;
  messageId: string;
  index: number;
  /** `hidden`: thinking, tools, and styles that are not known. */
  style: 'text' | 'hidden';
}

export interface BlockChange {
  id: string;
  groupId: string;
  index: number;
  /** Null: the update does not repeat the text. */
  text: string | null;
  /** It belongs to a tool or to thinking. */
  isHidden: boolean;
}

/** The site's word on an action of the page. */
export interface Ack {
  /** Why it was refused; null: it was applied. */
  refusal: string | null;
  messageId: string | null;
}

export interface ConversationUpdate {
  replacesAll: boolean;
  conversationId: string | null;
  leafId: string | null;
  status: Status | null;
  isTemporary: boolean | null;
  /** The conversation has failed because of a limit; when that ends, if the site says so. */
  limit: { resetsAt: number | null } | null;
  messages: MessageChange[];
  groups: GroupChange[];
  blocks: BlockChange[];
  deleted: string[];
  acks: Ack[];
}

/** An event of a timeline. */
export type TimelineEvent =
  | { type: 'update'; update: ConversationUpdate }
  | { type: 'append'; blockId: string; text: string }
  | { type: 'ack'; ack: Ack }
  | { type: 'error'; reason: string; retryAfterMs: number | null; kind: 'limit' | 'signed_out' | 'other' }
  | { type: 'limit'; resetsAt: number | null; reason: string };

const TOKEN = /^[a-z][a-z0-9_.-]{0,63}$/i;

/** A name that the site gives a reason or kind. Null for anything that could be text of a conversation. */
export function tokenOf(value: unknown): string | null {
  return typeof value === 'string' && TOKEN.test(value) ? value : null;
}
