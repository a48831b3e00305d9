import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { JournalBlock, JournalContent } from '../../../schema/contracts/journal.ts';
import type { ForgottenBlocks } from '../../../schema/domain/forgotten-blocks.ts';
import { alteredForgotten, leftHash, noteForgotten, withoutOutput } from '../../../schema/domain/forgotten-blocks.ts';
import { blockHash, EMPTY_CHAIN, verifyChain } from '../../../schema/domain/journal-chain.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const entry = (kind: string, detail: Record<string, unknown>) => ({
  instruction_id: 'ins_1',
  kind,
  controller_id: 'mini',
  detail,
});

/** A chain of two blocks: one with printed output that was forgotten, and one that binds what is left. */
async function chain(change: (left: JournalContent) => JournalContent = (left) => left, binds = true) {
  const base = { chain: 'mini', at: 1, message_id: 'msg_1', written_by: null };
  const written = { ...base, seq: 1, entries: [entry('started', {}), entry('output', { offset: 0, chunk: 'secret' })] };
  const hash = await blockHash(sha256, EMPTY_CHAIN.hash, written);
  const left = { ...written, entries: withoutOutput(written.entries) };
  const detail = binds ? { block: 1, left_sha256: await leftHash(sha256, left) } : {};
  const next = { ...base, seq: 2, entries: [entry('forgotten', detail)] };
  const nextHash = await blockHash(sha256, hash, next);
  const items: JournalBlock[] = [
    { ...change(left), prev_hash: EMPTY_CHAIN.hash, hash, forgotten_at: 2 },
    { ...next, prev_hash: hash, hash: nextHash },
  ];
  const page = { items, next_after: null, heads: [{ seq: 2, hash: nextHash }] };
  const noted: ForgottenBlocks = { left: new Map(), bound: new Map() };
  for (const block of items) await noteForgotten(sha256, noted, block);
  return { verdict: await verifyChain(sha256, EMPTY_CHAIN, page), altered: alteredForgotten(noted), left };
}

describe('a block of the journal whose output was forgotten', () => {
  it('keeps its place in the chain by its hash, without what was printed', async () => {
    const { verdict, altered, left } = await chain();
    expect(verdict).toMatchObject({ ok: true });
    expect(altered).toBeNull();
    expect(JSON.stringify(left)).not.toContain('secret');
    expect(left.entries.map(({ kind }) => kind)).toEqual(['started', 'output']);
  });

  it('is found altered when what is left of it was changed', async () => {
    const { altered } = await chain((left) => ({ ...left, entries: [entry('ended', { status: 'succeeded' })] }));
    expect(altered).toBe(1);
  });

  it('is found altered when no later entry binds what is left of it', async () => {
    expect((await chain((left) => left, false)).altered).toBe(1);
  });
});
