/**
 * Finds the `baa` blocks of a message: what a CommonMark parser places at the root of the document as a closed
 * fenced code block whose info string is exactly `baa`. Everything else is text: other fences, quotes, lists, HTML
 * blocks, indented code, unclosed fences. Never throws; linear in the length of the text, in whatever pieces it
 * comes; keeps no more of it than a block's limit and the line that has not ended.
 *
 * Lines that cannot matter are passed over by their first characters. When one comes that may, the block structure
 * takes those passed over since the last point where reading may begin anew, and then that line: each line is looked
 * at once by each of the two at most.
 */
import { INSTRUCTION } from '../../schema/defaults.ts';
import type { LineRole } from './markdown/blocks.ts';
import { BlockStructure } from './markdown/blocks.ts';
import { LineEnds } from './markdown/line-ends.ts';
import { skim } from './markdown/skim.ts';

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
const BOM = '\ufeff';
/** Pieces are gathered to this many characters: reading costs more to begin than to go on. */
const GATHERED = 16_384;

interface OpenBlock {
  line: number;
  lines: string[];
  bytes: number;
}

/** Takes a message piece by piece. `end` closes it and gives all blocks. */
export class BlockExtractor {
  readonly #structure = new BlockStructure();
  readonly #blocks: BaaBlock[] = [];
  /** What has not been read yet; and the length at which it will be. */
  #gathered: string[] = [];
  #length = 0;
  #readAt = GATHERED;
  #started = false;
  #line = 0;
  #open: OpenBlock | null = null;

  /** `text`: what there is of the message already. */
  constructor(text = '') {
    if (text !== '') this.#gathered.push(text);
    this.#length = text.length;
  }

  push(chunk: string): void {
    this.#gathered.push(chunk);
    this.#length += chunk.length;
    if (this.#length < this.#readAt) return;
    const text = this.#gathered.join('');
    // A carriage return at the end may be half of a line's end.
    const ended = Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r', text.length - 2)) + 1;
    this.#read(text.slice(0, ended), false);
    this.#gathered = [text.slice(ended)];
    this.#length = text.length - ended;
    // A line that does not end is looked through again only when it has doubled.
    this.#readAt = Math.max(GATHERED, this.#length * 2);
  }

  end(): BaaBlock[] {
    this.#read(this.#gathered.join(''), true);
    this.#gathered = [];
    return this.#blocks;
  }

  /** Reads whole lines; `last`: no more come. */
  #read(text: string, last: boolean): void {
    const structure = this.#structure;
    const ends = new LineEnds(text);
    // A byte order mark is no text: parsers drop it, and what they see as a fence must be one here.
    let from = !this.#started && text.startsWith(BOM) ? BOM.length : 0;
    this.#started ||= text !== '';
    while (from < text.length && !structure.ambiguous) {
      const leaf = structure.rootLeaf;
      let fence = false;
      if (leaf === null) {
        const skimmed = skim(text, ends, from);
        from = skimmed.at;
        this.#line += skimmed.lines;
        fence = skimmed.fence;
        if (last && from >= text.length) return;
        if (!fence) this.#takePassed(text.slice(skimmed.since, from), skimmed.anew);
        if (from >= text.length) return;
      }
      const end = ends.end(from);
      this.#line += 1;
      if (fence) this.#tell(structure.takeRootFence(text, from, end));
      else if (leaf === 'fence' && !this.#open) structure.passFenced(text, from, end);
      else this.#tell(structure.take(text.slice(from, end)));
      from = ends.after(end);
    }
  }

  /** Lines, each with its ending, that are nothing to the root but may decide what the next line is. */
  #takePassed(text: string, anew: boolean): void {
    if (anew) this.#structure.restart();
    const ends = new LineEnds(text);
    for (let from = 0; from < text.length; ) {
      const end = ends.end(from);
      this.#structure.take(text.slice(from, end));
      from = ends.after(end);
    }
  }

  #tell(role: LineRole): void {
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
  return new BlockExtractor(text).end();
}
