/** Messages of the Connect interface of claude.ai by name, with the field numbers that were seen on the live site. */
import type { Fields } from './protobuf.ts';
import { protobuf } from './protobuf.ts';

export const STATUS = { idle: 1, running: 2, waiting: 3, error: 5 } as const;
export const ROLE = { human: 1, assistant: 2 } as const;
export const STYLE = { inline: 1, timeline: 2 } as const;
export const STOP = { end_turn: 1, max_tokens: 2, refusal: 4, user_canceled: 10 } as const;

export interface WireMessage {
  id: string;
  conversationId?: string;
  role?: number;
  index?: number;
  isComplete?: boolean;
  stopReason?: number;
  parentId?: string;
  sendState?: number;
}
export interface WireGroup {
  id: string;
  messageId: string;
  index?: number;
  style?: number;
}
export interface WireBlock {
  id: string;
  groupId: string;
  index?: number;
  text?: string;
  /** The name that a tool has in the page. */
  tool?: string;
}
export interface WireAck {
  sessionId?: string;
  version?: number;
  applied?: boolean;
  refusal?: { type: string; code?: string; messageId?: string };
}
export interface WireUpdate {
  replaceAll?: boolean;
  conversation?: {
    id: string;
    status?: number;
    leaf?: string;
    isTemporary?: boolean;
    errorClass?: number;
    resetsAt?: number;
  };
  messages?: WireMessage[];
  groups?: WireGroup[];
  blocks?: WireBlock[];
  deletedMessages?: string[];
  acks?: WireAck[];
}

const event = (fields: Fields): Uint8Array<ArrayBuffer> => protobuf({ 1: fields });

export function update(change: WireUpdate): Uint8Array<ArrayBuffer> {
  return event({ 1: updateFields(change) });
}

function updateFields({ conversation, ...change }: WireUpdate): Fields {
  return {
    1: change.replaceAll,
    2: conversation && {
      1: conversation.id,
      2: 'A title',
      3: conversation.status,
      6: { 2: 'claude-x' },
      7: conversation.leaf,
      12: conversation.isTemporary,
      35: conversation.errorClass,
      61: conversation.resetsAt === undefined ? undefined : { 1: conversation.resetsAt },
    },
    3: change.messages?.map((one) => ({
      1: one.id,
      2: one.conversationId,
      3: one.role,
      4: one.index,
      6: one.isComplete,
      7: one.stopReason,
      9: { 1: 1_795_600_000 },
      11: one.parentId,
      17: one.sendState,
    })),
    4: change.groups?.map((one) => ({ 1: one.id, 2: one.messageId, 3: one.index, 4: one.style ?? STYLE.inline })),
    5: change.blocks?.map((one) => ({ 1: one.id, 2: one.groupId, 3: one.index, 9: one.text, 15: one.tool })),
    10: change.deletedMessages,
    20: change.acks?.map(ackFields),
  };
}

function ackFields({ sessionId = 'sess_x', version = 1, applied, refusal }: WireAck): Fields {
  return {
    1: { 1: sessionId, 2: version },
    2: applied,
    3: refusal && {
      1: {
        1: refusal.type,
        2: 'The words for a person',
        7: refusal.code === undefined ? undefined : { 10: refusal.code },
      },
      2: refusal.messageId,
      3: 'send_message',
    },
  };
}

export const append = (blockId: string, text: string): Uint8Array<ArrayBuffer> => event({ 2: { 1: blockId, 2: text } });
/** A summary of thinking, which is appended to a block as text is. */
export const appendSummary = (blockId: string, summary: string): Uint8Array<ArrayBuffer> =>
  event({ 2: { 1: blockId, 6: { 1: summary } } });
export const heartbeat = (): Uint8Array<ArrayBuffer> => event({ 6: {}, 10: { 1: '42' } });
export const ack = (one: WireAck): Uint8Array<ArrayBuffer> => event({ 5: ackFields(one) });
export const limit = (status: number, resetsAtSeconds?: number, isOverage?: boolean): Uint8Array<ArrayBuffer> =>
  event({
    4: {
      1: status,
      2: resetsAtSeconds === undefined ? undefined : { 1: resetsAtSeconds },
      5: isOverage,
      9: 'five_hour',
    },
  });
export const rateLimit = (retryAfterSeconds: number): Uint8Array<ArrayBuffer> =>
  event({ 3: { 1: 'rate_limit_error', 2: 'Words', 4: true, 5: { 1: retryAfterSeconds } } });
export const overloaded = (): Uint8Array<ArrayBuffer> => event({ 3: { 1: 'overloaded_error', 2: 'Words', 6: {} } });
export const unknownEvent = (field: number): Uint8Array<ArrayBuffer> => event({ [field]: { 1: 'something new' } });

export interface WireSend {
  conversationId: string;
  messageId?: string;
  assistantMessageId: string;
  text?: string;
  parentId?: string;
  isRetry?: boolean;
  isTemporary?: boolean;
  sessionId?: string;
  version?: number;
}

/** A request of `PerformAction` that sends. */
export function sendAction(send: WireSend): Uint8Array<ArrayBuffer> {
  return protobuf({
    1: actionHeader(send),
    2: {
      1: send.messageId,
      2: send.assistantMessageId,
      3: send.text,
      5: send.parentId,
      6: send.isRetry ? 2 : 1,
      10: send.isTemporary,
      12: 'Etc/UTC',
      13: 'en-US',
    },
  });
}

/** A request of `PerformAction` with another action: 3 stops, 15 warms up, 9 changes settings, 23 chooses a branch. */
export function otherAction(field: number, conversationId: string, fields: Fields = {}): Uint8Array<ArrayBuffer> {
  return protobuf({ 1: actionHeader({ conversationId }), [field]: fields });
}

function actionHeader({ conversationId, sessionId = 'sess_x', version = 1 }: Partial<WireSend>): Fields {
  return { 1: { 1: sessionId, 2: version }, 2: conversationId, 14: 'en-US' };
}
