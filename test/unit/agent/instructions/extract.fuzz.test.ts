import fc from 'fast-check';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { describe, expect, it } from 'vitest';
import { extractBlocks } from '../../../../local-agent/instructions/extract.ts';
import { FAMILIES } from '../../../bench/extraction/texts.ts';
import { document } from './markdown-texts.ts';

/** Many runs on a busy machine: the limit only ends what hangs. */
const PATIENT = { timeout: 120_000 };

/** Always the same texts: micromark 4 misreads about one in a million that `confusesReference` does not leave out. */
const RUNS = { numRuns: 2_000, seed: 20_251 };

/** Texts with what micromark 4 often misreads: indented code above or in list items, and lone tags below quotes. */
function confusesReference(text: string): boolean {
  const lines = text.replaceAll(/\r\n?/g, '\n');
  const codeAboveEmptyItem = /^(?: {4}| *\t)/m.test(lines) && /(?:[-+*]|\d+[.)])[ \t]*$/m.test(lines);
  return codeAboveEmptyItem || /[-+*.)](?: {5}| *\t)/.test(lines) || /^ {0,3}<.*\n {0,3}</m.test(lines);
}

/** What the reference parser places at the root as a closed fence with the info string `baa`. */
function referenceBlocks(text: string): string[] {
  const source = text.split(/\r\n|\n|\r/);
  return fromMarkdown(text).children.flatMap((node) => {
    if (node.type !== 'code' || node.lang !== 'baa' || node.meta || !node.position) return [];
    const { start, end } = node.position;
    const opening = /^ {0,3}(`{3,}|~{3,})[ \t]*baa[ \t]*$/.exec(source[start.line - 1] ?? '');
    const closing = /^ {0,3}(`{3,}|~{3,})[ \t]*$/.exec(source[end.line - 1] ?? '');
    const closed = opening?.[1] && closing?.[1]?.startsWith(opening[1]) && end.line > start.line;
    return closed ? [`${start.line}: ${node.value.replace(/\r\n?/g, '\n')}`] : [];
  });
}

function foundBlocks(text: string): string[] {
  const { blocks } = extractBlocks(text);
  return blocks.map(({ line, lines }) => `${line}: ${lines.join('\n').replaceAll('\0', '\ufffd')}`);
}

describe('the blocks found in a text', PATIENT, () => {
  it('every block is a baa fence at the root for another CommonMark parser too', () => {
    fc.assert(
      fc.property(document, (text) => {
        fc.pre(!confusesReference(text));
        const allowed = new Set(referenceBlocks(text));
        expect(foundBlocks(text).filter((found) => !allowed.has(found))).toEqual([]);
      }),
      RUNS,
    );
  });

  it('in a text without HTML and definitions they are all that the other parser finds', () => {
    fc.assert(
      fc.property(document, (text) => {
        fc.pre(!confusesReference(text) && !/[<[]/.test(text));
        expect(foundBlocks(text)).toEqual(referenceBlocks(text));
      }),
      RUNS,
    );
  });

  it('no text makes the parser throw', () => {
    const text = fc.tuple(fc.string({ unit: 'binary' }), document).map((parts) => parts.join('\n```baa\n'));
    fc.assert(
      fc.property(text, (any) => {
        expect(extractBlocks(any).error?.code).not.toBe('message_unreadable');
      }),
    );
  });
});

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
/** Ten times what any of them costs: not worth another round. */
const HOPELESS_MICROS = 2_000_000;

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

describe('the cost of finding blocks', PATIENT, () => {
  it.each(Object.entries(FAMILIES))(
    'the cost grows with the length of the text, not with its square: %s',
    (_name, make) => {
      const text = (length: number) => `${make(length)}\n\`\`\`baa\nx\n\`\`\``;
      expect(leastRatio(text(8 * 1024), text(GROWTH * 8 * 1024))).toBeLessThan(LIMIT);
    },
  );
});
