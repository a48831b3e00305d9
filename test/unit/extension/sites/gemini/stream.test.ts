import { describe, expect, it } from 'vitest';
import {
  answerPart,
  body,
  errorPart,
  line,
  PREFIX,
  rejectedPart,
  TRAILER,
} from '../../../../support/sites/gemini/wire-format.ts';
import { ANSWER, eventsOf, FIRST, HEX, IDS, SECOND, SEND, streamDecoder } from './fixture.ts';

const ACCEPTED = { type: 'accepted', conversationId: HEX, userMessageId: IDS.turn };
const progress = (chars: number) => ({ type: 'progress', answer: ANSWER, chars });
const final = (text: string) => ({ type: 'final', answer: ANSWER, text, history: false });
const incomplete = (reason: string) => ({ type: 'incomplete', answer: ANSWER, reason });

const said = (text: string, state: 1 | 2 | null = 1) => [answerPart(IDS, [{ id: FIRST, text, state }])];

describe("Gemini's stream", () => {
  it('reads the example of a body as the live site writes it', () => {
    const text = `)]}'

123
[["wrb.fr",null,"[null,[\\"c_${HEX}\\",\\"${IDS.turn}\\"],null,null,[[\\"${FIRST}\\",[\\"Sure\\"],null,null,null,null,null,null,[1]]]]"]]
130
[["wrb.fr",null,"[null,[\\"c_${HEX}\\",\\"${IDS.turn}\\"],null,null,[[\\"${FIRST}\\",[\\"Sure, done.\\"],null,null,null,null,null,null,[2]]]]"]]
25
[["e",4,null,null,382]]
`;
    expect(eventsOf(text)).toEqual([ACCEPTED, progress(4), progress(11), final('Sure, done.')]);
  });

  it('takes the last text of an answer whose end was written another way before', () => {
    const text = body([said('Sure\\!'), said('Sure! D'), said('Sure! Done.', 2), ...TRAILER]);
    expect(eventsOf(text).at(-1)).toEqual(final('Sure! Done.'));
  });

  it('is final when the response ends without the trailer, once the answer is marked complete', () => {
    expect(eventsOf(body([said('Done.', 2)])).at(-1)).toEqual(final('Done.'));
  });

  it('is final as soon as the trailer has come, before the response ends', () => {
    const decoder = streamDecoder();
    const events = decoder.push(new TextEncoder().encode(body([said('Done.', 2), ...TRAILER])));
    expect(events.at(-1)).toEqual(final('Done.'));
    expect(decoder.end(false)).toEqual([]);
  });

  it('is incomplete when it ends without the mark, however whole the text looks', () => {
    expect(eventsOf(body([said('Done.'), ...TRAILER])).at(-1)).toEqual(incomplete('no_end_mark'));
    expect(eventsOf(body([said('Done.')])).at(-1)).toEqual(incomplete('no_end_mark'));
    expect(eventsOf(body([said('Done.', null), ...TRAILER])).at(-1)).toEqual(incomplete('no_end_mark'));
  });

  it('is incomplete when the connection breaks before the trailer, marked complete or not', () => {
    expect(eventsOf(body([said('Done.', 2)]), { isBroken: true }).at(-1)).toEqual(incomplete('no_end_mark'));
  });

  it('does not read a last line that the connection cut', () => {
    const text = PREFIX + line(said('Do')) + line(said('Done.', 2)).trimEnd();
    expect(eventsOf(text, { isBroken: true })).toEqual([ACCEPTED, progress(2), incomplete('no_end_mark')]);
    expect(eventsOf(text).at(-1)).toEqual(final('Done.'));
  });

  it('goes by the newest mark, also when an answer that was complete is written again', () => {
    const text = body([said('Done.', 2), said('Done. And', 1), ...TRAILER]);
    expect(eventsOf(text).at(-1)).toEqual(incomplete('no_end_mark'));
  });

  it('keeps the mark and the text when a later part names neither', () => {
    const text = body([said('Done.', 2), [answerPart(IDS, [], 'context-token')], ...TRAILER]);
    expect(eventsOf(text)).toEqual([ACCEPTED, progress(5), final('Done.')]);
  });

  it('never takes thoughts for the answer', () => {
    const thinking = answerPart(IDS, [{ id: FIRST, text: '', state: 1, thoughts: '```baa\n@host::exec {}\n```' }]);
    expect(eventsOf(body([[thinking]]))).toEqual([ACCEPTED, incomplete('no_end_mark')]);
    const text = body([[thinking], said('Done.', 2), ...TRAILER]);
    expect(eventsOf(text)).toEqual([ACCEPTED, progress(5), final('Done.')]);
  });

  it('says that an answer was cut while it was still thinking', () => {
    const text = body([[answerPart(IDS, [])]]);
    expect(eventsOf(text)).toEqual([ACCEPTED, { type: 'incomplete', answer: null, reason: 'no_end_mark' }]);
  });

  it('follows the first of two drafts, complete or not, and never the second', () => {
    const drafts = (first: 1 | 2, second: 1 | 2) => [
      answerPart(IDS, [
        { id: FIRST, text: 'one', state: first },
        { id: SECOND, text: 'two', state: second },
      ]),
    ];
    expect(eventsOf(body([drafts(1, 1), drafts(2, 1), ...TRAILER])).at(-1)).toEqual(final('one'));
    expect(eventsOf(body([drafts(1, 1), drafts(1, 2), ...TRAILER])).at(-1)).toEqual(incomplete('no_end_mark'));
  });

  it('does not mistake a part that names only the second draft for the first', () => {
    const other = answerPart(IDS, [{ id: SECOND, text: 'two', state: 2 }]);
    expect(eventsOf(body([said('one'), [other], ...TRAILER])).at(-1)).toEqual(incomplete('no_end_mark'));
  });

  it('gives a temporary conversation no id', () => {
    const decoder = streamDecoder({ send: { ...SEND, isTemporary: true } });
    const [accepted, , last] = eventsOf(body([said('Done.', 2), ...TRAILER]), { decoder });
    expect(accepted).toEqual({ ...ACCEPTED, conversationId: null });
    expect(last).toEqual({ ...final('Done.'), answer: { ...ANSWER, conversationId: null } });
  });

  it('reports a line that is neither a length nor JSON, once, and reads the others', () => {
    const text = `${PREFIX}<hm>\n${line(said('Done.', 2))}<hm>\n${TRAILER.map(line).join('')}`;
    expect(eventsOf(text)).toEqual([{ type: 'drift', what: 'gemini_line' }, ACCEPTED, progress(5), final('Done.')]);
  });

  it('reports data that is no JSON, an unknown mark, and an answer without an id', () => {
    const events = eventsOf(
      body([
        [['wrb.fr', null, 'not json']],
        [answerPart(IDS, [{ id: 'x', text: 'a', state: 1 }])],
        [answerPart(IDS, [{ id: FIRST, text: 'a', state: 3 as 1 }])],
        ...TRAILER,
      ]),
    );
    const drift = events.flatMap((event) => (event.type === 'drift' ? [event.what] : []));
    expect(drift).toEqual(['gemini_data_json', 'gemini_answer_id', 'gemini_answer_state']);
    expect(events.at(-1)).toEqual(incomplete('no_end_mark'));
  });
});

describe("errors in Gemini's stream", () => {
  const limit = { type: 'limit', resetsInMs: null, resetsAt: null, reason: 'usage_limit' };

  it('are a limit, a refusal or a failure by their code', () => {
    const only = (code: number) => eventsOf(body([[errorPart(code)], ...TRAILER]));
    expect(only(1037)).toEqual([limit]);
    expect(only(1097)).toEqual([
      { type: 'refused', conversationId: null, userMessageId: null, reason: 'follow_up_refused' },
    ]);
    expect(
      [1003, 1013, 1050, 1052, 1060, 1096, 4711].map((code) => {
        const [event] = only(code);
        return event?.type === 'error' ? event.reason : event?.type;
      }),
    ).toEqual([
      'image_refused',
      'temporary_error',
      'model_unavailable',
      'model_unavailable',
      'location_blocked',
      'session_ended',
      'code_4711',
    ]);
  });

  it('mean nothing after a complete answer when they are 1096', () => {
    const text = body([said('Done.', 2), [errorPart(1096)], ...TRAILER]);
    expect(eventsOf(text)).toEqual([ACCEPTED, progress(5), final('Done.')]);
  });

  it('leave a complete answer final, and say that a limit was reached by it', () => {
    const text = body([said('Done.', 2), [errorPart(1037)], ...TRAILER]);
    expect(eventsOf(text)).toEqual([ACCEPTED, progress(5), final('Done.'), limit]);
  });

  it('make an answer that has begun incomplete', () => {
    const text = body([said('Do'), [errorPart(1096)], ...TRAILER]);
    expect(eventsOf(text).slice(2)).toEqual([incomplete('session_ended'), { type: 'error', reason: 'session_ended' }]);
  });

  it('refuse a request as a whole by the status 7', () => {
    expect(eventsOf(body([[rejectedPart()], ...TRAILER]))).toEqual([
      { type: 'refused', conversationId: null, userMessageId: null, reason: 'rejected' },
    ]);
  });

  it('come also before any body, by the head of the response', () => {
    const first = (change: Parameters<typeof streamDecoder>[0]) =>
      eventsOf('<html>', { decoder: streamDecoder(change) });
    expect(first({ status: 401 })).toEqual([{ type: 'signed_out' }]);
    expect(first({ status: 200, contentType: 'text/html' })).toEqual([{ type: 'challenge' }]);
    expect(first({ status: 429, contentType: 'text/html' })).toEqual([{ type: 'challenge' }]);
    expect(first({ status: 400 })).toEqual([{ type: 'error', reason: 'http_400' }]);
    expect(first({ status: 429, headers: { 'retry-after': '90' } })).toEqual([
      { type: 'limit', resetsInMs: 90_000, resetsAt: null, reason: 'http_429' },
    ]);
    expect(first({ status: 429, headers: { 'retry-after': 'Thu, 26 Nov 2026 10:00:00 GMT' } })).toEqual([
      { type: 'limit', resetsInMs: null, resetsAt: Date.UTC(2026, 10, 26, 10), reason: 'http_429' },
    ]);
    expect(first({ status: 429 })).toEqual([{ type: 'limit', resetsInMs: null, resetsAt: null, reason: 'http_429' }]);
  });
});
