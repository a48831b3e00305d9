/**
 * Blocks of the journal from which the output of programs was removed. The hash of such a block is still the one that the
 * next block follows, but its content cannot be computed again. So the write that removes the output appends an entry with a
 * hash of what is left, and `journal verify` compares: what is left cannot be altered either. Pure; SHA-256 is injected.
 */
import { z } from 'zod';
import type { JournalBlock, JournalContent, JournalEntry } from '../contracts/journal.ts';
import type { Sha256 } from './journal-chain.ts';
import { linkHash } from './journal-chain.ts';

/** The kind of an entry that holds output of a program. */
const OUTPUT = 'output';

/** What the entry of kind `forgotten` says of a block. */
const BoundSchema = z.object({ block: z.number().int(), left_sha256: z.string() });

export function hasOutput(entries: readonly JournalEntry[]): boolean {
  return entries.some(({ kind, detail }) => kind === OUTPUT && detail.chunk !== undefined);
}

/** The entries without what programs have printed. */
export function withoutOutput(entries: readonly JournalEntry[]): JournalEntry[] {
  return entries.map((entry) => {
    if (entry.kind !== OUTPUT) return entry;
    const { chunk: _removed, ...detail } = entry.detail;
    return { ...entry, detail };
  });
}

/** The hash of what is left of a block. */
export function leftHash(sha256: Sha256, { chain, seq, at, message_id, written_by, entries }: JournalContent) {
  return linkHash(sha256, '', { chain, seq, at, message_id, written_by, entries });
}

/** What the reading of a chain has found of its forgotten blocks. */
export interface ForgottenBlocks {
  /** The hash of what is left, by the number of the block. */
  left: Map<number, string>;
  /** The same as later entries say it. */
  bound: Map<number, string>;
}

export async function noteForgotten(sha256: Sha256, noted: ForgottenBlocks, block: JournalBlock): Promise<void> {
  if (block.forgotten_at != null) noted.left.set(block.seq, await leftHash(sha256, block));
  for (const { kind, detail } of block.entries) {
    const said = kind === 'forgotten' ? BoundSchema.safeParse(detail).data : undefined;
    if (said !== undefined && said.block < block.seq) noted.bound.set(said.block, said.left_sha256);
  }
}

/** The first forgotten block that is not as it was left; null when all are. */
export function alteredForgotten({ left, bound }: ForgottenBlocks): number | null {
  for (const [seq, hash] of left) if (bound.get(seq) !== hash) return seq;
  return null;
}
