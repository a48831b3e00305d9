import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { CLAUDE_WIRE } from '../../../../../extension/sites/claude/wire.ts';
import type { RequestBody } from '../../../../../extension/sites/facts.ts';
import { protobuf } from '../../../../support/sites/claude/protobuf.ts';
import { otherAction, sendAction } from '../../../../support/sites/claude/timeline.ts';
import { ANSWER, CONVERSATION, CONVERSATIONS, HUMAN, OLD_ANSWER, ORGANIZATION, RPC } from './ids.ts';

const { addressOf, roleOf, readSend } = CLAUDE_WIRE;
const request = (url: string, method = 'POST') => ({ method, url: new URL(url) });
const bytes = (body: Uint8Array | string): RequestBody => ({ kind: 'bytes', bytes: Buffer.from(body) });
const ACTION = request(`${RPC}/PerformAction`);
const COMPLETION = request(`${CONVERSATIONS}/${CONVERSATION}/completion`);
const RETRY = request(`${CONVERSATIONS}/${CONVERSATION}/retry_completion`);

describe('Addresses of claude.ai', () => {
  it.each([
    ['/new', 'new', null],
    ['/', 'new', null],
    ['/new?incognito', 'temporary', null],
    [`/chat/${CONVERSATION}`, 'conversation', CONVERSATION],
    [`/chat/${CONVERSATION}?model=x#end`, 'conversation', CONVERSATION],
    [`/chat/${CONVERSATION}?incognito`, 'temporary', null],
    [`/chat/${CONVERSATION.slice(1)}`, 'other', null],
    [`/project/${CONVERSATION}`, 'other', null],
    [`/share/${CONVERSATION}`, 'other', null],
    ['/recents', 'other', null],
    ['/login?returnTo=%2Fnew', 'other', null],
  ])('%s is of the kind %s', (path, kind, conversationId) => {
    expect(addressOf(new URL(path, 'https://claude.ai'))).toEqual({ kind, conversationId });
  });

  it('of another host are of no kind', () => {
    expect(addressOf(new URL(`https://example.com/chat/${CONVERSATION}`))).toEqual({
      kind: 'other',
      conversationId: null,
    });
  });
});

describe('Requests of claude.ai', () => {
  it.each([
    ['POST', `${RPC}/PerformAction`, 'send'],
    ['POST', `${RPC.replace('v1alpha', 'v2')}/PerformAction`, 'send'],
    ['POST', `${RPC}/StreamTimeline`, 'stream'],
    ['POST', `${RPC}/ReadConversation`, 'read'],
    ['POST', `${RPC}/ReportViewing`, null],
    ['POST', COMPLETION.url.href, 'send'],
    ['POST', RETRY.url.href, 'send'],
    ['POST', `${CONVERSATIONS}/${CONVERSATION}/stop_response`, null],
    ['GET', `${CONVERSATIONS}/${CONVERSATION}?tree=True&rendering_mode=messages`, 'read'],
    ['PUT', `${CONVERSATIONS}/${CONVERSATION}`, null],
    ['GET', `${CONVERSATIONS}/${CONVERSATION}/completion_status?poll=false`, null],
    ['GET', 'https://claude.ai/api/account', 'account'],
    ['GET', 'https://claude.ai/api/bootstrap', 'account'],
    ['GET', `https://claude.ai/api/bootstrap/${ORGANIZATION}/app_start`, 'account'],
    ['GET', 'https://claude.ai/api/organizations', 'account'],
    ['PATCH', 'https://claude.ai/api/account', null],
    ['GET', 'https://claude.ai/api/account/settings', null],
    ['GET', `https://example.com${new URL(COMPLETION.url).pathname}`, null],
  ])('%s %s has the role %s', (method, url, role) => {
    expect(roleOf(request(url, method))).toBe(role);
  });
});

describe('A send of the Connect interface', () => {
  const send = {
    conversationId: CONVERSATION,
    messageId: HUMAN,
    assistantMessageId: ANSWER,
    text: 'héllo\n\n```baa\nx\n``` 🙂',
  };
  const seen = {
    kind: 'message',
    conversationId: CONVERSATION,
    userMessageId: HUMAN,
    assistantMessageId: ANSWER,
    text: send.text,
    isTemporary: false,
    organizationId: null,
    isAcknowledgedByStream: true,
  };

  it('is read, also from a body that is packed with gzip', () => {
    expect(readSend(ACTION, bytes(sendAction(send)))).toEqual(seen);
    expect(readSend(ACTION, bytes(gzipSync(sendAction(send))))).toEqual(seen);
  });

  it('is an edit with a parent, also with an empty one, which begins the conversation again', () => {
    for (const parentId of [OLD_ANSWER, '']) {
      expect(readSend(ACTION, bytes(sendAction({ ...send, parentId })))).toEqual({ ...seen, kind: 'edit' });
    }
  });

  it('asks for the answer again when it is a retry, which names the message that it repeats', () => {
    const retry = sendAction({
      conversationId: CONVERSATION,
      assistantMessageId: ANSWER,
      parentId: HUMAN,
      isRetry: true,
    });
    expect(readSend(ACTION, bytes(retry))).toEqual({ ...seen, kind: 'regenerate', text: null });
  });

  it('names no conversation when it is temporary', () => {
    const temporary = sendAction({ ...send, isTemporary: true });
    expect(readSend(ACTION, bytes(temporary))).toEqual({ ...seen, conversationId: null, isTemporary: true });
  });

  it.each([
    ['the warming up of a turn', 15],
    ['a stop', 3],
    ['a change of settings', 9],
    ['a choice of a branch', 23],
    ['a result of a tool', 11],
  ])('is no send when the action is %s', (_name, field) => {
    expect(readSend(ACTION, bytes(otherAction(field, CONVERSATION, { 1: { 1: 'inner' } })))).toBe('no_send');
  });

  it.each([
    ['is no protobuf', Buffer.from('{"prompt":"hello"}')],
    ['is empty', Buffer.from('')],
    ['is cut off', sendAction(send).subarray(0, -3)],
    ['has ids that are no UUIDs', sendAction({ ...send, messageId: 'h1', assistantMessageId: 'a1' })],
    ['names no conversation', sendAction({ ...send, conversationId: '' })],
    [
      'has text that is no UTF-8',
      protobuf({ 1: { 2: CONVERSATION }, 2: { 1: HUMAN, 2: ANSWER, 3: Buffer.from([0xff]) } }),
    ],
    ['has a number as its text', protobuf({ 1: { 2: CONVERSATION }, 2: { 1: HUMAN, 2: ANSWER, 3: 7 } })],
    ['is gzip that is cut off', gzipSync(sendAction(send)).subarray(0, -12)],
  ])('is not known when its body %s', (_name, body) => {
    expect(readSend(ACTION, bytes(body))).toBeNull();
  });

  it('is not known when its body would unpack to more than the bound', () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024), { level: 9 });
    expect(readSend(ACTION, bytes(bomb))).toBeNull();
  });
});

describe('A send of the JSON interface', () => {
  const body = {
    prompt: 'hello',
    parent_message_uuid: OLD_ANSWER,
    turn_message_uuids: { human_message_uuid: HUMAN, assistant_message_uuid: ANSWER },
  };
  const seen = {
    kind: 'message',
    conversationId: CONVERSATION,
    userMessageId: HUMAN,
    assistantMessageId: ANSWER,
    text: 'hello',
    isTemporary: false,
    organizationId: ORGANIZATION,
  };
  const read = (at: typeof COMPLETION, content: object) => readSend(at, bytes(JSON.stringify(content)));

  it('is read', () => {
    expect(read(COMPLETION, body)).toEqual(seen);
  });

  it('has no ids where the page chooses none', () => {
    expect(read(COMPLETION, { prompt: 'hello' })).toEqual({ ...seen, userMessageId: null, assistantMessageId: null });
  });

  it('asks for the answer again at the endpoint for that', () => {
    const retry = { parent_message_uuid: HUMAN, turn_message_uuids: { assistant_message_uuid: ANSWER } };
    expect(read(RETRY, retry)).toEqual({ ...seen, kind: 'regenerate', text: null });
  });

  it('names no conversation when it makes a temporary one', () => {
    const temporary = { ...body, create_conversation_params: { is_temporary: true } };
    expect(read(COMPLETION, temporary)).toEqual({ ...seen, conversationId: null, isTemporary: true });
  });

  it('is not known without a prompt, or as a form', () => {
    expect(read(COMPLETION, { ...body, prompt: undefined })).toBeNull();
    expect(readSend(COMPLETION, { kind: 'form', fields: { prompt: ['hello'] } })).toBeNull();
    expect(readSend(COMPLETION, bytes('no json'))).toBeNull();
  });
});
