import { describe, expect, it } from 'vitest';
import { wire } from '../../../../../extension/sites/chatgpt/wire.ts';
import type { ResponseHead } from '../../../../../extension/sites/facts.ts';
import { A1, C, decode, head, message, U1 } from './scene.ts';

const PREPARE = '/backend-api/sentinel/chat-requirements/prepare';
const UNUSUAL = { detail: 'Unusual activity has been detected from your device. Try again later.' };

function refused(status: number, body: unknown, over: Partial<ResponseHead> & { path?: string } = {}) {
  const of = head({ status, contentType: 'application/json', ...over });
  return decode(typeof body === 'string' ? body : JSON.stringify(body), { of });
}

describe('A refusal of ChatGPT', () => {
  it.each(['send', 'prepare'] as const)('is a limit that says when it ends, on %s', (role) => {
    const path = role === 'send' ? '/backend-api/f/conversation' : PREPARE;
    const body = { detail: { message: "You've reached our limit of messages.", clears_in: 1234 } };
    expect(refused(429, body, { role, path })).toEqual([
      { type: 'limit', resetsInMs: 1_234_000, resetsAt: null, reason: "You've reached our limit of messages." },
    ]);
  });

  it('is a limit whose end a header says, in seconds or as a date', () => {
    const limit = (retryAfter: string) => refused(429, 'Too many', { headers: { 'retry-after': retryAfter } });
    expect(limit('60')).toEqual([{ type: 'limit', resetsInMs: 60_000, resetsAt: null, reason: 'http_429' }]);
    expect(limit('Thu, 26 Nov 2026 02:00:00 GMT')).toEqual([
      { type: 'limit', resetsInMs: null, resetsAt: Date.UTC(2026, 10, 26, 2), reason: 'http_429' },
    ]);
    expect(limit('soon')).toEqual([{ type: 'limit', resetsInMs: null, resetsAt: null, reason: 'http_429' }]);
  });

  it('is a limit without an end where the site says none', () => {
    expect(refused(429, { detail: 'Too many requests' })).toEqual([
      { type: 'limit', resetsInMs: null, resetsAt: null, reason: 'Too many requests' },
    ]);
  });

  it.each(['send', 'stream', 'read', 'account', 'prepare'] as const)(
    'says with 401 that no account is signed in, on %s',
    (role) => {
      expect(refused(401, { detail: 'Unauthorized' }, { role })).toEqual([{ type: 'signed_out' }]);
    },
  );

  it.each(['send', 'prepare'] as const)('names unusual activity as the reason of a failed turn, on %s', (role) => {
    const path = role === 'send' ? '/backend-api/f/conversation' : PREPARE;
    expect(refused(403, UNUSUAL, { role, path })).toEqual([{ type: 'error', reason: `http_403: ${UNUSUAL.detail}` }]);
  });

  it('does not end a send on conversation/prepare, which the page does without', () => {
    expect(refused(403, UNUSUAL, { role: 'prepare', path: '/backend-api/f/conversation/prepare' })).toEqual([]);
  });

  it.each([400, 404, 413, 500, 503])('is a failed turn with status %i', (status) => {
    expect(refused(status, { detail: { message: 'Message is too long' } })).toEqual([
      { type: 'error', reason: `http_${status}: Message is too long` },
    ]);
    expect(refused(status, 'oops')).toEqual([{ type: 'error', reason: `http_${status}` }]);
  });

  it('leaves a stream that cannot be resumed to the reading of the conversation', () => {
    const of = { role: 'stream' as const, send: null, path: '/backend-api/f/conversation/resume' };
    expect(refused(404, { detail: 'not found' }, of)).toEqual([{ type: 'opaque', reason: 'not_resumable' }]);
  });

  it('is named without what names an account, a conversation or a stream', () => {
    const detail =
      'ann@example.org may not read 6902f0ae-7d54-832b-9f3c-1234567890ab at wss://ws.example.org/s?t=k now';
    expect(refused(403, { detail })).toEqual([
      { type: 'error', reason: 'http_403: <left out> may not read <left out> at <left out> now' },
    ]);
  });

  it('is a failed turn when JSON comes with status 200 in place of the stream', () => {
    expect(refused(200, { detail: 'Something went wrong' })).toEqual([
      { type: 'error', reason: 'Something went wrong' },
    ]);
    expect(refused(200, {})).toMatchObject([{ type: 'opaque' }]);
  });

  it('survives bodies of any kind and size', () => {
    for (const body of [
      '',
      '[',
      'null',
      '[[[]]]',
      '"x"',
      '{"detail":[{"message":4}]}',
      '{"__proto__":{"detail":"x"}}',
    ]) {
      expect(refused(500, body)).toMatchObject([{ type: 'error' }]);
    }
    expect(refused(500, `{"detail":"${'x'.repeat(100_000)}"}`)).toEqual([{ type: 'error', reason: 'http_500' }]);
  });
});

describe('A security check in place of a response of ChatGPT', () => {
  it.each(['send', 'stream', 'read', 'account', 'prepare'] as const)('is a challenge by header, on %s', (role) => {
    const headers = { 'cf-mitigated': 'challenge' };
    for (const status of [403, 503, 200, 429])
      expect(refused(status, '<p>', { role, headers })).toEqual([{ type: 'challenge' }]);
  });

  it.each([200, 403, 503])('is a challenge when a page comes where data was due, with status %i', (status) => {
    expect(refused(status, '<title>Just a moment…</title>', { contentType: 'text/html' })).toEqual([
      { type: 'challenge' },
    ]);
  });

  it('is not seen in the words of a body', () => {
    expect(refused(403, { detail: 'Just a moment…' })).toMatchObject([{ type: 'error' }]);
  });
});

describe('What ChatGPT says of the account', () => {
  const account = (path: string, body: unknown) => refused(200, body, { role: 'account', path });

  it('is the id of the person and of the workspace, and nothing else', () => {
    const session = {
      user: { id: 'user-1', name: 'N', email: 'e@example.com' },
      account: { id: 'w-1', planType: 'plus' },
      accessToken: 'secret',
      expires: '2026-12-01',
    };
    expect(account('/api/auth/session', session)).toEqual([
      { type: 'account', account: 'user-1', organizationId: 'w-1', lacksWorkspace: true },
    ]);
    expect(account('/backend-api/me', { object: 'user', id: 'user-1', email: 'e@example.com' })).toEqual([
      { type: 'account', account: 'user-1', organizationId: null, lacksWorkspace: true },
    ]);
  });

  it('is that no account is signed in, by an empty session or the id of a visitor', () => {
    expect(account('/api/auth/session', {})).toEqual([{ type: 'signed_out' }]);
    expect(account('/api/auth/session', null)).toEqual([{ type: 'signed_out' }]);
    expect(account('/backend-api/me', { object: 'user', id: 'ua-1' })).toEqual([{ type: 'signed_out' }]);
  });

  it('is drift in another shape', () => {
    expect(account('/api/auth/session', { users: [] })).toEqual([{ type: 'drift', what: 'session' }]);
    expect(account('/backend-api/me', [])).toEqual([{ type: 'drift', what: 'account' }]);
  });
});

const done = { status: 'finished_successfully', end_turn: true };
const text = (parts: unknown[], over: object = {}) =>
  message({ content: { content_type: 'text', parts }, ...done, ...over });
const user = text(['hello'], { id: U1, author: { role: 'user' } });
const OK = { role: 'assistant', id: A1, parentId: U1, text: 'Sure.', state: 'final' };
const HELLO = { role: 'user', id: U1, parentId: null, text: 'hello', state: 'final' };

/** The tree of the older endpoint: each message follows the one before it. */
function tree(messages: readonly object[], over: object = {}): string {
  const ids = messages.map((one) => (one as { id: string }).id);
  const nodes = messages.map((one, at) => [
    ids[at],
    { id: ids[at], message: one, parent: ids[at - 1] ?? 'root', children: [] },
  ]);
  const mapping = {
    root: { id: 'root', message: null, parent: null, children: [ids[0]] },
    ...Object.fromEntries(nodes),
  };
  return JSON.stringify({ conversation_id: C, mapping, current_node: ids.at(-1), ...over });
}

function list(messages: readonly object[], over: object = {}): string {
  const last = messages.at(-1) as { id: string };
  return JSON.stringify({ id: C, title: 't', messages, current_node: last.id, page_info: {}, ...over });
}

describe('A reading of a conversation of ChatGPT', () => {
  it.each([
    ['the tree of the older endpoint', tree],
    ['the list of the newer endpoint', list],
  ])('gives the messages of the person and the answers, from %s', (_name, as) => {
    const hidden = { metadata: { is_visually_hidden_from_conversation: true } };
    const body = as([
      text([''], { id: 's', author: { role: 'system' }, ...hidden }),
      user,
      text([], { id: 't', content: { content_type: 'thoughts', thoughts: [] } }),
      text(['I will search.'], { id: 'p', channel: 'commentary' }),
      text(['x'], { id: 'q', channel: null, end_turn: null }),
      text(['x'], { id: 'c', recipient: 'python', content: { content_type: 'code', text: 'x' } }),
      text(['x'], { id: 'o', author: { role: 'tool' } }),
      text(['Sure\uE200cite\uE202x\uE201.']),
    ]);
    expect(wire.readReading(body)).toEqual({ conversationId: C, messages: [HELLO, OK] });
    const of = head({ role: 'read', contentType: 'application/json', path: `/backend-api/conversation/${C}` });
    expect(decode(body, { of, sizes: [1, 5, 100] })).toEqual([
      { type: 'reading', reading: { conversationId: C, messages: [HELLO, OK] } },
    ]);
  });

  it('walks from the current node, so that other versions are left out', () => {
    const mapping = {
      root: { message: null, parent: null },
      [U1]: { message: user, parent: 'root' },
      old: { message: text(['Old'], { id: 'old' }), parent: U1 },
      [A1]: { message: text(['Sure.']), parent: U1 },
    };
    const body = JSON.stringify({ conversation_id: C, mapping, current_node: A1 });
    expect(wire.readReading(body)?.messages).toEqual([HELLO, OK]);
  });

  it('follows the parents of a list where it names them', () => {
    const body = list([user, text(['Old'], { id: 'old' }), { ...text(['Sure.']), metadata: { parent_id: U1 } }]);
    expect(wire.readReading(body)?.messages).toEqual([HELLO, OK]);
  });

  it('gives an answer that is being written as running, and a cut one as incomplete', () => {
    const state = (over: object) => wire.readReading(tree([user, text(['x'], over)]))?.messages.at(-1)?.state;
    expect(state({ status: 'in_progress', end_turn: null })).toBe('running');
    expect(state({ status: 'in_progress', end_turn: null, channel: null })).toBe('running');
    expect(state({ metadata: { finish_details: { type: 'max_tokens' } } })).toBe('incomplete');
    expect(state({ metadata: { finish_details: { type: 'interrupted' } } })).toBe('incomplete');
    expect(state({ end_turn: false })).toBe('incomplete');
    expect(state({})).toBe('final');
  });

  it('does not take the rest of a cut answer for an answer', () => {
    const cut = text(['```baa\nx'], { id: 'cut', metadata: { finish_details: { type: 'max_tokens' } } });
    const states = wire.readReading(tree([user, cut, text(['rest'])]))?.messages.map(({ state }) => state);
    expect(states).toEqual(['final', 'incomplete', 'incomplete']);
  });

  it.each([
    ['no JSON', '{'],
    ['no conversation', '{}'],
    ['no lasting id', list([user], { id: 'WEB:1' })],
    ['a current node that is missing', tree([user], { current_node: 'x' })],
    ['no current node', tree([user], { current_node: null })],
  ])('is none with %s, and is reported as drift', (_name, body) => {
    expect(wire.readReading(body)).toBeNull();
    const of = head({ role: 'read', contentType: 'application/json', path: `/backend-api/conversation/${C}` });
    expect(decode(body, { of })).toEqual([
      { type: 'drift', what: 'reading' },
      { type: 'opaque', reason: 'unknown_reading' },
    ]);
  });

  it('ends a walk in a circle, and survives odd names', () => {
    const mapping = { [U1]: { message: user, parent: A1 }, [A1]: { message: text(['Sure.']), parent: U1 } };
    expect(wire.readReading(JSON.stringify({ conversation_id: C, mapping, current_node: A1 }))?.messages).toHaveLength(
      2,
    );
    for (const name of ['__proto__', 'constructor', 'toString']) {
      const body = `{"conversation_id":"${C}","mapping":{"${name}":{"message":null,"parent":"${name}"}},"current_node":"${name}"}`;
      expect(wire.readReading(body)?.messages ?? []).toEqual([]);
    }
  });

  it('says nothing of a body that was cut', () => {
    const of = head({ role: 'read', contentType: 'application/json' });
    expect(decode(tree([user]), { of, isBroken: true })).toEqual([]);
  });
});
