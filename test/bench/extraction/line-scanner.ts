/**
 * The floor: a scanner that knows lines and fences only, and parses the JSON of `baa` blocks. It is wrong in quotes, lists
 * and HTML. A correct extractor cannot do less work.
 */

const FENCE = /^ {0,3}(`{3,}|~{3,})[ \t]*([^`]*?)[ \t]*$/;
const INSTRUCTION = /^@([a-z][a-z0-9._-]*)::([a-z][a-z0-9._/-]*)(?:::(.*))?$/;

/** Params of every instruction in a `baa` block. */
export function scanLines(text: string): unknown[] {
  const found: unknown[] = [];
  let fence: { mark: string; baa: boolean } | null = null;
  for (let from = 0; from < text.length; ) {
    const newline = text.indexOf('\n', from);
    const end = newline < 0 ? text.length : newline;
    const first = text.charCodeAt(from);
    // A space, a backtick, a tilde: only such a line can be a fence.
    if (first === 96 || first === 126 || first === 32) {
      const match = FENCE.exec(text.slice(from, end));
      if (match?.[1] !== undefined && fence === null) fence = { mark: match[1], baa: match[2] === 'baa' };
      else if (match?.[1]?.startsWith(fence?.mark ?? '\n') && match[2] === '') fence = null;
    } else if (fence?.baa && first === 64) {
      const params = INSTRUCTION.exec(text.slice(from, end))?.[3];
      found.push(params?.startsWith('{') ? JSON.parse(params) : params);
    }
    from = end + 1;
  }
  return found;
}
