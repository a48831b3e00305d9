/**
 * The grammar inside a `baa` block: a line `@target::tool[::params]` starts an instruction, and its params end at the next
 * such line. Such a line starts an instruction at any place in the block: a JSON string contains no raw line break, so the
 * line can only cut JSON that is invalid anyway. Each error names its line and affects no other instruction.
 */
import type { BlockError } from '../../schema/contracts/instructions.ts';
import { INSTRUCTION } from '../../schema/defaults.ts';
import type { BaaBlock } from './extract.ts';
import { parseJsonParams } from './json-params.ts';

const MAX_ERRORS = 64;
const BEHIND_BROKEN_JSON =
  'not run, and nothing behind it in this block: where the JSON before it ends is not certain, so this may be its text';
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

function parseBlock(block: BaaBlock, firstIndex: number): ParsedMessage & { count: number } {
  const errors: BlockError[] = [];
  const instructions: ParsedInstruction[] = [];
  const addError = (stage: BlockError['stage'], line: number, code: string, message: string) =>
    errors.push(blockError(stage, block, line, code, message));
  if (block.problem !== null) {
    addError('extract', block.line, block.problem.code, block.problem.message);
    return { instructions, errors, count: 0 };
  }
  const { written, stray } = splitBlock(block);
  if (stray !== null)
    addError('parse', stray, 'not_an_instruction', 'expected a line of the form @target::tool::params');
  else if (written.length === 0) addError('parse', block.line, 'empty_block', 'the block contains no instruction');
  for (const [nth, found] of written.entries()) {
    const index = firstIndex + nth;
    const { line, target, tool } = found;
    if (index >= INSTRUCTION.max_per_message) {
      const limit = `a message may have at most ${INSTRUCTION.max_per_message} instructions; this one and all after it are left out`;
      if (index === INSTRUCTION.max_per_message) addError('extract', line, 'too_many_instructions', limit);
      break;
    }
    const text = found.text.trim();
    const base = { block_index: block.block_index, index, line, target, tool };
    if (!text.startsWith('{')) {
      instructions.push({ ...base, params: text === '' ? { kind: 'none' } : { kind: 'text', text } });
      continue;
    }
    const json = parseJsonParams(text);
    if (json.ok) {
      instructions.push({ ...base, params: { kind: 'json', value: json.value } });
      continue;
    }
    addError('parse', line, json.code, json.message);
    const next = written[nth + 1];
    if (json.is_end_certain || next === undefined) continue;
    addError('parse', next.line, 'behind_broken_json', BEHIND_BROKEN_JSON);
    break;
  }
  return { instructions, errors, count: written.length };
}

/** The instructions of all blocks in message order, and the errors of the others. */
export function parseBlocks(blocks: readonly BaaBlock[]): ParsedMessage {
  const instructions: ParsedInstruction[] = [];
  const errors: BlockError[] = [];
  let count = 0;
  for (const block of blocks) {
    const parsed = parseBlock(block, count);
    instructions.push(...parsed.instructions);
    errors.push(...parsed.errors);
    count += parsed.count;
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
