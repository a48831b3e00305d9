/** Properties of the decoders for any chunking and any bytes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GEMINI } from '../../../../../extension/sites/gemini/gemini.ts';
import { growth } from '../../../../support/growth.ts';
import {
  answerPart,
  body,
  errorPart,
  line,
  readingPart,
  TRAILER,
} from '../../../../support/sites/gemini/wire-format.ts';
import { eventsOf, FIRST, head, IDS, streamDecoder } from './fixture.ts';

const said = (text: string, state: 1 | 2) => [answerPart(IDS, [{ id: FIRST, text, state }])];
/** Characters of one to four bytes, escapes, and what the framing itself is made of. */
const texts = fc.string({
  unit: fc.constantFrom('a', '"', '\\', '\n', 'ü', '你', '🎼', '7', '[', '\u2028'),
  maxLength: 60,
});
const junk = fc.constantFrom('', '12\n', '\n\n', '<html>\n', '[[\n', '{}\n', '[["wrb.fr",null,"["]]\n', 'null\n');
const bodies = fc
  .tuple(fc.array(texts, { maxLength: 6 }), junk, fc.boolean(), fc.option(fc.constantFrom(1037, 1096, 1013)))
  .map(([parts, strange, isEnded, code]) => {
    const lines = parts.map((text, index) => said(text, index === parts.length - 1 ? 2 : 1));
    const errors = code === null ? [] : [[errorPart(code)]];
    return body([...lines, ...errors]) + strange + (isEnded ? TRAILER.map(line).join('') : '');
  });
const cuts = fc.array(fc.nat(2_000), { maxLength: 30 });
const reader = () => GEMINI.wire.decoder(head({ role: 'read', send: null }));

describe("Gemini's decoders", () => {
  it('give the same events for any chunking of a stream', () => {
    fc.assert(
      fc.property(bodies, cuts, fc.boolean(), (text, at, isBroken) => {
        expect(eventsOf(text, { cuts: at, isBroken })).toEqual(eventsOf(text, { isBroken }));
      }),
    );
  });

  it('give the same events when each byte comes by itself', () => {
    const text = body([said('🎼 你好 \\"', 1), said('🎼 你好 \\" ü', 2), ...TRAILER]);
    const everywhere = Array.from({ length: text.length * 4 }, (_, index) => index);
    expect(eventsOf(text, { cuts: everywhere })).toEqual(eventsOf(text));
  });

  it('give the same reading for any chunking', () => {
    fc.assert(
      fc.property(texts, cuts, (text, at) => {
        const turn = { ...IDS, question: text, answers: [{ id: FIRST, text, state: 2 as const }] };
        const whole = body([[readingPart([turn])], ...TRAILER]);
        expect(eventsOf(whole, { cuts: at, decoder: reader() })).toEqual(eventsOf(whole, { decoder: reader() }));
      }),
    );
  });

  it('neither throw nor call anything final for bytes of any kind', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 8 }), (chunks) => {
        for (const decoder of [streamDecoder(), reader()]) {
          const events = [...chunks.flatMap((chunk) => decoder.push(chunk)), ...decoder.end(false)];
          expect(events.filter(({ type }) => type === 'final' || type === 'reading')).toEqual([]);
        }
      }),
    );
  });

  it('neither throw nor call anything final for JSON of any shape in the known places', () => {
    fc.assert(
      fc.property(fc.json(), fc.jsonValue(), (inner, error) => {
        const text = body([[['wrb.fr', 'hNvQHb', inner, null, null, error]], [['wrb.fr', inner]], ...TRAILER]);
        const events = [...eventsOf(text), ...eventsOf(text, { decoder: reader() })];
        expect(events.filter(({ type }) => type === 'final' || type === 'reading')).toEqual([]);
      }),
    );
  });

  it('give up on a line that is longer than any answer, and keep none of it', () => {
    const decoder = streamDecoder();
    const chunk = new Uint8Array(1_000_000).fill(0x61);
    const events = Array.from({ length: 20 }, () => decoder.push(chunk)).flat();
    expect([...events, ...decoder.end(false)]).toEqual([{ type: 'opaque', reason: 'line_too_long' }]);
  });

  it('take time that grows no faster than the bytes, in small pieces too', () => {
    const decoding = (chars: number) => {
      const bytes = new TextEncoder().encode(body([said('<FollowUp '.repeat(chars / 10), 2), ...TRAILER]));
      return () => {
        const decoder = streamDecoder();
        for (let at = 0; at < bytes.length; at += 7) decoder.push(bytes.subarray(at, at + 7));
        decoder.end(false);
      };
    };
    // Eight times the bytes; a quadratic decoder needs sixty-four times as long.
    const LIMIT = 24;
    expect(growth(decoding, [100_000, 800_000], LIMIT)).toBeLessThan(LIMIT);
  });
});
