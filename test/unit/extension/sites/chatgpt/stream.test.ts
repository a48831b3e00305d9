import { describe, expect, it } from 'vitest';
import type { DecodedEvent } from '../../../../../extension/sites/decoder.ts';
import {
  A1,
  begin,
  C,
  COMPLETE,
  conclusions,
  DONE,
  decode,
  delta,
  ENCODING,
  FINAL,
  finish,
  frame,
  head,
  message,
  OPENING,
  PLAIN,
  send,
  U1,
} from './scene.ts';

const REF = { conversationId: C, messageId: A1, userMessageId: U1 };
const APPEND = { p: '/message/content/parts/0', o: 'append' };

function incomplete(reason: string, answer: typeof REF | null = REF): DecodedEvent {
  return { type: 'incomplete', answer, reason };
}

describe('A stream of ChatGPT', () => {
  it('reports the accepted message, the progress and the final answer', () => {
    expect(decode(PLAIN)).toEqual([
      { type: 'accepted', conversationId: C, userMessageId: U1 },
      { type: 'progress', answer: REF, chars: 1 },
      FINAL,
    ]);
  });

  it('reads CRLF lines as LF lines', () => {
    expect(decode(PLAIN.replaceAll('\n', '\r\n'))).toEqual(decode(PLAIN));
  });

  it('keeps an answer final when the page ends its request right after the mark of completeness', () => {
    const cut = PLAIN.slice(0, -DONE.length);
    expect(conclusions(decode(cut, { isBroken: true }))).toEqual([FINAL]);
  });

  it('takes [DONE] for the mark of completeness where no other comes', () => {
    expect(conclusions(decode(PLAIN.replace(COMPLETE, '')))).toEqual([FINAL]);
  });

  it('reports an answer without any mark of completeness as incomplete', () => {
    expect(conclusions(decode(PLAIN.slice(0, -(COMPLETE + DONE).length)))).toEqual([incomplete('no_end_mark')]);
  });

  it.each([1, 2, 3])('never reports a final answer when the stream is cut in its last frames (%i)', (frames) => {
    const parts = PLAIN.split('\n\n');
    const cut = `${parts.slice(0, -(frames + 2)).join('\n\n')}\n\n`;
    expect(conclusions(decode(cut, { isBroken: true }))).toEqual([incomplete('no_end_mark')]);
  });

  it.each(['max_tokens', 'interrupted'])('reports an answer that ended by %s as incomplete', (reason) => {
    expect(conclusions(decode(OPENING + begin() + finish('cut', reason) + COMPLETE + DONE))).toEqual([
      incomplete(reason),
    ]);
  });

  it('reports an answer that does not end the turn as incomplete', () => {
    expect(conclusions(decode(OPENING + begin() + finish('so far', 'stop', false) + COMPLETE + DONE))).toEqual([
      incomplete('turn_not_ended'),
    ]);
  });

  it.each([
    ['thoughts', { content: { content_type: 'thoughts', thoughts: [{ content: '```baa' }] } }],
    ['a recap of reasoning', { content: { content_type: 'reasoning_recap', content: 'x' } }],
    ['code', { content: { content_type: 'code', text: 'x' } }],
    ['the output of a tool', { author: { role: 'tool' }, content: { content_type: 'execution_output', text: 'x' } }],
    ['a text of a tool', { author: { role: 'tool' } }],
    ['a message to a tool', { recipient: 'canmore.create_textdoc' }],
    ['commentary', { channel: 'commentary' }],
    ['analysis', { channel: 'analysis' }],
    ['a hidden message', { metadata: { is_visually_hidden_from_conversation: true } }],
    ['a thinking preamble', { metadata: { is_thinking_preamble_message: true } }],
  ])('never takes %s for the answer, though it is finished', (_name, over) => {
    const finished = { status: 'finished_successfully', end_turn: true, ...over };
    const text = { content: { content_type: 'text', parts: ['```baa\nx\n```'] } };
    const stream = OPENING + delta({ v: { message: message({ ...text, ...finished, id: 'other' }) }, c: 1 });
    expect(conclusions(decode(stream + COMPLETE + DONE))).toEqual([incomplete('no_answer', null)]);
    const answered = stream + begin() + finish('Sure, done. é你😀 Bye.') + COMPLETE + DONE;
    expect(conclusions(decode(answered))).toEqual([FINAL]);
    const before = OPENING + begin() + finish('Sure, done. é你😀 Bye.');
    expect(conclusions(decode(before + stream.slice(OPENING.length) + COMPLETE))).toEqual([FINAL]);
  });

  it('takes a message without a channel for the answer once it ends the turn', () => {
    const stream = (endTurn: boolean) =>
      OPENING + begin({ channel: null, recipient: '' }) + finish('ok', 'stop', endTurn) + COMPLETE + DONE;
    expect(conclusions(decode(stream(true)))).toEqual([{ ...FINAL, text: 'ok' }]);
    expect(conclusions(decode(stream(false)))).toEqual([incomplete('turn_not_ended')]);
  });

  it('takes the string parts of a multimodal answer', () => {
    const content = { content_type: 'multimodal_text', parts: ['', { asset_pointer: 'sediment://x' }, 'two'] };
    expect(conclusions(decode(OPENING + begin({ content }) + finish('one') + COMPLETE))).toEqual([
      { ...FINAL, text: 'one\ntwo' },
    ]);
  });

  it('holds two variants of an answer, and chooses none', () => {
    const variants = frame({ type: 'num_variants_in_stream', num_variants_in_stream: 2, conversation_id: C });
    expect(conclusions(decode(OPENING + variants + begin() + finish('one') + COMPLETE + DONE))).toEqual([
      incomplete('choice'),
    ]);
    const one = variants.replace(':2', ':1');
    expect(conclusions(decode(OPENING + one + begin() + finish('one') + COMPLETE))[0]?.type).toBe('final');
  });

  it('does not take the rest of a cut answer for an answer', () => {
    const of = head({ send: { ...send, kind: 'continue', userMessageId: null, text: null } });
    expect(conclusions(decode(ENCODING + begin() + finish('rest') + COMPLETE + DONE, { of }))).toEqual([
      incomplete('continued', { ...REF, userMessageId: null } as never),
    ]);
  });

  it('reports a handoff, whose [DONE] is no end of an answer, and that the message was accepted', () => {
    const handoff = frame({
      type: 'stream_handoff',
      conversation_id: C,
      turn_exchange_id: 'x',
      options: [{ type: 'subscribe_ws_topic', topic_id: 'conversation-turn-1' }, { type: 'resume_sse_endpoint' }],
    });
    const of = head({ send: { ...send, conversationId: null } });
    expect(
      decode(ENCODING + frame({ type: 'resume_conversation_token', token: 's' }) + handoff + DONE, { of }),
    ).toEqual([
      { type: 'accepted', conversationId: C, userMessageId: U1 },
      { type: 'handoff', conversationId: C },
    ]);
  });

  it('reads a resumed stream, which belongs to no send', () => {
    const of = head({ role: 'stream', send: null, path: '/backend-api/f/conversation/resume' });
    const answer = { ...REF, userMessageId: null };
    expect(conclusions(decode(ENCODING + begin() + finish('rest') + COMPLETE + DONE, { of }))).toEqual([
      { type: 'final', answer, text: 'rest', history: false },
    ]);
  });

  it('reads the older frames, which hold the whole message so far', () => {
    const whole = (over: object) => frame({ message: message(over), conversation_id: C, error: null });
    const text = (part: string) => ({ content: { content_type: 'text', parts: [part] } });
    const stream =
      whole({ id: U1, author: { role: 'user' }, ...text('hello') }) +
      whole(text('Su')) +
      whole(text('Sure')) +
      whole({ ...text('Sure.'), status: 'finished_successfully', end_turn: true });
    expect(conclusions(decode(stream + DONE))).toEqual([{ ...FINAL, text: 'Sure.' }]);
    expect(conclusions(decode(stream))).toEqual([incomplete('no_end_mark')]);
    expect(decode(stream)[0]).toEqual({ type: 'accepted', conversationId: C, userMessageId: U1 });
  });

  it('never names a temporary conversation', () => {
    const temporary = head({ send: { ...send, conversationId: null, isTemporary: true } });
    expect(conclusions(decode(PLAIN, { of: temporary }))).toEqual([
      { ...FINAL, answer: { ...REF, conversationId: null } },
    ]);
  });

  it('says only that no account is signed in when it is the stream of a visitor', () => {
    expect(decode(PLAIN, { of: head({ path: '/backend-anon/f/conversation' }), sizes: [5] })).toEqual([
      { type: 'signed_out' },
    ]);
  });

  it('binds a new conversation by the id in the stream', () => {
    const of = head({ send: { ...send, conversationId: null } });
    expect(conclusions(decode(PLAIN, { of }))).toEqual([FINAL]);
  });

  it.each([
    ['a frame with an error', frame({ message: null, error: 'Something went wrong', conversation_id: C })],
    ['a frame with an error object', frame({ error: { message: 'Something went wrong' } })],
    ['a frame with a detail', frame({ detail: 'Something went wrong' })],
    [
      'a message of the system',
      begin({ content: { content_type: 'system_error', parts: ['Something went wrong'] }, author: { role: 'system' } }),
    ],
  ])('reports %s as a failed turn', (_name, broken) => {
    expect(conclusions(decode(OPENING + broken + DONE))).toEqual([{ type: 'error', reason: 'Something went wrong' }]);
  });

  it.each([
    ['a body that is no stream of events', 'KLUv/QBY8QMA compressed'],
    ['an unknown encoding of deltas', 'event: delta_encoding\ndata: "v2"\n\n'],
    ['data that is not JSON', `${OPENING}data: {"v":\n\n`],
    ['bytes that are no text', new Uint8Array([0x28, 0xb5, 0x2f, 0xfd, 0x0a, 0x0a])],
    ['a body without anything', ''],
    ['an answer over a mebibyte', OPENING + begin() + finish('x'.repeat(1024 * 1024 + 1)) + COMPLETE],
  ])('reports %s as opaque', (_name, body) => {
    expect(conclusions(decode(body))).toMatchObject([{ type: 'opaque' }]);
  });

  it.each([
    ['before any message', delta({ ...APPEND, v: 'x' })],
    ['of another message', begin() + delta({ ...APPEND, v: 'x', c: 9 })],
    ['at a path that leads nowhere', begin() + delta({ p: '/message/content/parts/7', o: 'append', v: 'x' })],
    ['with an unknown operation', begin() + delta({ p: '/message/status', o: 'swirl', v: 'x' })],
    ['of a text by a number', begin() + delta({ ...APPEND, v: 4 })],
    ['that adds before the end of a list', begin() + delta({ p: '/message/content/parts/0', o: 'add', v: 'x' })],
  ])('reports a delta %s as opaque and as drift, and guesses no text', (_name, broken) => {
    const events = decode(OPENING + broken + finish('x') + COMPLETE + DONE);
    expect(conclusions(events)).toMatchObject([{ type: 'opaque' }]);
    expect(events).toContainEqual({ type: 'drift', what: expect.any(String) });
  });

  it('takes truncations of a text, up to a number that bounds their work', () => {
    const truncated = (count: number) =>
      conclusions(
        decode(
          OPENING +
            begin() +
            delta({ ...APPEND, v: 'abcdef' }) +
            delta({ p: '/message/content/parts/0', o: 'truncate', v: 3 }).repeat(count) +
            finish('!') +
            COMPLETE,
        ),
      );
    expect(truncated(100)).toEqual([{ ...FINAL, text: 'abc!' }]);
    expect(truncated(101)).toEqual([{ type: 'opaque', reason: 'too_many_truncations' }]);
  });

  it('removes citations from prose and reports those in a code block, which it leaves', () => {
    const cite = '\uE200cite\uE202turn0search1\uE201';
    const text = `See${cite} this.\uE203\n\n\`\`\`baa\na${cite}\n\`\`\`\nEnd${cite}`;
    const events = decode(OPENING + begin() + finish(text) + COMPLETE);
    expect(conclusions(events)).toEqual([{ ...FINAL, text: `See this.\n\n\`\`\`baa\na${cite}\n\`\`\`\nEnd` }]);
    expect(events).toContainEqual({ type: 'drift', what: 'citation_in_code' });
  });

  it('gives no second conclusion', () => {
    expect(conclusions(decode(PLAIN + PLAIN))).toEqual([FINAL]);
  });

  it('reports progress in steps', () => {
    const growing = Array.from({ length: 100 }, () => delta({ ...APPEND, v: 'x'.repeat(10) })).join('');
    const progress = decode(OPENING + begin() + growing + finish('') + COMPLETE).filter(
      ({ type }) => type === 'progress',
    );
    expect(progress.length).toBeGreaterThan(2);
    expect(progress.length).toBeLessThan(6);
  });
});
