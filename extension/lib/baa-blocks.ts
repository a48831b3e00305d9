/**
 * The `baa` blocks of a Markdown text, for the comparison with the page only: what runs is decided by the agent, which has
 * a full parser. Found are closed fences of three or more backticks or tildes at the root, with at most three spaces
 * before them and the info string `baa`. A fence inside a quote, a list or an HTML block is read as at the root when it
 * looks the same.
 */

const OPENING = /^ {0,3}(`{3,}|~{3,})([^\n]*)$/;
const CLOSING = /^ {0,3}(`{3,}|~{3,})[ \t]*$/;

interface Open {
  fence: string;
  isBaa: boolean;
  lines: string[];
}

function opened(line: string): Open | null {
  const [, fence, info = ''] = OPENING.exec(line) ?? [];
  if (fence === undefined || (fence.startsWith('`') && info.includes('`'))) return null;
  return { fence, isBaa: info.trim() === 'baa', lines: [] };
}

function closes(line: string, { fence }: Open): boolean {
  return CLOSING.exec(line)?.[1]?.startsWith(fence) ?? false;
}

export function baaBlocks(text: string): string[] {
  const blocks: string[] = [];
  let open: Open | null = null;
  for (const line of text.split(/\r\n|\r|\n/)) {
    if (open === null) {
      open = opened(line);
    } else if (closes(line, open)) {
      if (open.isBaa) blocks.push(open.lines.join('\n'));
      open = null;
    } else {
      open.lines.push(line);
    }
  }
  return blocks;
}
