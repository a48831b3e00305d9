import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockExtractor, extractBlocks } from '../../../../local-agent/instructions/extract.ts';
import { BlockStructure } from '../../../../local-agent/instructions/markdown/blocks.ts';
import { document } from './markdown-texts.ts';

/** Many runs on a busy machine: the limit only ends what hangs. */
const PATIENT = { timeout: 120_000 };

interface Found {
  line: number;
  lines: string[];
}

/** The blocks, found by understanding every line. */
function understood(text: string): Found[] {
  const structure = new BlockStructure();
  const found: Found[] = [];
  let open: Found | null = null;
  for (const [index, line] of text.split(/\r\n|\n|\r/).entries()) {
    const role = structure.take(line);
    if (role.role === 'content') open?.lines.push(role.text);
    else if (role.role === 'open') {
      open = role.info === 'baa' && !structure.ambiguous ? { line: index + 1, lines: [] } : null;
    } else if (role.role === 'close' && open) {
      found.push(open);
      open = null;
    }
  }
  return found;
}

describe('lines that are passed over', PATIENT, () => {
  it('change nothing: the same is found as when every line is understood', () => {
    const documents = fc.array(document, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('\n\n'));
    fc.assert(
      fc.property(documents, (text) => {
        expect(extractBlocks(text).map(({ line, lines }) => ({ line, lines }))).toEqual(understood(text));
      }),
      { numRuns: 5_000 },
    );
  });
});

/** Pieces are gathered before they are read: long enough that reading stops in the middle of what follows. */
const filler = fc.integer({ min: 16_100, max: 16_384 }).map((length) => `${'x'.repeat(length)}\n`);
const longDocument = fc
  .array(fc.tuple(filler, document), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.flat().join(''));

describe('over a stream', PATIENT, () => {
  it('finds the same in whatever pieces the text comes', () => {
    fc.assert(
      fc.property(longDocument, fc.integer({ min: 1, max: 99 }), (text, size) => {
        const extractor = new BlockExtractor();
        for (let at = 0; at < text.length; at += size) extractor.push(text.slice(at, at + size));
        expect(extractor.end()).toEqual(extractBlocks(text));
      }),
      { numRuns: 500 },
    );
  });

  it('goes on with a line longer than what is read at once', () => {
    const extractor = new BlockExtractor();
    // The third piece is read at once, and the half of a line's end that it ends with is not taken for a whole one.
    for (const piece of ['```baa\r', `\n${'x'.repeat(20_000)}`, `${'x'.repeat(20_000)}\r`, '\n``', '`']) {
      extractor.push(piece);
    }
    expect(extractor.end()).toMatchObject([{ line: 1, lines: ['x'.repeat(40_000)] }]);
  });

  it('takes any text without throwing', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void extractBlocks(text)));
  });
});

/** Texts that make careless scanners slow: each of a given length, nearly. */
const FAMILIES: Record<string, (length: number) => string> = {
  backticks: (n) => '`'.repeat(n),
  'unclosed fences': (n) => '```baa\n'.repeat(n / 7),
  'fence lines that do not close': (n) => `\`\`\`\n${`\`\`\`${' '.repeat(100)}x\n`.repeat(n / 104)}`,
  quotes: (n) => '>'.repeat(n),
  'nested lists and blank lines': (n) => `${'- '.repeat(n / 4)}\n${'\n'.repeat(n / 2)}`,
  'nested lists and indented lines': (n) => `${'- '.repeat(n / 8)}a\n${`${' '.repeat(n / 4)}b\n`.repeat(3)}`,
  'quotes over nested lists': (n) => `> ${'- '.repeat(n / 4)}a\n${'>\n'.repeat(n / 4)}`,
  'almost thematic breaks': (n) => `${'* '.repeat(n / 2)}a`,
  'one tag of attributes': (n) => `<a${' b'.repeat(n / 2)}`,
  'one tag of white space': (n) => `<a ${' '.repeat(n)}`,
  'carriage returns': (n) => '\r'.repeat(n),
  'one line': (n) => 'a'.repeat(n),
  tabs: (n) => '\t'.repeat(n),
  'an info string of white space': (n) => `\`\`\`a${' '.repeat(n)}b`,
  underlines: (n) => `[\n${'=\n'.repeat(n / 2)}`,
};

/** What this thread computed for it: neither waiting for a busy machine nor other threads count. */
function costMicros(text: string): number {
  const before = process.threadCpuUsage();
  extractBlocks(text);
  const { user, system } = process.threadCpuUsage(before);
  return user + system;
}

/** A quadratic scan is at 256. */
const GROWTH = 16;
const LIMIT = 96;
/**
 * Less than that is taken for it: a warm 8 KiB costs a few hundred, and divides what a busy machine adds to the large
 * text. A square of 8 Ki steps costs many times as much, so nothing quadratic hides behind it.
 */
const FLOOR_MICROS = 1_000;
const MAX_ROUNDS = 40;
/** A hundred times what any of them costs: not worth another round. */
const HOPELESS_MICROS = 1_000_000;

/** The ratio of the least costs; measured until it is below the limit, since what disturbs only adds to a cost. */
function leastRatio(small: string, large: string): number {
  let least = { small: Number.POSITIVE_INFINITY, large: Number.POSITIVE_INFINITY };
  let ratio = Number.POSITIVE_INFINITY;
  for (let round = 0; round < MAX_ROUNDS && ratio >= LIMIT; round++) {
    least = { small: Math.min(least.small, costMicros(small)), large: Math.min(least.large, costMicros(large)) };
    ratio = least.large / Math.max(least.small, FLOOR_MICROS);
    if (least.large > HOPELESS_MICROS) break;
  }
  return ratio;
}

describe('however the text is made', PATIENT, () => {
  it.each(Object.entries(FAMILIES))('%s: the cost grows with the length, not with its square', (_name, make) => {
    // An indented fence depends on what came before: for its sake all of that must be understood.
    const text = (length: number) => `${make(length)}\n ~~~`;
    expect(leastRatio(text(8 * 1024), text(GROWTH * 8 * 1024))).toBeLessThan(LIMIT);
  });
});
