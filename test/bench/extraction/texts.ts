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
  const cut = filler.repeat(Math.ceil(between / filler.length)).slice(0, between);
  // At the end of a paragraph, so that no fence is left open above the block.
  const stretch = cut.slice(0, Math.max(0, cut.lastIndexOf('\n\n')));
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

/** Texts of about that many characters that are hard for one parser or another. */
export const FAMILIES: Readonly<Record<string, (size: number) => string>> = {
  'quotes nested in one line': (size) => fill('> ', size),
  'quotes nested in each line': (size) => fill(`${'>'.repeat(side(size))} a\n`, size),
  'quotes of headings, each above a lazy line': (size) => fill('>#\nb\n', size),
  'few quotes of headings, many lines of quotes': (size) => fill(`>#\nb\n${'>#\n'.repeat(side(size))}`, size),
  'lazy lines below nested quotes': (size) => `${'>'.repeat(40)}a\n${fill('b\n', size)}`,
  'a lazy tag of attributes below nested quotes': (size) => `${'>'.repeat(40)}a\n<a${fill(' b', size)}`,
  'quotes over nested lists': (size) => `> ${fill('- ', size / 2)}a\n${fill('>\n', size / 2)}`,
  'quotes and lists nested in turn': (size) => fill(`${'> - '.repeat(12)}#\nb\n`, size),
  'lists nested deeper and deeper': (size) => lines(size, (index) => `${'  '.repeat(index % side(size))}- a`),
  'lists nested 20 deep in each line': (size) => fill(`${'- + '.repeat(10)}a\n`, size),
  'list markers in one line': (size) => fill('- ', size),
  'list items': (size) => fill('- a\n', size),
  'empty list items': (size) => fill('1.\n', size),
  'lists of one item': (size) => fill('-\n+\n', size),
  'blank lines below nested lists': (size) => `${'- '.repeat(20)}a\n${fill('\n', size)}`,
  'blank lines below endlessly nested lists': (size) => `${fill('- ', size / 2)}a\n${fill('\n', size / 2)}`,
  'indented lines below nested lists': (size) =>
    `${'- '.repeat(20)}a\n${fill(`${' '.repeat(Math.ceil(size / 4))}b\n`, size)}`,
  'backticks in one line': (size) => fill('`', size),
  'fences that never close': (size) => lines(size, (index) => `${'`'.repeat(3 + (index % side(size)))}baa`),
  'near misses': (size) => fill('```baa x\ny\n```\n', size),
  'blocks in quotes': (size) => fill('> ```baa\n> x\n> ```\n\n', size),
  'blocks that are cut': (size) => fill('```baa\n@conductor::exec::x\n```sh\n```\n', size),
  'blocks of here-documents': (size) => fill('```baa\n@conductor::exec::cat <<A <<B\n```\n', size),
  'one block of here-documents': (size) => `\`\`\`baa\n@conductor::exec::x\n${fill('cat <<A\n', size / 2.1)}\`\`\``,
  'one line of here-documents': (size) => `\`\`\`baa\n@conductor::exec::x\n${fill('<<a ', size / 2.1)}\n\`\`\``,
  'JSON that is not closed': (size) => `\`\`\`baa\n@conductor::exec::{"a":${fill('["b",{}],', size / 2.1)}\n\`\`\``,
  'JSON that fails at its end': (size) => `\`\`\`baa\n@conductor::exec::{"a":[${fill('"b",', size / 2.1)}]]}\n\`\`\``,
  'JSON of long numbers': (size) => {
    const many = fill('1234567890123456,', size / 2.1);
    return `\`\`\`baa\n@conductor::exec::{"a":[${many.slice(0, many.lastIndexOf(','))}]}\n\`\`\``;
  },
  'JSON of short numbers': (size) => {
    const many = fill('1e1,', size / 2.1);
    return `\`\`\`baa\n@conductor::exec::{"a":[${many.slice(0, many.lastIndexOf(','))}]}\n\`\`\``;
  },
  'one fence that never closes': (size) => `\`\`\`baa\n${fill('@conductor::describe\n', size)}`,
  'fence lines that do not close': (size) => `\`\`\`\n${fill(`\`\`\`${' '.repeat(100)}x\n`, size)}`,
  'fences in list items': (size) => fill('- ```\n\n', size),
  'backtick runs of all lengths': (size) => lines(size, (index) => `a ${'`'.repeat(1 + (index % side(size)))}`),
  'tildes and backticks in turn': (size) => fill('~~~baa\n```\n~~~\n```\n', size),
  'an info string of white space': (size) => `\`\`\`a${fill(' ', size)}b`,
  'open brackets': (size) => fill('[', size),
  'open brackets in each line': (size) => fill('[\n', size),
  'link definitions': (size) => lines(size, (index) => `[a${index}]: <b> "c"`),
  'link definitions with open titles': (size) => fill("[a]:b\n'\n=\n", size),
  'emphasis that never closes': (size) => fill('*a _b ', size),
  'open HTML tags': (size) => fill('<a b="', size),
  'open HTML tags in each line': (size) => fill('x\n<a\n', size),
  'one HTML tag of attributes': (size) => `<a${fill(' b', size)}`,
  'one HTML tag of white space': (size) => `<a ${fill(' ', size)}`,
  'HTML blocks': (size) => fill('<p\n\n', size),
  'HTML comments': (size) => fill('<!-- a\n\n', size),
  tabs: (size) => lines(size, (index) => `${'\t'.repeat(index % 32)}- a`),
  'tabs in one line': (size) => fill('\t', size),
  'indented code': (size) => fill('\ta\n', size),
  'carriage returns': (size) => fill('\r', size),
  'carriage returns and line feeds': (size) => fill('a\r\n\r', size),
  NUL: (size) => fill('\0\n', size),
  'headings of one character': (size) => fill('#\n', size),
  'underlined headings': (size) => fill('a\n-\n', size),
  'underlines below a bracket': (size) => `[\n${fill('=\n', size)}`,
  'thematic breaks': (size) => fill('***\n', size),
  'thematic breaks that are none': (size) => `${fill('* ', size)}a`,
  'one long line': (size) => fill('a b ', size),
  'lines of one character': (size) => fill('a\n', size),
  'paragraphs of one character': (size) => fill('a\n\n', size),
  'empty lines': (size) => fill('\n', size),
};
