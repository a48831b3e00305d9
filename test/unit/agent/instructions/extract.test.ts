import fc from 'fast-check';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { describe, expect, it } from 'vitest';
import { BlockExtractor, extractBlocks } from '../../../../local-agent/instructions/extract.ts';
import { INSTRUCTION } from '../../../../schema/defaults.ts';

const bodies = (text: string) => extractBlocks(text).map(({ lines }) => lines.join('\n'));

/** Many runs on a busy machine: the limit only ends what hangs. */
const PATIENT = { timeout: 120_000 };

describe('a baa block', () => {
  it.each([
    ['backticks', '```baa\nx\n```'],
    ['tildes', '~~~baa\nx\n~~~~'],
    ['spaces around the info string', '```  baa \t\nx\n```  '],
    ['an indentation of three', '   ```baa\n   x\n   ```'],
    ['CRLF', '```baa\r\nx\r\n```\r\n'],
    ['lone carriage returns', '```baa\rx\r```'],
    ['after a paragraph', 'text\n```baa\nx\n```'],
    ['after a list that it ends', '- item\n\n```baa\nx\n```'],
    ['after a quote that it ends', '> quote\n```baa\nx\n```'],
    ['after a fence in a list item that ended with it', '- ```\n\n```baa\nx\n```'],
    ['after HTML that a blank line ended', '<div>\n\n```baa\nx\n```'],
    ['after an item that two blank lines ended before it began', '-\n\n  ```baa\n  x\n  ```'],
    ['a byte order mark', '\ufeff```baa\nx\n```'],
  ])('is found with %s', (_what, text) => {
    expect(bodies(text)).toEqual(['x']);
  });

  it.each([
    ['another info string', '```baa x\nx\n```'],
    ['an escaped info string', '```b\\aa\nx\n```'],
    ['an encoded info string', '```b&#97;a\nx\n```'],
    ['another case', '```BAA\nx\n```'],
    ['no closing fence', '```baa\nx\n'],
    ['a closing fence too short', '````baa\nx\n```'],
    ['a closing fence with text', '```baa\nx\n``` end'],
    ['an indentation of four', '    ```baa\n    x\n    ```'],
    ['a fence around it', '````\n```baa\nx\n```\n````'],
    ['a quote around it', '> ```baa\n> x\n> ```'],
    ['a list around it', '1. ```baa\n   x\n   ```'],
    ['an HTML block around it', '<div>\n```baa\nx\n```\n</div>'],
    ['an HTML comment around it', '<!--\n\n```baa\nx\n```\n-->'],
    ['a backtick in the info string', '```baa`\nx\n```'],
  ])('is not found with %s', (_what, text) => {
    expect(bodies(text)).toEqual([]);
  });

  it('loses the indentation of its fence, tabs by columns', () => {
    expect(bodies('  ```baa\n   x\n\ty\nz\n  ```')).toEqual([' x\n  y\nz']);
  });

  it('counts lines of the message and blocks from the first on', () => {
    expect(extractBlocks('a\n\n```baa\nx\n```\n```\nn\n```\n~~~baa\n~~~')).toMatchObject([
      { block_index: 0, line: 3 },
      { block_index: 1, line: 9 },
    ]);
  });

  it('is marked when it is larger than a block may be, and kept no further', () => {
    const line = `${'x'.repeat(1023)}\n`;
    const [found] = extractBlocks(`\`\`\`baa\n${line.repeat(65)}\`\`\``);
    expect(found?.too_large).toBe(true);
    expect(found?.lines.length).toBe(INSTRUCTION.max_block_bytes / 1024);
    expect(extractBlocks(`\`\`\`baa\n${line.repeat(64)}\`\`\``)[0]?.too_large).toBe(false);
  });

  it('ends the reading where parsers disagree on the structure', () => {
    expect(bodies('[a]: /u\n===\n```baa\nx\n```')).toEqual([]);
    expect(bodies('> text\n<x>\n```baa\nx\n```')).toEqual([]);
    expect(bodies('[a] text\n===\n```baa\nx\n```')).toEqual(['x']);
  });
});

const MARKERS = ['> ', '>', '- ', '1. ', '2. ', '* ', '+ ', '10) ', ' ', '   ', '    ', '\t', '-\t'];
const PIECES = [
  ...[
    '```baa',
    '~~~baa',
    '```',
    '```',
    '~~~',
    '````',
    '````baa',
    '```baa x',
    '``` baa',
    '',
    '',
    'text',
    '@a::b',
    '---',
  ],
  ...[
    '===',
    '* * *',
    '# h',
    '#',
    '[a]: /u',
    '[a]',
    '<div>',
    '</div>',
    '<!--',
    '-->',
    '<pre>',
    '</pre>',
    '<x>',
    '<x y="',
  ],
  ...[
    '<?',
    '?>',
    '<![CDATA[',
    ']]>',
    '<script',
    '</script>',
    '\\',
    '&#98;',
    '\0',
    '\u00a0',
    '`',
    '~',
    '\ud800',
    'a\tb',
  ],
];
const line = fc
  .tuple(
    fc.array(fc.constantFrom(...MARKERS), { maxLength: 3 }),
    fc.array(fc.constantFrom(...PIECES), { maxLength: 2 }),
  )
  .map(([markers, pieces]) => markers.join('') + pieces.join(''));
const lines = fc.array(line, { maxLength: 8, size: 'max' });
const document = fc
  .tuple(lines, fc.boolean(), lines, fc.constantFrom('\n', '\r\n', '\r'))
  .map(([before, withBlock, after, end]) =>
    [...before, ...(withBlock ? ['```baa', 'x', '```'] : []), ...after].join(end),
  );

/** The reference carries the wrong state from indented code into an empty list item after it (micromark 4). */
const trips = (text: string) =>
  /^(?: {4}| *\t)/m.test(text) && /(?:[-+*]|\d+[.)])[ \t]*$/m.test(text.replaceAll('\r', '\n'));

/** What the reference parser places at the root as a closed fence with the info string `baa`. */
function reference(text: string): string[] {
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

function ours(text: string): string[] {
  return extractBlocks(text).map(({ line: at, lines: body }) => `${at}: ${body.join('\n').replaceAll('\0', '\ufffd')}`);
}

describe('against a CommonMark parser', PATIENT, () => {
  it('finds nothing that the parser places outside a baa fence', () => {
    fc.assert(
      fc.property(document, (text) => {
        fc.pre(!trips(text));
        const allowed = new Set(reference(text));
        expect(ours(text).filter((found) => !allowed.has(found))).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });

  it('finds everything that the parser finds, in texts without HTML and definitions', () => {
    fc.assert(
      fc.property(document, (text) => {
        fc.pre(!trips(text) && !/[<[]/.test(text));
        expect(ours(text)).toEqual(reference(text));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('over a stream', PATIENT, () => {
  it('finds the same in whatever pieces the text comes', () => {
    fc.assert(
      fc.property(document, fc.array(fc.nat({ max: 7 }), { maxLength: 60 }), (text, sizes) => {
        const extractor = new BlockExtractor();
        let at = 0;
        for (const size of sizes) {
          extractor.push(text.slice(at, at + size));
          at += size;
        }
        extractor.push(text.slice(at));
        expect(extractor.end()).toEqual(extractBlocks(text));
      }),
    );
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
  underlines: (n) => `[\n${'=\n'.repeat(n / 2)}`,
};

function fastestMs(text: string): number {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 5; run++) {
    const before = performance.now();
    extractBlocks(text);
    best = Math.min(best, performance.now() - before);
  }
  return best;
}

describe('however the text is made', PATIENT, () => {
  it.each(Object.entries(FAMILIES))('%s: eight times the text takes nowhere near 64 times as long', (_name, make) => {
    const small = fastestMs(make(64 * 1024));
    const large = fastestMs(make(512 * 1024));
    // A quadratic scan is at 64. A floor keeps what is too fast to be measured from failing.
    expect(large / Math.max(small, 0.2)).toBeLessThan(32);
  });
});
