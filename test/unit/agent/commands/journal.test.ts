import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { runCli } from '../../../../local-agent/commands/main.ts';
import type { ChainHead, JournalBlock } from '../../../../schema/contracts/journal.ts';
import { blockHash, EMPTY_CHAIN } from '../../../../schema/domain/journal-chain.ts';
import { commandWorld } from '../../../support/command-deps.ts';

const OTHER_HASH = 'a'.repeat(64);
const PAGE = 2;
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

async function chain(length: number): Promise<JournalBlock[]> {
  const blocks: JournalBlock[] = [];
  for (let seq = 1; seq <= length; seq += 1) {
    const entry = { instruction_id: 'ins_1', kind: 'ended', controller_id: null, detail: {} };
    const content = { chain: 'node-1', seq, at: seq, message_id: 'msg_1', written_by: null, entries: [entry, entry] };
    const prev_hash = (blocks.at(-1) ?? EMPTY_CHAIN).hash;
    blocks.push({ ...content, prev_hash, hash: await blockHash(sha256, prev_hash, content) });
  }
  return blocks;
}

const headsOf = (blocks: readonly JournalBlock[]): ChainHead[] => blocks.map(({ seq, hash }) => ({ seq, hash }));

/** An edge that serves a journal in pages of two blocks. */
function journalWorld(blocks: readonly JournalBlock[], heads = headsOf(blocks.slice(-1))) {
  return commandWorld(({ path }) => {
    const after = Number(new URL(path, 'http://x').searchParams.get('after'));
    const items = blocks.slice(after, after + PAGE);
    const next_after = after + PAGE < blocks.length ? after + PAGE : null;
    const reached = ({ seq }: ChainHead) => seq > after && (next_after === null || seq <= next_after);
    return { items, next_after, heads: heads.filter(reached) };
  });
}
const verify = (world: ReturnType<typeof commandWorld>) => runCli(['journal', 'verify', '--of', 'node-1'], world.deps);

describe('journal', () => {
  it('verify accepts an intact chain over all pages', async () => {
    const world = journalWorld(await chain(5));
    expect(await verify(world)).toBe(0);
    expect(world.stdout()).toContain('the journal of node-1 is intact: 10 entries in 5 blocks');
    expect(world.calls).toHaveLength(3);
  });

  it('verify names the block at which the chain was altered, cut, reordered or shortened', async () => {
    const whole = await chain(5);
    const cases: [JournalBlock[], number][] = [
      [whole.map((one) => (one.seq === 3 ? { ...one, entries: one.entries.slice(1) } : one)), 3],
      [whole.map((one) => (one.seq === 2 ? { ...one, prev_hash: OTHER_HASH } : one)), 2],
      [whole.filter(({ seq }) => seq !== 2), 3],
      [[...whole.slice(0, 3), ...whole.slice(4), ...whole.slice(3, 4)], 5],
      [whole.slice(0, 4), 5],
    ];
    for (const [blocks, at] of cases) {
      const world = journalWorld(blocks, headsOf(whole.slice(-1)));
      expect(await verify(world)).toBe(1);
      expect(world.stderr()).toContain(`broken at block ${at}`);
    }
  });

  it('verify detects that the kept head of the chain was lost, set back or altered', async () => {
    const whole = await chain(3);
    for (const heads of [[], headsOf(whole.slice(1, 2)), [{ seq: 3, hash: OTHER_HASH }]]) {
      const world = journalWorld(whole, heads);
      expect(await verify(world)).toBe(1);
      expect(world.stderr()).toContain('broken at block 3');
    }
  });

  it('export writes one block per line, to a new file with --out', async () => {
    const whole = await chain(3);
    const world = journalWorld(whole);
    expect(await runCli(['journal', 'export', '--of', 'node-1'], world.deps)).toBe(0);
    expect(world.out.map((line) => JSON.parse(line))).toEqual(whole);
    const written: string[] = [];
    const toFile = journalWorld(whole);
    const deps = { ...toFile.deps, writeNewFile: (path: string, text: string) => written.push(path, text) };
    await runCli(['journal', 'export', '--of', 'node-1', '--out', '/x/j.jsonl'], deps);
    expect(written).toEqual(['/x/j.jsonl', whole.map((one) => `${JSON.stringify(one)}\n`).join('')]);
  });
});
