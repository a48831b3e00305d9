/**
 * Where things are in the protobuf messages of claude.ai, as seen in October 2026. The interface is an alpha version and
 * its numbers may move, so each value that is read is also judged by its shape.
 */

/** A request of `PerformAction`. Of the numbers besides `header`, one is the action. */
export const ACTION = { header: 1, sendMessage: 2 } as const;
export const ACTION_HEADER = { conversationId: 2 } as const;
export const SEND = {
  messageId: 1,
  assistantMessageId: 2,
  text: 3,
  /** Absent in an ordinary send; present and empty for a new first message. */
  parentMessageId: 5,
  inputMode: 6,
  isTemporary: 10,
} as const;
export const INPUT_MODE_RETRY = 2;
/** The response to `PerformAction`; usually empty. */
export const ACTION_RESPONSE = { ack: 1 } as const;

/** One message of `StreamTimeline`. */
export const STREAM_RESPONSE = { event: 1 } as const;
export const EVENT = { update: 1, append: 2, error: 3, messageLimit: 4, mutationAck: 5 } as const;
/** Heartbeat, change of model, deletion, memory, notices, acceptance of an action, version, epoch. */
export const EVENTS_WITHOUT_USE: readonly number[] = [6, 8, 9, 10, 11, 12, 13, 14, 15];

export const UPDATE = {
  replaceAllState: 1,
  conversation: 2,
  messages: 3,
  displayGroups: 4,
  contentBlocks: 5,
  deletedMessageIds: 10,
  deletedDisplayGroupIds: 11,
  deletedContentBlockIds: 12,
  mutationAcks: 20,
} as const;
export const CONVERSATION = {
  id: 1,
  status: 3,
  currentLeafMessageId: 7,
  isTemporary: 12,
  statusErrorClass: 35,
  limitResetsAt: 61,
} as const;
export const MESSAGE = {
  id: 1,
  conversationId: 2,
  role: 3,
  index: 4,
  isComplete: 6,
  stopReason: 7,
  parentMessageId: 11,
  sendState: 17,
} as const;
export const GROUP = { id: 1, messageId: 2, index: 3, style: 4 } as const;
export const BLOCK = { id: 1, groupId: 2, index: 3, text: 9 } as const;
/** Content of tools and of thinking: a block that has one of these is no text of the answer. */
export const BLOCK_NOT_TEXT: readonly number[] = [13, 15, 21, 22, 25, 28, 31, 41, 45];
export const APPEND = { blockId: 1, textDelta: 2 } as const;
export const ACK = { applied: 2, error: 3 } as const;
export const ACK_ERROR = { error: 1, messageId: 2 } as const;
export const STREAM_ERROR = {
  type: 1,
  rateLimit: 5,
  overloaded: 6,
  invalidRequest: 7,
  authentication: 8,
} as const;
export const RATE_LIMIT = { retryAfterSeconds: 1 } as const;
export const INVALID_REQUEST = { code: 10 } as const;
export const LIMIT = { status: 1, resetsAt: 2, overageInUse: 5, representativeClaim: 9 } as const;
export const LIMIT_EXCEEDED = 3;
export const TIMESTAMP = { seconds: 1 } as const;

export const ID_PREFIX = { group: 'dgrp_', block: 'cblk_' } as const;
export const ROLES: Readonly<Record<number, 'user' | 'assistant' | 'other'>> = {
  1: 'user',
  2: 'assistant',
  3: 'other',
};
export const STYLE_UNSPECIFIED = 0;
/** Text of the answer. Style 2 is a timeline of thinking and tools. */
export const STYLE_INLINE = 1;
export const STYLE_TIMELINE = 2;
export const STATUSES: Readonly<Record<number, 'idle' | 'running' | 'waiting' | 'error'>> = {
  1: 'idle',
  2: 'running',
  3: 'waiting',
  4: 'idle',
  5: 'error',
  6: 'running',
};
/** Classes of a failure of the conversation that are limits of the account. */
export const LIMIT_CLASSES: readonly number[] = [1, 12, 13, 20];
export const SEND_STATE_NOT_SENT = 2;
export const STOP_REASONS: Readonly<Record<number, string>> = {
  1: 'end_turn',
  2: 'max_tokens',
  3: 'tool_use',
  4: 'refusal',
  5: 'stop_sequence',
  6: 'prompt_injection_risk',
  7: 'pause_turn',
  8: 'conversation_length_limit',
  9: 'model_context_window_exceeded',
  10: 'user_canceled',
  11: 'error',
  12: 'tool_use_limit',
  13: 'user_canceled_for_queued_message',
  14: 'answered_with_later_message',
  15: 'declined_to_reply',
};
