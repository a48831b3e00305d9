/** Streams of ChatGPT for tests, written from the description of the site, and their decoding in pieces. */
import { wire } from '../../../../../extension/sites/chatgpt/wire.ts';
import type { DecodedEvent } from '../../../../../extension/sites/decoder.ts';
import type { ResponseHead, SeenSend } from '../../../../../extension/sites/facts.ts';

export const C = '6740aa00-0000-4000-8000-00000000000c';
export const U1 = '6740aa00-0000-4000-8000-0000000000b1';
export const A1 = '6740aa00-0000-4000-8000-0000000000a1';
export const DONE = 'data: [DONE]\n\n';

export const send: SeenSend = {
  kind: 'message',
  conversationId: C,
  userMessageId: U1,
  assistantMessageId: null,
  text: 'hello',
  isTemporary: false,
  organizationId: null,
};

export function head(over: Partial<ResponseHead> & { path?: string } = {}): ResponseHead {
  const { path = '/backend-api/f/conversation', ...rest } = over;
  return {
    role: 'send',
    url: new URL(path, 'https://chatgpt.com'),
    status: 200,
    contentType: 'text/event-stream',
    headers: {},
    send,
    ...rest,
  };
}

export function decode(
  body: string | Uint8Array,
  {
    of = head(),
    sizes = [],
    isBroken = false,
  }: { of?: ResponseHead; sizes?: readonly number[]; isBroken?: boolean } = {},
): DecodedEvent[] {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  const decoder = wire.decoder(of);
  const events: DecodedEvent[] = [];
  let at = 0;
  for (const size of sizes) {
    events.push(...decoder.push(bytes.slice(at, at + size)));
    at += size;
  }
  return [...events, ...decoder.push(bytes.slice(at)), ...decoder.end(isBroken)];
}

/** The events that say how a turn ended; the others say what happened on the way. */
export function conclusions(events: readonly DecodedEvent[]): DecodedEvent[] {
  const onTheWay = ['accepted', 'progress', 'drift'];
  return events.filter(({ type }) => !onTheWay.includes(type));
}

/** An un-named frame. */
export function frame(value: object): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

export function delta(value: object): string {
  return `event: delta\ndata: ${JSON.stringify(value)}\n\n`;
}

export const ENCODING = 'event: delta_encoding\ndata: "v1"\n\n';
export const COMPLETE = frame({ type: 'message_stream_complete', conversation_id: C });

export function message(over: object = {}): object {
  return {
    id: A1,
    author: { role: 'assistant' },
    channel: 'final',
    recipient: 'all',
    content: { content_type: 'text', parts: [''] },
    status: 'in_progress',
    end_turn: null,
    metadata: {},
    ...over,
  };
}

export function begin(over: object = {}, c = 2): string {
  return delta({ v: { message: message(over), conversation_id: C }, c });
}

/** The last frame of a message: more text, and its marks. */
export function finish(text: string, finishType = 'stop', endTurn = true): string {
  return delta({
    p: '',
    o: 'patch',
    v: [
      { p: '/message/content/parts/0', o: 'append', v: text },
      { p: '/message/status', o: 'replace', v: 'finished_successfully' },
      { p: '/message/end_turn', o: 'replace', v: endTurn },
      { p: '/message/metadata', o: 'append', v: { finish_details: { type: finishType } } },
    ],
  });
}

export const OPENING =
  ENCODING +
  frame({ type: 'resume_conversation_token', token: 'secret', conversation_id: C }) +
  frame({ type: 'input_message', input_message: message({ id: U1, author: { role: 'user' } }), conversation_id: C });

/** The stream of the description: thoughts, then the answer. */
export const PLAIN =
  OPENING +
  delta({
    p: '',
    o: 'add',
    v: {
      message: {
        id: 't1',
        author: { role: 'assistant' },
        content: { content_type: 'thoughts', thoughts: [] },
        status: 'in_progress',
      },
      conversation_id: C,
    },
    c: 1,
  }) +
  begin() +
  frame({ type: 'message_marker', conversation_id: C, message_id: A1, marker: 'user_visible_token', event: 'first' }) +
  delta({ p: '/message/content/parts/0', o: 'append', v: 'Sure' }) +
  delta({ v: ', done. é你😀' }) +
  finish(' Bye.') +
  COMPLETE +
  DONE;

export const FINAL: DecodedEvent = {
  type: 'final',
  answer: { conversationId: C, messageId: A1, userMessageId: U1 },
  text: 'Sure, done. é你😀 Bye.',
  history: false,
};
