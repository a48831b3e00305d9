/**
 * Finds the `baa` blocks of a message: closed fenced code blocks at the root of the CommonMark document whose info string
 * is exactly `baa`. Everything else is text: other fences, quotes, lists, HTML blocks, indented code, unclosed fences. What
 * was probably meant as a block is an error (near-miss.ts), and so is a block that was cut (cut-block.ts). A text without
 * a line that could open such a block is not parsed. A text that is too complex to be parsed within the limits is an error
 * of the message, and none of its blocks is read.
 */
import type { Token } from 'markdown-it';
import type { BlockError } from '../../schema/contracts/instructions.ts';
import { INSTRUCTION } from '../../schema/defaults.ts';
import { MAY_OPEN, mayHaveBlocks, withoutByteOrderMark } from '../../schema/domain/block-line.ts';
import { BlockParser, UnreadableError } from './block-parser.ts';
import { whyCut } from './cut-block.ts';
import type { LastLines } from './here-documents.ts';
import { lastLines } from './here-documents.ts';
import { nearMiss } from './near-miss.ts';

export interface BaaBlock {
  /** Position among the `baa` blocks of the message, those included that are near misses. */
  block_index: number;
  /** Line of the opening fence in the message, counted from 1. */
  line: number;
  lines: string[];
  /** Why nothing of it may be read, with an error code; null when it may. */
  problem: { code: 'block_too_large' | 'cut_block' | 'behind_cut_block'; message: string } | null;
}

export interface Extraction {
  blocks: BaaBlock[];
  /** Fences that were probably meant as blocks. */
  near_misses: BlockError[];
  /** Why the message was not parsed; null when it was. */
  error: BlockError | null;
}

const CLOSING_LINE = /^ {0,3}(`+|~+)[ \t]*$/;
const TOO_LARGE = {
  code: 'block_too_large',
  message: `a block may have at most ${INSTRUCTION.max_block_bytes} bytes; nothing of it was run`,
} as const;

/** Behind a cut, fences that were written inside and around blocks have changed places. */
export const BEHIND_CUT = {
  code: 'behind_cut_block',
  message: 'not run: a block before it is cut, so this may have been written as text inside that one',
} as const;

const parser = new BlockParser();

/** A line without the indentation of its fence, 0 to 3 columns. What is left of a tab's columns becomes spaces. */
function unindent(line: string, columns: number): string {
  let at = 0;
  while (at < columns && line[at] === ' ') at += 1;
  return at < columns && line[at] === '\t' ? ' '.repeat(4 - columns) + line.slice(at + 1) : line.slice(at);
}

/** Whether the last line of a fence at the root closes it. */
function isClosed({ map, markup, level }: Token, source: readonly string[]): boolean {
  const [start, end] = map ?? [0, 0];
  const closing = CLOSING_LINE.exec(source[end - 1] ?? '')?.[1];
  return level === 0 && end - start >= 2 && closing?.startsWith(markup) === true;
}

class Extractor {
  readonly blocks: BaaBlock[] = [];
  readonly near_misses: BlockError[] = [];
  readonly #source: readonly string[];
  /** Of the whole message, built once when a block needs it. */
  #last: LastLines | null = null;
  #isBehindCut = false;

  constructor(source: readonly string[]) {
    this.#source = source;
  }

  add(token: Token): void {
    const block_index = this.blocks.length + this.near_misses.length;
    const line = (token.map?.[0] ?? 0) + 1;
    const miss = nearMiss(token, isClosed(token, this.#source));
    if (miss !== null) this.near_misses.push({ block_index, stage: 'extract', ...miss, line });
    else if (/^[ \t]*baa[ \t]*$/.test(token.info)) this.blocks.push(this.#read(token, block_index, line));
  }

  #read({ map, markup }: Token, block_index: number, line: number): BaaBlock {
    const end = (map?.[1] ?? 0) - 1;
    const indent = this.#source[line - 1]?.indexOf(markup) ?? 0;
    const lines: string[] = [];
    let bytes = 0;
    for (let at = line; at < end && bytes <= INSTRUCTION.max_block_bytes; at += 1) {
      const text = unindent(this.#source[at] ?? '', indent);
      bytes += Buffer.byteLength(text) + 1;
      if (bytes <= INSTRUCTION.max_block_bytes) lines.push(text);
    }
    if (bytes > INSTRUCTION.max_block_bytes) return { block_index, line, lines, problem: TOO_LARGE };
    if (this.#isBehindCut) return { block_index, line, lines, problem: BEHIND_CUT };
    const cut = whyCut({ lines, line, fence: markup, end }, () => this.#lastLines());
    if (cut === null) return { block_index, line, lines, problem: null };
    this.#isBehindCut = true;
    return { block_index, line, lines, problem: { code: 'cut_block', message: cut } };
  }

  #lastLines(): LastLines {
    this.#last ??= lastLines(this.#source);
    return this.#last;
  }
}

/** The `baa` blocks of a text, in their order. Never throws. */
export function extractBlocks(text: string): Extraction {
  if (!mayHaveBlocks(text)) return { blocks: [], near_misses: [], error: null };
  const lines = withoutByteOrderMark(text).replaceAll('\r\n', '\n').replaceAll('\r', '\n').split('\n');
  try {
    const extractor = new Extractor(lines);
    for (const token of parser.parse(lines)) if (token.type === 'fence') extractor.add(token);
    const { blocks, near_misses } = extractor;
    return { blocks, near_misses, error: null };
  } catch (error) {
    // An unexpected error of the parser fails this message, not the connection that delivered it.
    const code = error instanceof UnreadableError ? error.code : 'message_unreadable';
    const message = `no block was read: ${error instanceof Error ? error.message : String(error)}`;
    const line = lines.findIndex((one) => MAY_OPEN.test(one)) + 1;
    const unread: BlockError = { block_index: 0, stage: 'extract', code, message: message.slice(0, 500), line };
    return { blocks: [], near_misses: [], error: unread };
  }
}
