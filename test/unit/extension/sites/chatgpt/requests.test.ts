import { describe, expect, it } from 'vitest';
import { wire } from '../../../../../extension/sites/chatgpt/wire.ts';
import type { RequestBody } from '../../../../../extension/sites/facts.ts';
import { C, send, U1 } from './scene.ts';

const at = (path: string) => new URL(path, 'https://chatgpt.com');
const roleOf = (method: string, path: string) => wire.roleOf({ method, url: at(path) });
const none = (kind: string) => ({ kind, conversationId: null });

describe('An address of ChatGPT', () => {
  it.each([
    `/c/${C}`,
    `/c/${C}/`,
    `/c/${C.toUpperCase()}`,
    `/c/${C}?model=auto`,
    `/g/g-p-6740-notes/c/${C}`,
    `/g/g-abc/c/${C}`,
  ])('%s is a conversation with a lasting id', (path) => {
    expect(wire.addressOf(at(path))).toEqual({ kind: 'conversation', conversationId: C });
  });

  it.each(['/', '/?q=hello', '/?model=gpt', '/g/g-p-6740-notes/project', '/g/g-abc'])('%s starts one', (path) => {
    expect(wire.addressOf(at(path))).toEqual(none('new'));
  });

  it.each([`/c/WEB:${C}`, `/c/WEB%3A${C}`, `/c/local-${C}`, '/c/abc', `/g/g-p-1/c/WEB:${C}`])(
    '%s has no lasting id yet',
    (path) => {
      expect(wire.addressOf(at(path))).toEqual(none('provisional'));
    },
  );

  it.each(['/?temporary-chat=true', `/c/${C}?temporary-chat=true`, '/g/g-abc?temporary-chat=true'])(
    '%s is temporary',
    (path) => {
      expect(wire.addressOf(at(path))).toEqual(none('temporary'));
    },
  );

  it.each([
    `/share/${C}`,
    '/gpts',
    `/c/${C}/more`,
    `/u/1/c/${C}`,
    '/auth/login',
    `https://chatgpt.com.example/c/${C}`,
    `http://chatgpt.com/c/${C}`,
  ])('%s is something else', (path) => {
    expect(wire.addressOf(at(path))).toEqual(none('other'));
  });
});

describe('A request of the page of ChatGPT', () => {
  it.each([
    ['POST', '/backend-api/f/conversation', 'send'],
    ['POST', '/backend-api/conversation', 'send'],
    ['POST', '/backend-anon/f/conversation', 'send'],
    ['POST', '/backend-alt/conversation', 'send'],
    ['POST', '/backend-api/f/conversation/prepare', 'prepare'],
    ['POST', '/backend-api/sentinel/chat-requirements', 'prepare'],
    ['POST', '/backend-api/sentinel/chat-requirements/prepare', 'prepare'],
    ['POST', '/backend-anon/sentinel/chat-requirements/finalize', 'prepare'],
    ['POST', '/backend-api/f/conversation/resume', 'stream'],
    ['GET', `/backend-api/conversation/${C}`, 'read'],
    ['GET', `/backend-api/conversations/${C}?include_has_versions=true&num_turns=10`, 'read'],
    ['GET', '/backend-api/me', 'account'],
    ['GET', '/api/auth/session', 'account'],
    ['GET', '/backend-api/f/conversation', null],
    ['OPTIONS', '/backend-api/f/conversation', null],
    ['POST', '/backend-api/f/steer_turn', null],
    ['POST', '/backend-api/conversation/init', null],
    ['GET', `/backend-api/conversation/${C}/stream_status`, null],
    ['GET', `/backend-api/conversations/${C}/messages?before=x`, null],
    ['GET', '/backend-api/conversations?offset=0', null],
    ['PATCH', `/backend-api/conversation/${C}`, null],
    ['GET', '/backend-api/memories', null],
    ['POST', 'https://example.com/backend-api/f/conversation', null],
  ])('%s %s has the role %s', (method, path, role) => {
    expect(roleOf(method, path)).toBe(role);
  });

  it('matches a pattern when it has a role, so that it is observed', () => {
    const matches = (path: string) =>
      wire.requestPatterns.some((pattern) => {
        const text = pattern.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('\\*', '.*');
        return new RegExp(`^${text}$`).test(at(path).href);
      });
    for (const path of [
      'f/conversation',
      'conversation',
      `conversations/${C}?num_turns=1`,
      'sentinel/chat-requirements',
    ]) {
      expect(matches(`/backend-api/${path}`)).toBe(true);
      expect(matches(`/backend-anon/${path}`)).toBe(true);
    }
    expect(matches('/backend-api/me')).toBe(true);
    expect(matches('/api/auth/session')).toBe(true);
    expect(matches('/backend-api/memories')).toBe(true);
    expect(matches('/backend-api/files')).toBe(false);
  });
});

function bytes(value: unknown): RequestBody {
  return { kind: 'bytes', bytes: new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value)) };
}

const BODY = {
  action: 'next',
  messages: [
    {
      id: U1,
      author: { role: 'user' },
      create_time: 1795600000.1,
      content: { content_type: 'text', parts: ['hello'] },
      metadata: { submission_mode: 'manual_send' },
    },
  ],
  conversation_id: C,
  parent_message_id: '6740aa00-0000-4000-8000-0000000000a0',
  model: 'auto',
  conversation_mode: { kind: 'primary_assistant' },
  supported_encodings: ['v1'],
};

const read = (body: unknown, path = '/backend-api/f/conversation') =>
  wire.readSend({ method: 'POST', url: at(path) }, bytes(body));

describe('A send of the page of ChatGPT', () => {
  it('has the text exactly as sent and the id that the page gave it', () => {
    expect(read(BODY)).toEqual(send);
    const text = '\t```baa\n\\ é你😀\r\n\n\u00a0```\n';
    const withText = { ...BODY, messages: [{ ...BODY.messages[0], content: { content_type: 'text', parts: [text] } }] };
    expect(read(withText)).toEqual({ ...send, text });
  });

  it('is new where it names no conversation, or one without a lasting id', () => {
    const { conversation_id: _, ...first } = BODY;
    expect(read({ ...first, parent_message_id: 'client-created-root' })).toEqual({ ...send, conversationId: null });
    expect(read({ ...BODY, conversation_id: `WEB:${C}` })).toEqual({ ...send, conversationId: null });
  });

  it('is an edit when it follows the beginning of a conversation that exists', () => {
    expect(read({ ...BODY, parent_message_id: 'client-created-root' })).toEqual({ ...send, kind: 'edit' });
  });

  it('is temporary by its own mark, or without a signed-in account', () => {
    const temporary = { ...send, conversationId: null, isTemporary: true };
    expect(read({ ...BODY, history_and_training_disabled: true })).toEqual(temporary);
    expect(read(BODY, '/backend-anon/f/conversation')).toEqual(temporary);
  });

  it('can ask for the answer again, or for its rest, without a text', () => {
    const none = { ...send, userMessageId: null, text: null };
    const again = { ...BODY, action: 'variant', messages: [], parent_message_id: U1 };
    expect(read(again)).toEqual({ ...none, kind: 'regenerate', userMessageId: U1 });
    expect(read({ ...BODY, action: 'variant' })).toEqual({ ...send, kind: 'regenerate' });
    expect(read({ ...BODY, action: 'continue', messages: undefined })).toEqual({ ...none, kind: 'continue' });
  });

  it('has the string parts as its text beside images', () => {
    const content = { content_type: 'multimodal_text', parts: [{ asset_pointer: 'sediment://x' }, 'hello'] };
    expect(read({ ...BODY, messages: [{ ...BODY.messages[0], content }] })).toEqual(send);
  });

  it.each([
    ['that is not JSON', '{"action":'],
    ['of an unknown action', { ...BODY, action: 'swirl' }],
    ['without a message', { ...BODY, messages: [] }],
    ['that is a list', [BODY]],
    ['that is null', 'null'],
  ])('is unknown in a body %s', (_name, body) => {
    expect(read(body)).toBeNull();
  });

  it('is unknown in a form and in bytes that are no text', () => {
    const request = { method: 'POST', url: at('/backend-api/f/conversation') };
    expect(wire.readSend(request, { kind: 'form', fields: {} })).toBeNull();
    expect(wire.readSend(request, { kind: 'bytes', bytes: new Uint8Array([0x1f, 0x8b, 0xff]) })).toBeNull();
  });
});
