/**
 * Finds the `baa` blocks of a message: closed fenced code blocks at the root of the CommonMark document whose info string
 * is exactly `baa`. Everything else is text: other fences, quotes, lists, HTML blocks, indented code, unclosed fences. A
 * text without a line that could open such a block is not parsed. A text that is too complex to be parsed within the
 * limits is an error of the message, and none of its blocks is read.
 */
import type { Token } from 'markdown-it';
import type { BlockError } from '../../schema/contracts/instructions.ts';
import { INSTRUCTION } from '../../schema/defaults.ts';
import { BlockParser, UnreadableError } from './block-parser.ts';

export interface BaaBlock {
  /** Position among the `baa` blocks of the message. */
  block_index: number;
  /** Line of the opening fence in the message, counted from 1. */
  line: number;
  lines: string[];
  /** Whether it exceeds `INSTRUCTION.max_block_bytes`; then `lines` is cut there. */
  too_large: boolean;
}

export interface Extraction {
  blocks: BaaBlock[];
  /** Why the message was not parsed; null when it was. */
  error: BlockError | null;
}

const OPENING_LINE = /^ {0,3}(?:`{3,}|~{3,})[ \t]*baa[ \t]*$/m;
const CLOSING_LINE = /^ {0,3}(`+|~+)[ \t]*$/;
const BAA_INFO = /^[ \t]*baa[ \t]*$/;
const BYTE_ORDER_MARK = /^\ufeff/;

const parser = new BlockParser();

/** A line without the indentation of its fence, 0 to 3 columns. What is left of a tab's columns becomes spaces. */
function unindent(line: string, columns: number): string {
  let at = 0;
  while (at < columns && line[at] === ' ') at += 1;
  return at < columns && line[at] === '\t' ? ' '.repeat(4 - columns) + line.slice(at + 1) : line.slice(at);
}

/** The `baa` block of a fence at the root; null when it has another info string or no closing fence. */
function blockOf({ map, info, markup }: Token, source: readonly string[], blockIndex: number): BaaBlock | null {
  const [start, end] = map ?? [0, 0];
  const closing = CLOSING_LINE.exec(source[end - 1] ?? '')?.[1];
  if (!BAA_INFO.test(info) || end - start < 2 || !closing?.startsWith(markup)) return null;
  const indent = source[start]?.indexOf(markup) ?? 0;
  const lines: string[] = [];
  let bytes = 0;
  for (const line of source.slice(start + 1, end - 1)) {
    const text = unindent(line, indent);
    bytes += Buffer.byteLength(text) + 1;
    if (bytes <= INSTRUCTION.max_block_bytes) lines.push(text);
  }
  return { block_index: blockIndex, line: start + 1, lines, too_large: bytes > INSTRUCTION.max_block_bytes };
}

/** The `baa` blocks of a text, in their order. Never throws. */
export function extractBlocks(text: string): Extraction {
  const source = text.replace(BYTE_ORDER_MARK, '');
  if (!OPENING_LINE.test(source)) return { blocks: [], error: null };
  const lines = source.replaceAll('\r\n', '\n').replaceAll('\r', '\n').split('\n');
  try {
    const blocks: BaaBlock[] = [];
    for (const token of parser.parse(lines)) {
      const block = token.type === 'fence' && token.level === 0 ? blockOf(token, lines, blocks.length) : null;
      if (block) blocks.push(block);
    }
    return { blocks, error: null };
  } catch (error) {
    // An unexpected error of the parser fails this message, not the connection that delivered it.
    const code = error instanceof UnreadableError ? error.code : 'message_unreadable';
    const message = `no block was read: ${error instanceof Error ? error.message : String(error)}`;
    const line = lines.findIndex((one) => OPENING_LINE.test(one)) + 1;
    return { blocks: [], error: { block_index: 0, stage: 'extract', code, message: message.slice(0, 500), line } };
  }
}
