/**
 * Finds the `baa` blocks of a message: what a CommonMark parser places at the root of the document as a closed
 * fenced code block whose info string is exactly `baa`. Everything else is text: other fences, quotes, lists, HTML
 * blocks, indented code, unclosed fences. Never throws; linear in the length of the text, in whatever pieces it
 * comes; keeps no more than a block's limit of it.
 */
import { INSTRUCTION } from '../../schema/defaults.ts';
import { BlockStructure } from './markdown/blocks.ts';

export interface BaaBlock {
  /** Position among the `baa` blocks of the message. */
  block_index: number;
  /** Line of the opening fence in the message, counted from 1. */
  line: number;
  lines: string[];
  /** Over `INSTRUCTION.max_block_bytes`; then `lines` holds its beginning only. */
  too_large: boolean;
}

const INFO = 'baa';
const BOM = 0xfeff;
const LF = 10;

interface OpenBlock {
  line: number;
  lines: string[];
  bytes: number;
}

/** Takes a message piece by piece. `end` closes it and gives all blocks. */
export class BlockExtractor {
  readonly #structure = new BlockStructure();
  readonly #blocks: BaaBlock[] = [];
  /** Pieces of the line that has not ended yet. */
  #pending: string[] = [];
  #line = 0;
  #open: OpenBlock | null = null;
  #skipLineFeed = false;
  #started = false;

  push(chunk: string): void {
    if (chunk === '') return;
    let from = 0;
    if (!this.#started) {
      this.#started = true;
      // A byte order mark is no text: parsers drop it, and what they see as a fence must be one here.
      if (chunk.charCodeAt(0) === BOM) from = 1;
    }
    if (this.#skipLineFeed && from < chunk.length) {
      this.#skipLineFeed = false;
      if (chunk.charCodeAt(from) === LF) from += 1;
    }
    let lineFeed = chunk.indexOf('\n', from);
    let carriageReturn = chunk.indexOf('\r', from);
    while (lineFeed >= 0 || carriageReturn >= 0) {
      const crFirst = carriageReturn >= 0 && (lineFeed < 0 || carriageReturn < lineFeed);
      const end = crFirst ? carriageReturn : lineFeed;
      this.#endLine(chunk.slice(from, end));
      from = end + 1;
      if (crFirst) {
        if (lineFeed === from) from += 1;
        else if (from === chunk.length) this.#skipLineFeed = true;
        carriageReturn = chunk.indexOf('\r', from);
      }
      if (lineFeed >= 0 && lineFeed < from) lineFeed = chunk.indexOf('\n', from);
    }
    if (from < chunk.length) this.#pending.push(chunk.slice(from));
  }

  end(): BaaBlock[] {
    if (this.#pending.length > 0) this.#endLine('');
    return this.#blocks;
  }

  #endLine(tail: string): void {
    let text = tail;
    if (this.#pending.length > 0) {
      this.#pending.push(tail);
      text = this.#pending.join('');
      this.#pending = [];
    }
    this.#line += 1;
    const role = this.#structure.take(text);
    if (role.role === 'other') return;
    if (role.role === 'open') {
      const wanted = role.info === INFO && !this.#structure.ambiguous;
      this.#open = wanted ? { line: this.#line, lines: [], bytes: 0 } : null;
    } else if (this.#open && role.role === 'content') {
      const open = this.#open;
      open.bytes += Buffer.byteLength(role.text) + 1;
      if (open.bytes <= INSTRUCTION.max_block_bytes) open.lines.push(role.text);
    } else if (this.#open) {
      const { line, lines, bytes } = this.#open;
      const too_large = bytes > INSTRUCTION.max_block_bytes;
      this.#blocks.push({ block_index: this.#blocks.length, line, lines, too_large });
      this.#open = null;
    }
  }
}

/** The `baa` blocks of a whole text. */
export function extractBlocks(text: string): BaaBlock[] {
  const extractor = new BlockExtractor();
  extractor.push(text);
  return extractor.end();
}
