/** Texts to extract from: messages as assistants write them, and families that are hard for one parser or another. */

const PROSE =
  'The lease is renewed every five seconds; when two renewals in a row fail, the node calls itself *degraded* and ' +
  'claims nothing more. See [the table](https://example.com/a_b?c=d) for `ttl_sec`, and note that **terms only grow**.\n';
const LIST =
  '\n1. First read the state\n   - its mode\n   - its `version`\n2. Then decide\n\n> Quoted: nothing runs here.\n\n';
const CODE = '```ts\nexport const answer = (input: string): number => input.split("`").length; // `ticks`\n```\n\n';
const BLOCK =
  '```baa\n@conductor::files/write::{"path": "src/a.ts", "content": "line 1\\n```\\nline 3", "mode": {"x": [1, 2, 3]}}\n' +
  '@conductor::exec::{"argv": ["npm", "test"], "timeout_ms": 1000}\n```\n\n';
const BLOCKS_PER_MESSAGE = 8;

/** An assistant's message of about that many characters: prose, lists, code, and a few `baa` blocks. */
export function messageOf(size: number): string {
  const filler = PROSE.repeat(3) + LIST + PROSE + CODE;
  const between = Math.max(0, Math.floor(size / BLOCKS_PER_MESSAGE) - BLOCK.length);
  const stretch = filler
    .repeat(Math.ceil(between / filler.length))
    .slice(0, between)
    .replace(/[^\n]*$/, '');
  return `${stretch}\n\n${BLOCK}`.repeat(BLOCKS_PER_MESSAGE);
}

const fill = (unit: string, size: number): string => unit.repeat(Math.ceil(size / unit.length)).slice(0, size);
const lines = (size: number, line: (index: number) => string): string => {
  const parts: string[] = [];
  for (let length = 0, index = 0; length < size; index += 1) {
    const text = `${line(index)}\n`;
    parts.push(text);
    length += text.length;
  }
  return parts.join('');
};
const side = (size: number): number => Math.ceil(Math.sqrt(size));

/** Each gives a text of about that many characters. */
export const FAMILIES: Readonly<Record<string, (size: number) => string>> = {
  'quotes nested in one line': (size) => fill('> ', size),
  'quotes nested in each line': (size) => fill(`${'>'.repeat(side(size))} a\n`, size),
  'lists nested deeper and deeper': (size) => lines(size, (index) => `${'  '.repeat(index % side(size))}- a`),
  'list markers in one line': (size) => fill('- ', size),
  'blank lines below nested lists': (size) => `${fill('- ', size / 2)}a\n${fill('\n', size / 2)}`,
  'backticks in one line': (size) => fill('`', size),
  'fences that never close': (size) => lines(size, (index) => `${'`'.repeat(3 + (index % side(size)))}baa`),
  'one fence that never closes': (size) => `\`\`\`baa\n${fill('@conductor::describe\n', size)}`,
  'backtick runs of all lengths': (size) => lines(size, (index) => `a ${'`'.repeat(1 + (index % side(size)))}`),
  'tildes and backticks in turn': (size) => fill('~~~baa\n```\n~~~\n```\n', size),
  'open brackets': (size) => fill('[', size),
  'link definitions': (size) => lines(size, (index) => `[a${index}]: <b> "c"`),
  'emphasis that never closes': (size) => fill('*a _b ', size),
  'open HTML tags': (size) => fill('<a b="', size),
  'HTML comments': (size) => fill('<!-- a\n\n', size),
  tabs: (size) => lines(size, (index) => `${'\t'.repeat(index % 32)}- a`),
  'carriage returns': (size) => fill('a\r\n\r', size),
  'thematic breaks that are none': (size) => `${fill('- ', size)}a`,
  'one long line': (size) => fill('a b ', size),
  'empty lines': (size) => fill('\n', size),
};
