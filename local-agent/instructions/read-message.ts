/** From the text of a message to the instructions in it: extract, parse, normalise. Pure. */
import type { BlockError } from '../../schema/contracts/instructions.ts';
import { extractBlocks } from './extract.ts';
import type { NormalInstruction } from './normalize.ts';
import { normalize } from './normalize.ts';
import { parseBlocks } from './parse.ts';

/** The instructions that can be called, and what is wrong with the rest, by line. An error stops no other instruction. */
export function readMessage(text: string): { instructions: NormalInstruction[]; errors: BlockError[] } {
  const { blocks, near_misses, error } = extractBlocks(text);
  const parsed = parseBlocks(blocks);
  const { instructions, errors } = normalize(parsed.instructions);
  const all = [...(error ? [error] : []), ...near_misses, ...parsed.errors, ...errors];
  return { instructions, errors: all.sort((a, b) => a.line - b.line) };
}
