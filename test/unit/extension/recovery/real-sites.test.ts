/** The ladder over the real adapters: what each site sends for an answer that was stopped, and for one that never ends. */
import { expect, it } from 'vitest';
import { startBackground } from '../../../../extension/background/background.ts';
import { STORAGE_KEYS } from '../../../../extension/lib/storage.ts';
import { SITES } from '../../../../extension/sites/registry.ts';
import { seenLook } from '../../../support/extension/delivery-scene.ts';
import { TestEnv, TestStorage } from '../../../support/extension/test-env.ts';
import {
  blockStart,
  messageDelta,
  messageStart,
  messageStop,
  sse,
  textDelta,
} from '../../../support/sites/claude/completion.ts';
import { envelope } from '../../../support/sites/claude/envelopes.ts';
import { protobuf } from '../../../support/sites/claude/protobuf.ts';
import { append, ROLE, STATUS, STOP, update } from '../../../support/sites/claude/timeline.ts';
import type { DraftAnswer } from '../../../support/sites/gemini/wire-format.ts';
import { answerPart, body as geminiBody, readingPart, sparse } from '../../../support/sites/gemini/wire-format.ts';
import { A1, begin, C, COMPLETE, DONE, finish, message, OPENING, U1 } from '../sites/chatgpt/scene.ts';
import { ANSWER, CONVERSATION, CONVERSATIONS, HUMAN, OLD_ANSWER, OLD_HUMAN, RPC } from '../sites/claude/ids.ts';
import { FIRST, HEX, IDS, SEND_URL } from '../sites/gemini/fixture.ts';

const MINUTE = 60_000;
type Body = string | Uint8Array<ArrayBuffer>;

interface Exchange {
  page: string;
  conversationId: string;
  send: { url: string; body: Body };
  /** The response with the answer; by another request where the site has one for it. */
  stream: { url?: string; contentType: string; begins: Body };
  /** The end of the stream after a stop; null: it breaks off. */
  stopped: Body | null;
  /** What a reading of the conversation gives, while the answer is being written and after it was stopped. */
  reading(isStopped: boolean): string;
}

const bytesOf = (body: Body) => (typeof body === 'string' ? new TextEncoder().encode(body) : body);

const chatgpt: Exchange = {
  page: `https://chatgpt.com/c/${C}`,
  conversationId: C,
  send: {
    url: 'https://chatgpt.com/backend-api/f/conversation',
    body: JSON.stringify({
      action: 'next',
      messages: [{ id: U1, author: { role: 'user' }, content: { content_type: 'text', parts: ['hello'] } }],
      parent_message_id: 'client-created-root',
    }),
  },
  stream: {
    contentType: 'text/event-stream',
    begins: OPENING + begin({ content: { content_type: 'text', parts: ['Su'] } }),
  },
  stopped: finish('re', 'interrupted', false) + COMPLETE + DONE,
  reading(isStopped) {
    const marks = isStopped
      ? { status: 'finished_partial_completion', metadata: { finish_details: { type: 'interrupted' } } }
      : {};
    const question = { id: U1, author: { role: 'user' }, content: { content_type: 'text', parts: ['hello'] } };
    const answer = message({ content: { content_type: 'text', parts: ['Sure'] }, ...marks });
    return JSON.stringify({ id: C, current_node: A1, messages: [question, answer] });
  },
};

const tree = (isStopped: boolean) => {
  const text = (one: string) => [{ type: 'text', text: one }];
  const human = { uuid: HUMAN, parent_message_uuid: null, sender: 'human', index: 0, content: text('hello') };
  const stop_reason = isStopped ? 'user_canceled' : null;
  const assistant = {
    uuid: ANSWER,
    parent_message_uuid: HUMAN,
    sender: 'assistant',
    index: 1,
    content: text('Su'),
    stop_reason,
  };
  return JSON.stringify({ uuid: CONVERSATION, current_leaf_message_uuid: ANSWER, chat_messages: [human, assistant] });
};

const claude: Exchange = {
  page: `https://claude.ai/chat/${CONVERSATION}`,
  conversationId: CONVERSATION,
  send: {
    url: `${CONVERSATIONS}/${CONVERSATION}/completion`,
    body: JSON.stringify({
      prompt: 'hello',
      turn_message_uuids: { human_message_uuid: HUMAN, assistant_message_uuid: ANSWER },
    }),
  },
  stream: {
    contentType: 'text/event-stream',
    begins: [messageStart(ANSWER, HUMAN), blockStart(0), textDelta(0, 'Su')].map((one) => sse(one)).join(''),
  },
  stopped: [messageDelta('user_canceled'), messageStop()].map((one) => sse(one)).join(''),
  reading: tree,
};

/** An earlier answer of the conversation was stopped too: that says nothing of this one. */
const OLD = [
  { id: OLD_HUMAN, role: ROLE.human, index: 0, isComplete: true, parentId: '' },
  {
    id: OLD_ANSWER,
    role: ROLE.assistant,
    index: 1,
    isComplete: true,
    stopReason: STOP.user_canceled,
    parentId: OLD_HUMAN,
  },
];
const joined = (...payloads: Uint8Array[]) =>
  new Uint8Array(Buffer.concat(payloads.map((payload) => envelope(payload))));
const merged: Exchange = {
  ...claude,
  send: {
    url: `${RPC}/PerformAction`,
    body: protobuf({ 1: { 1: { 1: 'sess_x', 2: 7 }, 2: CONVERSATION }, 2: { 1: HUMAN, 2: ANSWER, 3: 'hello' } }),
  },
  stream: {
    url: `${RPC}/StreamTimeline`,
    contentType: 'application/connect+proto',
    begins: joined(
      update({
        replaceAll: true,
        conversation: { id: CONVERSATION, status: STATUS.running },
        messages: [
          ...OLD,
          { id: HUMAN, role: ROLE.human, index: 2, isComplete: true, parentId: OLD_ANSWER },
          { id: ANSWER, role: ROLE.assistant, index: 3, parentId: HUMAN },
        ],
        groups: [{ id: 'dgrp_1', messageId: ANSWER }],
        blocks: [{ id: 'cblk_1', groupId: 'dgrp_1', text: '' }],
      }),
      append('cblk_1', 'Su'),
    ),
  },
  stopped: joined(
    update({
      conversation: { id: CONVERSATION, status: STATUS.idle },
      messages: [{ id: ANSWER, isComplete: true, stopReason: STOP.user_canceled }],
    }),
  ),
};

const draft = (text: string, state: DraftAnswer['state']): DraftAnswer => ({ id: FIRST, text, state });
/** The first message of a new chat: only the response names the conversation. */
const gemini: Exchange = {
  page: `https://gemini.google.com/app/${HEX}`,
  conversationId: HEX,
  send: {
    url: SEND_URL,
    body: new URLSearchParams({
      'f.req': JSON.stringify([
        null,
        JSON.stringify(sparse({ 0: ['hello', 0, null, null], 2: ['', '', '', null], 69: 1 })),
      ]),
    }).toString(),
  },
  stream: { contentType: 'application/json', begins: geminiBody([[answerPart(IDS, [draft('Su', 1)])]]) },
  stopped: '',
  reading: (isStopped) =>
    geminiBody([[readingPart([{ ...IDS, question: 'hello', answers: [draft('Su', isStopped ? null : 1)] }])]]),
};

const EXCHANGES: [string, Exchange][] = [
  ['ChatGPT', chatgpt],
  ['ChatGPT, whose page breaks its request off', { ...chatgpt, stopped: null }],
  ['Claude', claude],
  ['Claude, whose page breaks its request off', { ...claude, stopped: null }],
  ['a merged account of Claude', merged],
  ['Gemini', gemini],
];

/** Its settings cannot be read. */
class BrokenSettings extends TestStorage {
  override async get(keys: string[]): Promise<Record<string, unknown>> {
    if (keys.includes(STORAGE_KEYS.settings)) throw new Error('the disk is broken');
    return super.get(keys);
  }
}

/** What is done in a page within two hours of a question whose answer is stopped, or never ends. */
async function actsIn(exchange: Exchange, isStopped: boolean, storage = new TestStorage()): Promise<string[]> {
  const { page, conversationId, send, stream, stopped } = exchange;
  const env = new TestEnv({ storage, sites: [...SITES] }).pair();
  const acts: string[] = [];
  env.openTabs = [{ id: 1, url: page }];
  env.onPageCall = async (_tabId, { call }) => {
    if (call === 'look') return seenLook(conversationId, { url: page, isAnswering: !isStopped });
    if (call === 'read')
      return { kind: 'response', status: 200, contentType: '', isChallenge: false, body: exchange.reading(isStopped) };
    throw new Error('the page does not say');
  };
  env.env.tabs.reload = async () => void acts.push('reload');
  const background = startBackground(env.env);
  await env.greet();
  await background.ready;
  const from = { documentUrl: page, originUrl: page, method: 'POST' };
  env.request('r1', { ...from, url: send.url, bytes: bytesOf(send.body).slice().buffer });
  env.headers('r1', send.url, 200, {
    'content-type': stream.url === undefined ? stream.contentType : 'application/proto',
  });
  const id = stream.url === undefined ? 'r1' : 'r2';
  if (stream.url !== undefined) {
    env.request(id, { ...from, url: stream.url });
    env.headers(id, stream.url, 200, { 'content-type': stream.contentType });
  }
  env.filter(id).data(stream.begins);
  await env.clock.elapse(MINUTE);
  if (isStopped && stopped === null) env.filter(id).error();
  else if (isStopped && stopped !== null) {
    env.filter(id).data(stopped);
    env.filter(id).stop();
  }
  await env.clock.elapse(120 * MINUTE);
  expect(background.queue.size).toBe(0);
  return acts;
}

it.each(EXCHANGES)('an answer that a person has stopped at %s has no page loaded again', async (_site, exchange) => {
  expect(await actsIn(exchange, true)).toEqual([]);
});

it.each(EXCHANGES)(
  'an answer that never ends at %s has its page loaded again, three times',
  async (_site, exchange) => {
    expect(await actsIn(exchange, false)).toEqual(['reload', 'reload', 'reload']);
  },
);

it('an answer that never ends has its page loaded again when the settings cannot be read', async () => {
  expect(await actsIn(chatgpt, false, new BrokenSettings())).toEqual(['reload', 'reload', 'reload']);
});
