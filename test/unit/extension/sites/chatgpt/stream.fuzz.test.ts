import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { growth } from '../../../../support/growth.ts';
import { begin, COMPLETE, conclusions, DONE, decode, delta, finish, frame, message, OPENING, PLAIN } from './scene.ts';
import type { Operation } from './straightforward-reducer.ts';
import { reduced } from './straightforward-reducer.ts';

const encoder = new TextEncoder();
const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 200 });

/** Pieces of streams, in any order: most make no sense together. */
const piece = fc.oneof(
  fc.constantFrom(
    OPENING,
    begin(),
    begin({ id: 'b', channel: 'commentary' }),
    begin({ id: 'd', channel: null }),
    delta({ p: '/message/content/parts/0', o: 'append', v: 'é你😀' }),
    delta({ v: ' more' }),
    finish('end'),
    finish('end', 'max_tokens'),
    COMPLETE,
    DONE,
    ': ping\n\n',
    frame({ type: 'num_variants_in_stream', num_variants_in_stream: 2 }),
    frame({ type: 'stream_handoff' }),
    frame({ message: message(), error: null }),
    frame({ error: 'x' }),
    'data: {\n\n',
    'event: delta\ndata: null\n\n',
    'event: delta\ndata: [1]\n\n',
    'event: delta\ndata: {"p":4}\n\n',
  ),
  fc.json().map((json) => `event: delta\ndata: ${json}\n\n`),
  fc.json().map((json) => `data: ${json}\n\n`),
);

describe('The decoder of ChatGPT streams', () => {
  it('gives the same events for any chunking', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), sizes, fc.boolean(), (parts, cut, isBroken) => {
        const body = parts.join('');
        expect(decode(body, { sizes: cut, isBroken })).toEqual(decode(body, { isBroken }));
      }),
      { numRuns: 500 },
    );
    for (let at = 1; at < encoder.encode(PLAIN).length; at += 1)
      expect(decode(PLAIN, { sizes: [at] })).toEqual(decode(PLAIN));
  });

  it('ends each stream with one conclusion, for any bytes', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.array(piece, { maxLength: 10 }).map((all) => encoder.encode(all.join(''))),
    );
    fc.assert(
      fc.property(bytes, sizes, fc.boolean(), (body, cut, isBroken) => {
        expect(conclusions(decode(body, { sizes: cut, isBroken }))).toHaveLength(1);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['a name of the prototype', { p: '/message/__proto__/polluted', o: 'add', v: 'x' }],
    ['a name of the prototype in a kept part', { p: '/message/metadata/__proto__/polluted', o: 'add', v: 'x' }],
    ['the constructor', { p: '/message/metadata/constructor/prototype/polluted', o: 'replace', v: 'x' }],
    ['a huge index', { p: '/message/content/parts/4294967294', o: 'add', v: 'x' }],
    ['a negative index', { p: '/message/content/parts/-1', o: 'replace', v: 'x' }],
    ['the length of a list', { p: '/message/content/parts/length', o: 'replace', v: 0 }],
    ['a very long path', { p: `/message/metadata${'/a'.repeat(100_000)}`, o: 'add', v: 'x' }],
    ['a method of strings', { p: '/message/status/toString', o: 'replace', v: 'x' }],
  ])('is not harmed by a path with %s', (_name, change) => {
    const before = Object.keys(Object.prototype).length;
    const events = conclusions(decode(OPENING + begin() + delta(change) + finish('ok') + COMPLETE));
    expect(events).toHaveLength(1);
    expect(['opaque', 'final']).toContain(events[0]?.type);
    expect(Object.keys(Object.prototype)).toHaveLength(before);
    expect('polluted' in {}).toBe(false);
  });

  it('is not harmed by a merged name of the prototype', () => {
    const merge =
      'event: delta\ndata: {"p":"/message/metadata","o":"append","v":{"__proto__":{"finish_details":{"type":"x"}}}}\n\n';
    expect(conclusions(decode(OPENING + begin() + merge + finish('ok') + COMPLETE))).toMatchObject([{ type: 'final' }]);
  });

  it('is not harmed by deep nesting', () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    for (const value of [deep, `{"message":{"id":"x","metadata":${deep}}}`]) {
      const body = `${OPENING}${begin()}event: delta\ndata: {"p":"/message/metadata/x","o":"add","v":${value}}\n\n`;
      expect(conclusions(decode(body + finish('ok') + COMPLETE))).toHaveLength(1);
    }
  });

  it('keeps a bounded part of a message at most', () => {
    const many = Array.from({ length: 50 }, () =>
      delta({ p: '/message/metadata/x', o: 'replace', v: 'x'.repeat(100_000) }),
    );
    expect(conclusions(decode(OPENING + begin() + many.join('') + finish('ok') + COMPLETE))).toEqual([
      { type: 'opaque', reason: 'message_too_large' },
    ]);
    const parts = delta({ p: '/message/content/parts', o: 'append', v: Array(200).fill('') });
    expect(conclusions(decode(OPENING + begin() + parts))).toEqual([{ type: 'opaque', reason: 'answer_too_large' }]);
  });

  it('skips the parts of a message that decide nothing, however large they are', () => {
    const many = Array.from({ length: 100 }, () =>
      delta({ p: '/message/content/thoughts/0/content', o: 'append', v: 'x'.repeat(100_000) }),
    );
    expect(conclusions(decode(OPENING + begin() + many.join('') + finish('ok') + COMPLETE))).toMatchObject([
      { type: 'final' },
    ]);
  });

  it('decodes any text that random changes make as a straightforward reducer does', () => {
    const path = fc.constantFrom(
      '/message/content/parts/0',
      '/message/content/parts/1',
      '/message/status',
      '/message/metadata',
    );
    const value = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 6 }),
      fc.constantFrom<unknown>(3, 1, { a: 'b' }, null),
    );
    const change = fc.record(
      { p: path, o: fc.constantFrom('append', 'replace', 'add', 'remove', 'truncate'), v: value },
      { requiredKeys: ['v'] },
    );
    const patch = fc.record({
      p: fc.constant(''),
      o: fc.constant('patch'),
      v: fc.array(fc.record({ p: path, o: fc.constantFrom('append', 'replace'), v: value })),
    });
    let finals = 0;
    fc.assert(
      fc.property(fc.array(fc.oneof(change, patch), { maxLength: 12 }), (changes) => {
        const operations = changes as Operation[];
        const expected = reduced(message(), operations);
        const body = OPENING + begin() + operations.map(delta).join('');
        const end =
          delta({ p: '/message/status', o: 'replace', v: 'finished_successfully' }) +
          delta({ p: '/message/end_turn', o: 'replace', v: true });
        const [event] = conclusions(decode(body + end + COMPLETE));
        if (expected === null) expect(event?.type).not.toBe('final');
        else {
          finals += 1;
          expect(event).toMatchObject({ type: 'final', text: expected });
        }
      }),
      { numRuns: 2000 },
    );
    expect(finals).toBeGreaterThan(200);
  });

  it('takes a time that grows no faster than the bytes', () => {
    const streams = (count: number) => ({
      appended:
        OPENING +
        begin() +
        delta({ p: '/message/content/parts/0', o: 'append', v: 'x' }) +
        delta({ v: 'y ' }).repeat(count),
      thoughts:
        OPENING +
        begin({ id: 't', channel: 'analysis' }) +
        delta({ p: '/message/content/parts/0', o: 'append', v: 'x' }).repeat(count),
      messages: OPENING + begin().repeat(count),
      truncated:
        OPENING +
        begin() +
        (
          delta({ p: '/message/content/parts/0', o: 'append', v: 'x' }) +
          delta({ p: '/message/content/parts/0', o: 'truncate', v: 1 })
        ).repeat(count),
      pings: ': p\n\n'.repeat(count * 10),
      oneLine: `data: "${'x'.repeat(count * 20)}`,
    });
    const COUNT = 2_000;
    // Eight times the bytes take 8 times as long when time is linear, and 64 times when it is quadratic.
    const LIMIT = 30;
    for (const name of Object.keys(streams(1)) as (keyof ReturnType<typeof streams>)[]) {
      const prepare = (count: number) => decoding(streams(count)[name]);
      expect(growth(prepare, [COUNT, COUNT * 8], LIMIT), name).toBeLessThan(LIMIT);
    }
  });
});

/** Decodes a body in small pieces, as from a network. */
function decoding(body: string): () => void {
  const bytes = encoder.encode(body);
  const sizes = Array.from({ length: Math.floor(bytes.length / 100) }, () => 100);
  return () => {
    decode(bytes, { sizes });
  };
}
