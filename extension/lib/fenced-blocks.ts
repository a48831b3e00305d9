/** `baa` blocks that were read from a page, as Markdown again. */
import { baaBlocks } from './baa-blocks.ts';

const MAX_CHARS = 1_048_576;
const FENCE_LINE = /^ {0,3}(`{3,})[ \t]*$/gm;

/** The shortest fence that no line of the text closes: the one that the answer must have had at least. */
function fenceFor(text: string): string {
  const longest = [...text.matchAll(FENCE_LINE)].reduce((most, [, marks = '']) => Math.max(most, marks.length), 2);
  return '`'.repeat(longest + 1);
}

/** Null when they cannot be written so that the same blocks are read from it. */
export function fencedBlocks(blocks: readonly string[]): string | null {
  const fenced = blocks.map((text) => {
    const fence = fenceFor(text);
    return `${fence}baa\n${text}\n${fence}\n`;
  });
  const markdown = fenced.join('\n');
  const isSame = JSON.stringify(baaBlocks(markdown)) === JSON.stringify(blocks);
  return isSame && markdown.length <= MAX_CHARS ? markdown : null;
}
