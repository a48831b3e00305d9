import { describe, expect, it } from 'vitest';
import { extractBlocks } from '../../../../local-agent/instructions/extract.ts';
import { INSTRUCTION } from '../../../../schema/defaults.ts';
import { messageOf } from '../../../bench/extraction/texts.ts';

const bodies = (text: string) => extractBlocks(text).blocks.map(({ lines }) => lines.join('\n'));

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
  ])('it is found with %s', (_what, text) => {
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
    ['a fence around it whose info string has a line separator', '```x\u2028\n```baa\nx\n```'],
  ])('it is not found with %s', (_what, text) => {
    expect(bodies(text)).toEqual([]);
  });

  it('its lines lose the indentation of its fence, tabs by columns', () => {
    expect(bodies('  ```baa\n   x\n\ty\nz\n  ```')).toEqual([' x\n  y\nz']);
  });

  it('its line and its position are counted in the whole message', () => {
    const { blocks } = extractBlocks('a\n\n```baa\nx\n```\n```\nn\n```\n~~~baa\n~~~');
    expect(blocks).toMatchObject([
      { block_index: 0, line: 3 },
      { block_index: 1, line: 9 },
    ]);
  });

  it('a block over the limit is marked and cut', () => {
    const line = `${'x'.repeat(1023)}\n`;
    const most = INSTRUCTION.max_block_bytes / 1024;
    const [found] = extractBlocks(`\`\`\`baa\n${line.repeat(most + 1)}\`\`\``).blocks;
    expect(found?.problem?.code).toBe('block_too_large');
    expect(found?.lines.length).toBe(most);
    expect(extractBlocks(`\`\`\`baa\n${line.repeat(most)}\`\`\``).blocks[0]?.problem).toBeNull();
  });

  it('its characters are those of the message, NUL and unusual white space included', () => {
    expect(bodies('```baa\n\0x\u00a0\u2028\ud800\ufffd\n```')).toEqual(['\0x\u00a0\u2028\ud800\ufffd']);
  });

  it('characters that are no white space in CommonMark do not make an HTML block around it', () => {
    expect(bodies('<x>\u00a0\n```baa\nx\n```')).toEqual(['x']);
    expect(bodies('<x y=\0>\n```baa\nx\n```')).toEqual([]);
  });

  it('it is found below a lone tag that continues the paragraph of a quote', () => {
    expect(bodies('> text\n<x>\n```baa\nx\n```')).toEqual(['x']);
  });
});

/** The error of a text in which no block is read. */
const errorOf = (text: string) => {
  const { blocks, error } = extractBlocks(`${text}\n\`\`\`baa\nx\n\`\`\``);
  return { blocks, code: error?.code, line: error?.line };
};

describe('a message whose structure is not certain', () => {
  it('it is an error when an underline may follow link definitions only', () => {
    expect(errorOf('[a]: /u\n===')).toEqual({ blocks: [], code: 'message_ambiguous', line: 3 });
    expect(errorOf('> [a]:\n> /u\n> --')).toEqual({ blocks: [], code: 'message_ambiguous', line: 4 });
  });

  it('it is read when the underline follows certain text or ends the paragraph in both readings', () => {
    expect(bodies('[a] text\n===\n```baa\nx\n```')).toEqual(['x']);
    expect(bodies('[a]: /u\n---\n```baa\nx\n```')).toEqual(['x']);
  });
});

describe('a message that is too complex', () => {
  it.each([
    ['a text of many lines', '\ra'.repeat(400_000)],
    ['a text of many paragraphs', 'a\n\n'.repeat(50_000)],
    ['a long paragraph', 'a\n'.repeat(200_000)],
    ['a paragraph of long lines', `a\n${`<a${' b'.repeat(100_000)}\n`.repeat(20)}`],
    ['a text of many list items', '1.\n'.repeat(50_000)],
    ['a text of quotes that each look at all lines after them', '>#\nb\n'.repeat(2_000)],
    ['a text of a few such quotes above many lines', `${'>#\nb\n'.repeat(200)}${'>#\n'.repeat(20_000)}`],
    ['a text of nested quotes', '>'.repeat(60)],
    ['a text of nested lists', `${'- '.repeat(60)}a`],
  ])('%s is an error at the line of the first block', (_what, text) => {
    const line = text.split(/\r|\n/).length + 1;
    expect(errorOf(text)).toEqual({ blocks: [], code: 'message_too_complex', line });
  });

  it('a text without a line that could open a block is not parsed', () => {
    const nothing = { blocks: [], near_misses: [], error: null };
    expect(extractBlocks(`${'>#\nb\n'.repeat(100_000)} baa`)).toEqual(nothing);
  });

  it('half a megabyte as assistants write it, and lists and quotes 20 deep, are read', () => {
    expect(extractBlocks(messageOf(512 * 1024))).toMatchObject({ blocks: { length: 8 }, error: null });
    const nested = Array.from({ length: 20 }, (_, depth) => `${'  '.repeat(depth)}- a\n`).join('');
    expect(bodies(`${nested}${'>'.repeat(20)} a\n\n\`\`\`baa\nx\n\`\`\``)).toEqual(['x']);
  });
});
