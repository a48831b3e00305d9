import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ChainHead, JournalBlock, JournalPage } from '../../../schema/contracts/journal.ts';
import { GENESIS_HASH, JournalContentSchema } from '../../../schema/contracts/journal.ts';
import { blockHash, EMPTY_CHAIN, headToFollow, verifyChain } from '../../../schema/domain/journal-chain.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const OTHER_HASH = 'f'.repeat(64);
const AUTHOR = { actor: 'node-1', role: 'controller', action: 'POST /v1/messages', request_id: 'req_1' };

async function blockAfter(before: ChainHead, at = 1): Promise<JournalBlock> {
  const entry = { instruction_id: 'ins_1', kind: 'ended', controller_id: 'node-1', detail: { exit_code: 0 } };
  const seq = before.seq + 1;
  const content = { chain: 'node-1', seq, at, message_id: 'msg_1', written_by: AUTHOR, entries: [entry, entry] };
  return { ...content, prev_hash: before.hash, hash: await blockHash(sha256, before.hash, content) };
}

async function chainOf(length: number): Promise<JournalBlock[]> {
  const blocks: JournalBlock[] = [];
  for (let n = 0; n < length; n += 1) blocks.push(await blockAfter(blocks.at(-1) ?? EMPTY_CHAIN, n));
  return blocks;
}

const headOf = ({ seq, hash }: JournalBlock): ChainHead => ({ seq, hash });

/** The only page of a journal whose newest block is kept as a head. */
function page(items: JournalBlock[], heads = items.slice(-1).map(headOf)): JournalPage {
  return { items, next_after: null, heads };
}

/** Every value that is like `value` but for one leaf, named by its path. */
function alterations(value: unknown, path = ''): [path: string, altered: unknown][] {
  if (typeof value === 'string') return [[path, `${value}x`]];
  if (typeof value === 'number') return [[path, value + 1]];
  if (value === null || typeof value !== 'object') return [[path, 'x']];
  return Object.entries(value).flatMap(([key, part]) =>
    alterations(part, `${path}/${key}`).map(([where, altered]): [string, unknown] => {
      const copy = Array.isArray(value) ? [...value] : { ...value };
      return [where, Object.assign(copy, { [key]: altered })];
    }),
  );
}

describe('verifyChain', () => {
  it('accepts a whole chain, in one page or several, and names its head', async () => {
    const blocks = await chainOf(4);
    const head = blocks.map(headOf)[3];
    expect(await verifyChain(sha256, EMPTY_CHAIN, page(blocks))).toEqual({ ok: true, head });
    const first = await verifyChain(sha256, EMPTY_CHAIN, { items: blocks.slice(0, 2), next_after: 2, heads: [] });
    expect(first).toEqual({ ok: true, head: blocks.map(headOf)[1] });
    if (first.ok) expect(await verifyChain(sha256, first.head, page(blocks.slice(2)))).toEqual({ ok: true, head });
    expect(await verifyChain(sha256, EMPTY_CHAIN, page([]))).toEqual({ ok: true, head: EMPTY_CHAIN });
  });

  it('finds each single value of a block that was altered', async () => {
    const [first, second, third] = await chainOf(3);
    if (!first || !second || !third) throw new Error('three blocks');
    const altered = alterations(second);
    const fields = new Set(altered.map(([path]) => path.split('/')[1]));
    expect(fields).toEqual(new Set([...Object.keys(JournalContentSchema.shape), 'prev_hash', 'hash']));
    for (const [path, block] of altered) {
      const verdict = await verifyChain(sha256, EMPTY_CHAIN, page([first, block as JournalBlock, third]));
      expect(verdict.ok, path).toBe(false);
    }
  });

  it('finds a block that is chained to another one than the block before it', async () => {
    const [first] = await chainOf(1);
    if (!first) throw new Error('one block');
    const astray = await blockAfter({ seq: 1, hash: OTHER_HASH });
    // Its own hash is right for the hash that it names, and for the one that it should name.
    const disguised = { ...(await blockAfter(headOf(first))), prev_hash: OTHER_HASH };
    for (const block of [astray, disguised]) {
      const verdict = await verifyChain(sha256, EMPTY_CHAIN, page([first, block]));
      expect(verdict).toEqual({ ok: false, seq: 2, reason: 'it does not follow the block before it' });
    }
  });

  it('finds a block that another node’s chain was given', async () => {
    const [block] = await chainOf(1);
    if (!block) throw new Error('one block');
    const verdict = await verifyChain(sha256, EMPTY_CHAIN, page([{ ...block, chain: 'node-2' }]));
    expect(verdict).toMatchObject({ ok: false, seq: 1 });
  });

  it('finds blocks that were removed, repeated or put in another order', async () => {
    const [a, b, c] = await chainOf(3);
    if (!a || !b || !c) throw new Error('three blocks');
    const heads = [headOf(c)];
    for (const [items, seq] of [
      [[a, c], 3],
      [[b, c], 2],
      [[a, a, b, c], 1],
      [[a, c, b], 3],
    ] as [JournalBlock[], number][]) {
      expect(await verifyChain(sha256, EMPTY_CHAIN, page(items, heads))).toMatchObject({ ok: false, seq });
    }
  });

  it('finds that the newest blocks, or all of them, were removed', async () => {
    const blocks = await chainOf(3);
    const heads = blocks.slice(2).map(headOf);
    for (const left of [2, 1, 0]) {
      const verdict = await verifyChain(sha256, EMPTY_CHAIN, page(blocks.slice(0, left), heads));
      expect(verdict).toEqual({ ok: false, seq: left + 1, reason: 'the journal ends before block 3' });
    }
  });

  it('finds a chain that was written again over blocks that were removed', async () => {
    const blocks = await chainOf(3);
    const again = [...blocks.slice(0, 1)];
    for (let n = 0; n < 4; n += 1) again.push(await blockAfter(again.at(-1) ?? EMPTY_CHAIN, 900 + n));
    const heads = [blocks[2], again[4]].flatMap((block) => (block ? [headOf(block)] : []));
    const verdict = await verifyChain(sha256, EMPTY_CHAIN, page(again, heads));
    expect(verdict).toEqual({ ok: false, seq: 3, reason: 'another block was written in this place' });
  });

  it('finds that the head of the newest block was removed', async () => {
    const blocks = await chainOf(3);
    for (const heads of [[], blocks.slice(0, 1).map(headOf)]) {
      const verdict = await verifyChain(sha256, EMPTY_CHAIN, page(blocks, heads));
      expect(verdict).toEqual({ ok: false, seq: 3, reason: 'the edge keeps no head of it' });
    }
  });
});

describe('headToFollow', () => {
  const newest = { seq: 5, hash: 'a'.repeat(64) };

  it('is the newest block while the chain has the block of every kept head', () => {
    const kept = [
      { ...newest, found: newest.hash },
      { seq: 3, hash: OTHER_HASH, found: OTHER_HASH },
    ];
    expect(headToFollow(newest, kept)).toEqual({ head: newest, altered: false });
    expect(headToFollow(newest, [])).toEqual({ head: newest, altered: false });
  });

  it('is the lost block when the newest block was removed, so that a gap stays', () => {
    const lost = { seq: 7, hash: OTHER_HASH };
    expect(headToFollow(newest, [{ ...lost, found: null }])).toEqual({ head: lost, altered: true });
  });

  it('binds the hash of the lost block when another was written in its place', () => {
    const kept = [{ seq: 4, hash: OTHER_HASH, found: GENESIS_HASH }];
    expect(headToFollow(newest, kept)).toEqual({ head: { seq: 5, hash: OTHER_HASH }, altered: true });
  });
});
