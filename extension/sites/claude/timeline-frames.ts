/** Reads one message of `StreamTimeline`. What does not have the known shape is left out and named in `drift`. */
import type {
  Ack,
  BlockChange,
  ConversationUpdate,
  GroupChange,
  MessageChange,
  TimelineEvent,
} from './conversation-update.ts';
import { tokenOf } from './conversation-update.ts';
import { isUuid } from './endpoints.ts';
import * as at from './positions.ts';
import type { ProtoMessage } from './protobuf.ts';

type Report = (what: string) => void;

/** The events of one payload; usually one. */
export function readFrame(response: ProtoMessage, report: Report): TimelineEvent[] {
  const event = response.message(at.STREAM_RESPONSE.event);
  if (!event) {
    if (response.numbers.length > 0) report('frame');
    return [];
  }
  const known: readonly number[] = [...Object.values(at.EVENT), ...at.EVENTS_WITHOUT_USE];
  for (const number of event.numbers) if (!known.includes(number)) report(`event:${number}`);
  const read = [
    eventOf(event, at.EVENT.update, (update) => ({ type: 'update', update: readUpdate(update, report) }), report),
    eventOf(event, at.EVENT.append, readAppend, report),
    eventOf(event, at.EVENT.error, readError, report),
    eventOf(event, at.EVENT.messageLimit, readLimit, report),
    eventOf(event, at.EVENT.mutationAck, (ack) => asAck(readAck(ack)), report),
  ];
  return read.filter((one) => one !== null);
}

/** `read` gives null for a shape that is not known, and `ignored` for one that is of no use. */
function eventOf(
  event: ProtoMessage,
  field: number,
  read: (message: ProtoMessage) => TimelineEvent | 'ignored' | null,
  report: Report,
): TimelineEvent | null {
  if (!event.has(field)) return null;
  const message = event.message(field);
  const result = message && read(message);
  if (!result) report(`event:${field}`);
  return result === 'ignored' ? null : result;
}

/** Reads a `ConversationUpdate`; `ReadConversation` has one too. */
export function readUpdate(update: ProtoMessage, report: Report): ConversationUpdate {
  const conversation = update.message(at.UPDATE.conversation);
  const id = conversation?.text(at.CONVERSATION.id);
  if (conversation && !isUuid(id)) report('conversation');
  const leafId = conversation?.text(at.CONVERSATION.currentLeafMessageId);
  const status = conversation?.number(at.CONVERSATION.status) ?? null;
  return {
    replacesAll: update.number(at.UPDATE.replaceAllState) === 1,
    conversationId: isUuid(id) ? id : null,
    leafId: isUuid(leafId) ? leafId : null,
    status: status === null ? null : (at.STATUSES[status] ?? unknown(report, `status:${status}`)),
    isTemporary: conversation ? conversation.number(at.CONVERSATION.isTemporary) === 1 : null,
    limit: conversation ? limitOf(conversation) : null,
    messages: listOf(update, at.UPDATE.messages, (one) => readMessage(one, report), report),
    groups: listOf(update, at.UPDATE.displayGroups, (one) => readGroup(one, report), report),
    blocks: listOf(update, at.UPDATE.contentBlocks, readBlock, report),
    deleted: [
      ...update.texts(at.UPDATE.deletedMessageIds),
      ...update.texts(at.UPDATE.deletedDisplayGroupIds),
      ...update.texts(at.UPDATE.deletedContentBlockIds),
    ].filter((one) => one !== null),
    acks: listOf(update, at.UPDATE.mutationAcks, readAck, report).filter((ack) => ack !== 'ignored'),
  };
}

function listOf<T>(
  update: ProtoMessage,
  field: number,
  read: (message: ProtoMessage) => T | null,
  report: Report,
): T[] {
  const items: T[] = [];
  for (const message of update.messages(field)) {
    const item = message && read(message);
    if (item === null) report(`update:${field}`);
    else items.push(item);
  }
  return items;
}

function unknown(report: Report, what: string): null {
  report(what);
  return null;
}

function limitOf(conversation: ProtoMessage): ConversationUpdate['limit'] {
  const isLimit = at.LIMIT_CLASSES.includes(conversation.number(at.CONVERSATION.statusErrorClass) ?? 0);
  return isLimit ? { resetsAt: timeOf(conversation.message(at.CONVERSATION.limitResetsAt)) } : null;
}

function timeOf(timestamp: ProtoMessage | null): number | null {
  const seconds = timestamp?.number(at.TIMESTAMP.seconds) ?? 0;
  return seconds > 0 ? seconds * 1000 : null;
}

function readMessage(message: ProtoMessage, report: Report): MessageChange | null {
  const id = message.text(at.MESSAGE.id);
  if (!isUuid(id)) return null;
  const conversationId = message.text(at.MESSAGE.conversationId);
  const role = message.number(at.MESSAGE.role);
  const stopReason = message.number(at.MESSAGE.stopReason) ?? 0;
  const parentId = message.text(at.MESSAGE.parentMessageId);
  if (parentId !== null && parentId !== '' && !isUuid(parentId)) return null;
  return {
    id,
    conversationId: isUuid(conversationId) ? conversationId : null,
    role: role === null ? null : (at.ROLES[role] ?? unknown(report, `role:${role}`)),
    index: message.number(at.MESSAGE.index),
    isComplete: message.number(at.MESSAGE.isComplete) === 1,
    stopReason:
      stopReason === 0
        ? null
        : (at.STOP_REASONS[stopReason] ?? unknown(report, `stop_reason:${stopReason}`) ?? 'unknown'),
    parentId,
    isNotSent: message.number(at.MESSAGE.sendState) === at.SEND_STATE_NOT_SENT,
  };
}

function readGroup(group: ProtoMessage, report: Report): GroupChange | null {
  const id = group.text(at.GROUP.id);
  const messageId = group.text(at.GROUP.messageId);
  if (!id?.startsWith(at.ID_PREFIX.group) || !isUuid(messageId)) return null;
  const style = group.number(at.GROUP.style) ?? at.STYLE_UNSPECIFIED;
  if (style > at.STYLE_TIMELINE) report(`group_style:${style}`);
  const isText = style === at.STYLE_INLINE || style === at.STYLE_UNSPECIFIED;
  return { id, messageId, index: group.number(at.GROUP.index) ?? 0, style: isText ? 'text' : 'hidden' };
}

function readBlock(block: ProtoMessage): BlockChange | null {
  const id = block.text(at.BLOCK.id);
  const groupId = block.text(at.BLOCK.groupId);
  if (!id?.startsWith(at.ID_PREFIX.block) || !groupId?.startsWith(at.ID_PREFIX.group)) return null;
  const text = block.text(at.BLOCK.text);
  if (text === null && block.has(at.BLOCK.text)) return null;
  const isHidden = at.BLOCK_NOT_TEXT.some((field) => block.has(field));
  return { id, groupId, index: block.number(at.BLOCK.index) ?? 0, text, isHidden };
}

/** An append of anything but text, such as a citation or a summary of thinking, is of no use. */
function readAppend(append: ProtoMessage): TimelineEvent | 'ignored' | null {
  const blockId = append.text(at.APPEND.blockId);
  if (!blockId?.startsWith(at.ID_PREFIX.block)) return null;
  if (!append.has(at.APPEND.textDelta)) return 'ignored';
  const text = append.text(at.APPEND.textDelta);
  return text === null ? null : { type: 'append', blockId, text };
}

/** Reads the site's word on an action. `ignored`: it says neither that it was applied nor that it was refused. */
export function readAck(ack: ProtoMessage): Ack | 'ignored' | null {
  if (!ack.has(at.ACK.error)) {
    return ack.number(at.ACK.applied) === 1 ? { refusal: null, messageId: null } : 'ignored';
  }
  const failure = ack.message(at.ACK.error);
  const error = failure?.message(at.ACK_ERROR.error);
  if (!failure || !error) return null;
  const messageId = failure.text(at.ACK_ERROR.messageId);
  return { refusal: codeOf(error), messageId: isUuid(messageId) ? messageId : null };
}

function asAck(ack: Ack | 'ignored' | null): TimelineEvent | 'ignored' | null {
  return ack === null || ack === 'ignored' ? ack : { type: 'ack', ack };
}

/** The name of an error, the most exact first. */
function codeOf(error: ProtoMessage): string {
  const code = error.message(at.STREAM_ERROR.invalidRequest)?.text(at.INVALID_REQUEST.code);
  return tokenOf(code) ?? tokenOf(error.text(at.STREAM_ERROR.type)) ?? 'unnamed';
}

function readError(error: ProtoMessage): TimelineEvent {
  const rateLimit = error.message(at.STREAM_ERROR.rateLimit);
  const retryAfter = rateLimit?.number(at.RATE_LIMIT.retryAfterSeconds) ?? 0;
  const code = codeOf(error);
  const isLimit = rateLimit !== null || code.includes('rate_limit');
  const isSignedOut = error.has(at.STREAM_ERROR.authentication) || code === 'authentication_error';
  return {
    type: 'error',
    kind: isLimit ? 'limit' : isSignedOut ? 'signed_out' : 'other',
    reason: error.has(at.STREAM_ERROR.overloaded) || code === 'overloaded_error' ? 'overloaded' : code,
    retryAfterMs: retryAfter > 0 ? retryAfter * 1000 : null,
  };
}

/** Most reports say that the limit is far, or that use beyond it is paid for. */
function readLimit(limit: ProtoMessage): TimelineEvent | 'ignored' {
  const isOver = limit.number(at.LIMIT.status) === at.LIMIT_EXCEEDED && limit.number(at.LIMIT.overageInUse) !== 1;
  if (!isOver) return 'ignored';
  const reason = tokenOf(limit.text(at.LIMIT.representativeClaim)) ?? 'exceeded_limit';
  return { type: 'limit', resetsAt: timeOf(limit.message(at.LIMIT.resetsAt)), reason };
}
