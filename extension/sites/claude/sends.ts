/** Reads the send in a request of the page, of either interface. */
import type { PageRequest, RequestBody, SeenSend } from '../facts.ts';
import { CONVERSATION_API, isUuid, ROOT_PARENT, RPC_METHOD } from './endpoints.ts';
import { objectOf, parseJson } from './failures.ts';
import { gunzipBounded, isGzip } from './gunzip.ts';
import * as at from './positions.ts';
import { ProtoMessage } from './protobuf.ts';

/** Attached files are part of it. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

export function readSend({ url }: PageRequest, body: RequestBody): SeenSend | 'no_send' | null {
  const bytes = body.kind === 'bytes' ? unpacked(body.bytes) : null;
  if (!bytes) return null;
  if (RPC_METHOD.test(url.pathname)) return readAction(bytes);
  const [, organizationId, conversationId, action] = CONVERSATION_API.exec(url.pathname) ?? [];
  if (!organizationId || !conversationId) return null;
  return readCompletion(bytes, { organizationId, conversationId, isRetry: action === 'retry_completion' });
}

function unpacked(bytes: Uint8Array): Uint8Array | null {
  if (bytes.length > MAX_BODY_BYTES) return null;
  return isGzip(bytes) ? gunzipBounded(bytes, MAX_BODY_BYTES) : bytes;
}

/** `PerformAction` serves every action of the page; only one of them is a send. */
function readAction(bytes: Uint8Array): SeenSend | 'no_send' | null {
  const action = ProtoMessage.read(bytes);
  const header = action?.message(at.ACTION.header);
  if (!action || !header) return null;
  if (!action.has(at.ACTION.sendMessage)) return 'no_send';
  const send = action.message(at.ACTION.sendMessage);
  const conversationId = header.text(at.ACTION_HEADER.conversationId);
  return send && isUuid(conversationId) ? readSendMessage(send, conversationId) : null;
}

function readSendMessage(send: ProtoMessage, conversationId: string): SeenSend | null {
  const messageId = send.text(at.SEND.messageId);
  const assistantMessageId = send.text(at.SEND.assistantMessageId);
  const parentId = send.text(at.SEND.parentMessageId);
  const text = send.text(at.SEND.text);
  const isRetry = send.number(at.SEND.inputMode) === at.INPUT_MODE_RETRY;
  // A retry names the message that it repeats as the parent, and carries no text.
  const userMessageId = isRetry ? parentId : messageId;
  if (!isUuid(userMessageId) || !isUuid(assistantMessageId)) return null;
  if (text === null && send.has(at.SEND.text)) return null;
  const isTemporary = send.number(at.SEND.isTemporary) === 1;
  const kind = isRetry ? 'regenerate' : parentId === null ? 'message' : 'edit';
  return {
    kind,
    conversationId: isTemporary ? null : conversationId,
    userMessageId,
    assistantMessageId,
    // An empty text is not on the wire, as one with files only.
    text: isRetry ? null : (text ?? ''),
    isTemporary,
    // It is in a header, which is not looked at.
    organizationId: null,
    isAcknowledgedByStream: true,
  };
}

interface CompletionPath {
  organizationId: string;
  conversationId: string;
  isRetry: boolean;
}

function readCompletion(bytes: Uint8Array, path: CompletionPath): SeenSend | null {
  const body = parseJson(new TextDecoder().decode(bytes));
  if (!body) return null;
  const { prompt, parent_message_uuid: parent } = body;
  const ids = objectOf(body.turn_message_uuids);
  const parentId = isUuid(parent) && parent !== ROOT_PARENT ? parent : null;
  if (!path.isRetry && typeof prompt !== 'string') return null;
  const humanId = path.isRetry ? parentId : ids?.human_message_uuid;
  const assistantId = ids?.assistant_message_uuid;
  const isTemporary = objectOf(body.create_conversation_params)?.is_temporary === true;
  return {
    kind: path.isRetry ? 'regenerate' : 'message',
    conversationId: isTemporary ? null : path.conversationId,
    userMessageId: isUuid(humanId) ? humanId : null,
    assistantMessageId: isUuid(assistantId) ? assistantId : null,
    text: path.isRetry || typeof prompt !== 'string' ? null : prompt,
    isTemporary,
    organizationId: path.organizationId,
  };
}
