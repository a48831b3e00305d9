import { describe, expect, it } from 'vitest';
import { CLAUDE_WIRE } from '../../../../../extension/sites/claude/wire.ts';
import type { DecodedEvent } from '../../../../../extension/sites/decoder.ts';
import type { SseStyle } from '../../../../support/sites/claude/completion.ts';
import {
  blockStart,
  blockStop,
  comment,
  delta,
  messageDelta,
  messageStart,
  messageStop,
  sse,
  textDelta,
} from '../../../../support/sites/claude/completion.ts';
import { ANSWER, CONVERSATION, CONVERSATIONS, decodeAll, HUMAN, head, SEND } from './ids.ts';

const URL = `${CONVERSATIONS}/${CONVERSATION}/completion`;
const HEAD = head({ url: URL, contentType: 'text/event-stream', send: SEND });
const REF = { conversationId: CONVERSATION, messageId: ANSWER, userMessageId: HUMAN };
const START = messageStart(ANSWER, HUMAN);
const FINAL = { type: 'final', answer: REF, text: 'Sure, done.', history: false };

const body = (events: { type: string }[], style?: SseStyle) => events.map((event) => sse(event, style)).join('');
const decodeText = (text: string, isBroken = false) =>
  decodeAll(CLAUDE_WIRE.decoder(HEAD), [Buffer.from(text)], isBroken);
const decode = (...events: { type: string }[]): DecodedEvent[] => decodeText(body(events));
const PLAIN = [
  START,
  blockStart(0),
  textDelta(0, 'Sure'),
  textDelta(0, ', done.'),
  blockStop(0),
  messageDelta('end_turn'),
  messageStop(),
];

describe('The completion stream of claude.ai', () => {
  it('gives acceptance, progress and the final answer', () => {
    expect(decode(...PLAIN)).toEqual([
      { type: 'accepted', conversationId: CONVERSATION, userMessageId: HUMAN },
      { type: 'progress', answer: REF, chars: 4 },
      { type: 'progress', answer: REF, chars: 11 },
      FINAL,
    ]);
  });

  it('is the same with CRLF, padding, pings and comments', () => {
    const [start, ...rest] = PLAIN.map((event) => sse(event, { newline: '\r\n', padding: 40 }));
    const disturbed = [start, comment, sse({ type: 'ping' }), ...rest].join('');
    expect(decodeText(disturbed)).toEqual(decode(...PLAIN));
  });

  it('takes text blocks only, in the order of their index', () => {
    const events = decode(
      START,
      blockStart(0, { type: 'thinking', thinking: '' }),
      delta(0, { type: 'thinking_delta', thinking: '```baa\n@local::tool\n```' }),
      delta(0, { type: 'thinking_summary_delta', summary: { summary: 'Thought' } }),
      blockStart(3),
      textDelta(3, 'After.'),
      blockStart(1),
      textDelta(1, 'Before.'),
      delta(1, { type: 'citation_start_delta', citation: {} }),
      delta(1, { type: 'citation_end_delta', citation_uuid: 'x' }),
      blockStart(2, { type: 'tool_use', name: 'artifacts', input: {} }),
      delta(2, { type: 'input_json_delta', partial_json: '{"content":"```baa"}' }),
      delta(2, { type: 'tool_use_block_update_delta', message: 'x' }),
      delta(2, { type: 'tool_result_block_update_delta', message: 'x' }),
      delta(1, { type: 'flag_delta', flag: 'x' }),
      messageDelta('end_turn'),
      messageStop(),
    );
    expect(events.at(-1)).toEqual({ ...FINAL, text: 'Before.\n\nAfter.' });
    expect(events.filter((event) => event.type === 'drift')).toEqual([]);
  });

  it('falls back to the ids of the send when the stream names none', () => {
    expect(
      decode(
        messageStart(undefined, undefined),
        blockStart(0),
        textDelta(0, 'Sure, done.'),
        messageDelta('end_turn'),
        messageStop(),
      ).at(-1),
    ).toEqual(FINAL);
  });

  it.each(['max_tokens', 'tool_use', 'refusal', 'user_canceled', 'something_new'])(
    'is incomplete when it stops by %s',
    (reason) => {
      const events = decode(START, blockStart(0), textDelta(0, 'Su'), messageDelta(reason), messageStop());
      expect(events.at(-1)).toEqual({ type: 'incomplete', answer: REF, reason });
    },
  );

  it('is incomplete without its end mark, without a stop reason, and when it breaks', () => {
    const cut = PLAIN.slice(0, -1);
    expect(decode(...cut).at(-1)).toEqual({ type: 'incomplete', answer: REF, reason: 'no_end_mark' });
    expect(decodeText(body(cut), true).at(-1)).toEqual({ type: 'incomplete', answer: REF, reason: 'broken' });
    expect(decode(...PLAIN.slice(0, 5), messageStop()).at(-1)).toEqual({
      type: 'incomplete',
      answer: REF,
      reason: 'no_end_mark',
    });
    expect(decodeText('')).toEqual([{ type: 'incomplete', answer: null, reason: 'no_end_mark' }]);
  });

  it('is not completed by an end mark whose blank line is missing', () => {
    expect(decodeText(body(PLAIN).slice(0, -1)).at(-1)).toMatchObject({ type: 'incomplete' });
  });

  it('reports an error in the stream, and no lack of an end mark beside it', () => {
    const failed = decode(START, { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } } as {
      type: string;
    });
    expect(failed.slice(1)).toEqual([{ type: 'error', reason: 'overloaded' }]);
  });

  it('reports a limit that is exceeded, with the latest reset of what is exceeded', () => {
    const windows = {
      '5h': { status: 'exceeded_limit', resets_at: 1_795_600_000 },
      '7d': { status: 'exceeded_limit', resets_at: 1_795_700_000 },
      overage: { status: 'within_limit', resets_at: 1_795_900_000 },
    };
    const limit = (type: string) => ({ type: 'message_limit', message_limit: { type, windows } });
    expect(decode(limit('exceeded_limit'))[0]).toEqual({
      type: 'limit',
      resetsInMs: null,
      resetsAt: 1_795_700_000_000,
      reason: 'exceeded_limit',
    });
    expect(decode(limit('approaching_limit'), limit('within_limit'))).toHaveLength(1);
  });

  it('reports what it does not know as drift, once', () => {
    const odd = decode(START, { type: 'hologram' }, { type: 'hologram' }, delta(0, { type: 'smell_delta' }));
    expect(odd.filter((event) => event.type === 'drift')).toEqual([
      { type: 'drift', what: 'completion:event:hologram' },
      { type: 'drift', what: 'completion:delta:smell_delta' },
    ]);
    expect(decodeText('data: no json\n\n')[0]).toEqual({ type: 'drift', what: 'completion:json' });
  });

  it('gives up on an answer that is too large', () => {
    const decoder = CLAUDE_WIRE.decoder(HEAD);
    decoder.push(Buffer.from(body([START, blockStart(0)])));
    const part = Buffer.from(sse(textDelta(0, 'x'.repeat(3_000_000))));
    const events = Array.from({ length: 20 }, () => decoder.push(part)).flat();
    expect(events.filter((event) => event.type !== 'progress')).toEqual([
      { type: 'opaque', reason: 'answer_too_large' },
    ]);
  });
});
