/**
 * Whether the plain params of an instruction go beyond it: a here-document in them is open where the next instruction of
 * the block starts. A line in its text looks like that instruction then, and would run.
 */
import { lastLines, openHereDocuments } from './here-documents.ts';

const SCRIPT_TOOL = 'exec';
const MAX_SHOWN = 40;
const HINT = 'write such a text with files/write and JSON params';

export interface Overrun {
  message: string;
  /** Whether the here-document ends in the block. */
  ends_in_block: boolean;
}

/**
 * `rest` are the lines of the block behind the instruction. With an end in them a here-document counts in the params of any
 * tool. Without one it counts in scripts only, because `<<` has other meanings in other texts.
 */
export function overrun(text: string, tool: string, rest: readonly string[]): Overrun | null {
  if (rest.length === 0 || !text.includes('<<')) return null;
  const { open, too_many_at } = openHereDocuments(text.split('\n'), { isScript: tool === SCRIPT_TOOL });
  if (open.length > 0) {
    const behind = lastLines(rest);
    for (const { delimiter } of open) {
      const endsInBlock = behind.has(delimiter.trim());
      if (!endsInBlock && tool !== SCRIPT_TOOL) continue;
      const where = endsInBlock ? 'in a later instruction' : 'not in this block';
      const shown = JSON.stringify(delimiter.slice(0, MAX_SHOWN).toWellFormed());
      const message = `not run: the end of its here-document, the line ${shown}, is ${where}; ${HINT}`;
      return { message, ends_in_block: endsInBlock };
    }
  }
  if (too_many_at === null || tool !== SCRIPT_TOOL) return null;
  return {
    message: `not run: it opens too many here-documents, so where they end is not certain; ${HINT}`,
    ends_in_block: false,
  };
}
