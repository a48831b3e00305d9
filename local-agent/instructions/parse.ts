/**
 * The grammar inside a `baa` block: a line `@target::tool[::params]` starts an instruction, and its params end at the next
 * such line. Such a line starts an instruction at any place in the block: a JSON string contains no raw line break, so the
 * line can only cut JSON that is invalid anyway. Each error names its line. It affects other instructions only where the
 * end of the params is not certain, so that what follows may be their text.
 */
import type { BlockError } from '../../schema/contracts/instructions.ts';
import { INSTRUCTION } from '../../schema/defaults.ts';
import type { BaaBlock } from './extract.ts';
import { BEHIND_CUT } from './extract.ts';
import { parseJsonParams } from './json-params.ts';
import { overrun } from './overrun.ts';

const MAX_ERRORS = 64;
/** What the first instruction behind params without a certain end reports, by the code of its error. */
const BEHIND = {
  behind_broken_json:
    'not run, and nothing behind it in this block: where the JSON before it ends is not certain, so this may be its text',
  behind_here_document:
    'not run, and nothing behind it in this block: a here-document before it is still open, so this may be its text',
} as const;
const START = /^@([a-z][a-z0-9._-]*)::([a-z][a-z0-9._/-]*)(?:::(.*)|[ \t]*)$/su;

/** Params as written: none, a plain string, or a JSON object. */
export type RawParams =
  | { kind: 'none' }
  | { kind: 'text'; text: string }
  | { kind: 'json'; value: Record<string, unknown> };

export interface ParsedInstruction {
  block_index: number;
  /** Position among all instructions of the message, invalid ones included. */
  index: number;
  /** Line in the message, counted from 1. */
  line: number;
  target: string;
  tool: string;
  params: RawParams;
}

export interface ParsedMessage {
  instructions: ParsedInstruction[];
  errors: BlockError[];
}

interface WrittenInstruction {
  line: number;
  target: string;
  tool: string;
  text: string;
}

function blockError(
  stage: BlockError['stage'],
  block: BaaBlock,
  line: number,
  code: string,
  message: string,
): BlockError {
  return { block_index: block.block_index, stage, code, message: message.toWellFormed().slice(0, 500), line };
}

/** The instructions of a block, and the first line of text before them; null when there is none. */
function splitBlock(block: BaaBlock): { written: WrittenInstruction[]; stray: number | null } {
  const written: WrittenInstruction[] = [];
  let stray: number | null = null;
  let params: string[] = [];
  const endInstruction = () => {
    const last = written.at(-1);
    if (last) last.text = params.join('\n');
  };
  for (const [offset, text] of block.lines.entries()) {
    const line = block.line + 1 + offset;
    const start = START.exec(text);
    if (start) {
      endInstruction();
      written.push({ line, target: start[1] ?? '', tool: start[2] ?? '', text: '' });
      params = [start[3] ?? ''];
    } else if (written.length > 0) params.push(text);
    else if (text.trim() !== '') stray ??= line;
  }
  endInstruction();
  return { written, stray };
}

type ReadParams =
  | { ok: true; params: RawParams }
  | {
      ok: false;
      code: string;
      message: string;
      /** Set when what follows in the block may belong to the params. */
      continues_behind: { code: keyof typeof BEHIND; ends_in_block: boolean } | null;
    };

/** The params of an instruction; `rest` are the lines of the block behind it. */
function readParams({ tool, text: untrimmed }: WrittenInstruction, rest: readonly string[]): ReadParams {
  const text = untrimmed.trim();
  if (text === '') return { ok: true, params: { kind: 'none' } };
  if (text.startsWith('{')) {
    const json = parseJsonParams(text);
    if (json.ok) return { ok: true, params: { kind: 'json', value: json.value } };
    const { code, message, is_end_certain } = json;
    const behind = { code: 'behind_broken_json', ends_in_block: false } as const;
    return { ok: false, code, message, continues_behind: is_end_certain ? null : behind };
  }
  const open = overrun(text, tool, rest);
  if (open === null) return { ok: true, params: { kind: 'text', text } };
  const behind = { code: 'behind_here_document', ends_in_block: open.ends_in_block } as const;
  return { ok: false, code: 'open_here_document', message: open.message, continues_behind: behind };
}

interface ParsedBlock extends ParsedMessage {
  count: number;
  /** Whether the end of its last params is certain. Otherwise a fence in them may have ended the block. */
  is_end_certain: boolean;
}

function parseBlock(block: BaaBlock, firstIndex: number): ParsedBlock {
  const errors: BlockError[] = [];
  const instructions: ParsedInstruction[] = [];
  const addError = (stage: BlockError['stage'], line: number, code: string, message: string) =>
    errors.push(blockError(stage, block, line, code, message));
  if (block.problem !== null) {
    addError('extract', block.line, block.problem.code, block.problem.message);
    return { instructions, errors, count: 0, is_end_certain: true };
  }
  const { written, stray } = splitBlock(block);
  if (stray !== null)
    addError('parse', stray, 'not_an_instruction', 'expected a line of the form @target::tool::params');
  else if (written.length === 0) addError('parse', block.line, 'empty_block', 'the block contains no instruction');
  let isEndCertain = true;
  for (const [nth, found] of written.entries()) {
    const index = firstIndex + nth;
    const { line, target, tool } = found;
    if (index >= INSTRUCTION.max_per_message) {
      const limit = `a message may have at most ${INSTRUCTION.max_per_message} instructions; this one and all after it are left out`;
      if (index === INSTRUCTION.max_per_message) addError('extract', line, 'too_many_instructions', limit);
      break;
    }
    const next = written[nth + 1];
    const read = readParams(found, next ? block.lines.slice(next.line - block.line - 1) : []);
    if (read.ok) {
      instructions.push({ block_index: block.block_index, index, line, target, tool, params: read.params });
      continue;
    }
    addError('parse', line, read.code, read.message);
    if (read.continues_behind === null) continue;
    isEndCertain = read.continues_behind.ends_in_block;
    if (next) addError('parse', next.line, read.continues_behind.code, BEHIND[read.continues_behind.code]);
    break;
  }
  return { instructions, errors, count: written.length, is_end_certain: isEndCertain };
}

/** The instructions of all blocks in message order, and the errors of the others. */
export function parseBlocks(blocks: readonly BaaBlock[]): ParsedMessage {
  const instructions: ParsedInstruction[] = [];
  const errors: BlockError[] = [];
  let count = 0;
  let isBehindCut = false;
  for (const block of blocks) {
    const parsed = parseBlock(isBehindCut ? { ...block, problem: block.problem ?? BEHIND_CUT } : block, count);
    instructions.push(...parsed.instructions);
    errors.push(...parsed.errors);
    count += parsed.count;
    isBehindCut ||= !parsed.is_end_certain;
  }
  return { instructions, errors };
}

/** The errors that a message may report. When there are more, the last one counts them. */
export function capErrors(errors: readonly BlockError[]): BlockError[] {
  if (errors.length <= MAX_ERRORS) return [...errors];
  const kept = errors.slice(0, MAX_ERRORS);
  const last = kept[MAX_ERRORS - 1];
  const more = errors.length - MAX_ERRORS + 1;
  if (last) kept[MAX_ERRORS - 1] = { ...last, code: 'too_many_errors', message: `${more} more errors are left out` };
  return kept;
}
