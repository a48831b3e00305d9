/**
 * Fences that were probably meant as `baa` blocks and are none. Nothing in them runs; each is an error that says how to
 * write a block, so that the assistant does not wait for a reply that never comes.
 */
import type { Token } from 'markdown-it';

export interface NearMiss {
  code: 'not_baa' | 'nested_block' | 'unclosed_block';
  message: string;
}

const MEANS_BAA = /^[ \t]*[{.]{0,2}baa(?![\p{L}\p{N}_-])/iu;
const EXACTLY = /^[ \t]*baa[ \t]*$/;
const MAX_SHOWN = 40;

/** What is wrong with a fence; null for a `baa` block, and for a fence that was not meant as one. */
export function nearMiss({ info, level }: Pick<Token, 'info' | 'level'>, isClosed: boolean): NearMiss | null {
  if (!MEANS_BAA.test(info)) return null;
  if (!EXACTLY.test(info)) {
    const shown = JSON.stringify(info.trim().slice(0, MAX_SHOWN).toWellFormed());
    const message = `not run: the opening fence says ${shown}; write three backticks and exactly baa, in small letters`;
    return { code: 'not_baa', message };
  }
  if (level > 0) {
    const message = 'not run: the block is in a list or a quote; write its fence at the beginning of a line, outside';
    return { code: 'nested_block', message };
  }
  if (isClosed) return null;
  const message = 'not run: the block has no closing fence; end it with a line of three backticks and nothing else';
  return { code: 'unclosed_block', message };
}
