import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutEnd, cutStart } from '../../../../local-agent/lib/cut-bytes.ts';
import { terminalText } from '../../../../local-agent/lib/terminal-text.ts';

describe('the text that a terminal would show', () => {
  it.each([
    ['colours', '\u001b[1;31mred\u001b[0m', 'red'],
    ['a link', '\u001b]8;;https://example.org\u0007text\u001b]8;;\u0007', 'text'],
    ['a title', '\u001b]0;title\u0007text', 'text'],
    ['a bell', 'a\u0007b', 'ab'],
    ['a progress bar', '1%\r50%\r100%\nnext', '100%\nnext'],
    ['a progress bar that ends with a return', '1%\r100%\r\nnext', '100%\nnext'],
    ['line ends of Windows', 'a\r\nb\r\n', 'a\nb\n'],
    ['tabs and other languages', 'a\tä €\n', 'a\tä €\n'],
    ['an escape without an end', 'a\u001b', 'a'],
  ])('of %s', (_name, text, shown) => {
    expect(terminalText(text)).toBe(shown);
  });

  it('has no control character but tab and line break, whatever was printed', () => {
    const printed = fc.array(fc.constantFrom('a', '\r', '\n', '\u001b', '[', ';', '3', 'm', ']', '\u0007', '\u009b'));
    fc.assert(
      fc.property(printed, (parts) => {
        expect(terminalText(parts.join(''))).not.toMatch(/(?![\n\t])\p{Cc}/u);
      }),
    );
  });

  it.each(['\r', '\u001b', '\u001b[', ';', '\u001b]8;;', 'a\r', '\u001b[;'])(
    'of %j, many times, is found in linear work',
    (unit) => {
      expect(terminalText(unit.repeat(200_000)).length).toBeLessThanOrEqual(unit.length * 200_000);
    },
  );
});

describe('a text cut by its bytes', () => {
  it('is a part of the text without a cut character, and as long as it may be', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(40), (text, maxBytes) => {
        const bytes = Buffer.from(text);
        const [first, last] = [cutEnd(bytes, maxBytes), cutStart(bytes, maxBytes)];
        expect(text.startsWith(first) && text.endsWith(last)).toBe(true);
        for (const part of [first, last]) {
          const size = Buffer.byteLength(part);
          expect(size).toBeLessThanOrEqual(maxBytes);
          expect(size).toBeGreaterThan(Math.min(maxBytes, bytes.length) - 4);
        }
      }),
    );
  });

  it('leaves out a character of which the bytes themselves have a part only', () => {
    const euro = Buffer.from('a€b');
    expect(cutEnd(euro.subarray(0, 3), 10)).toBe('a');
    expect(cutStart(euro.subarray(2), 10)).toBe('b');
  });
});
