/**
 * The chain of the journal: the hash of each block binds its content and the hash of the block before it. Heads are
 * kept apart from the chain, so that its newest block cannot be removed unnoticed. Pure; SHA-256 is injected.
 */
import canonicalize from 'canonicalize';
import type { ChainHead, JournalContent, JournalPage } from '../contracts/journal.ts';
import { GENESIS_HASH } from '../contracts/journal.ts';

/** The SHA-256 of a text's UTF-8 bytes in lower-case hex. */
export type Sha256 = (text: string) => string | Promise<string>;

/** The hash of a block that follows `prevHash`: of that hash and the canonical JSON of the content. */
export async function blockHash(sha256: Sha256, prevHash: string, content: JournalContent): Promise<string> {
  const { chain, seq, at, message_id, written_by, entries } = content;
  return linkHash(sha256, prevHash, { chain, seq, at, message_id, written_by, entries });
}

/** The hash of a link of any chain: of the hash before it and the canonical JSON of its content. */
export async function linkHash(sha256: Sha256, prevHash: string, content: object): Promise<string> {
  const text = canonicalize(content);
  if (text === undefined) throw new Error('a block that is JSON has a canonical form');
  return sha256(prevHash + text);
}

export const EMPTY_CHAIN: ChainHead = { seq: 0, hash: GENESIS_HASH };

/** A head that was kept, with the hash of the block that the chain has in its place now; null when it has none. */
export interface KeptHead extends ChainHead {
  found: string | null;
}

/**
 * Where the next block is linked: to the newest one, unless the chain has lost the block of a kept head. Then the next
 * block names the lost one as the one before it, so that the chain stays broken at this place.
 */
export function headToFollow(newest: ChainHead, kept: readonly KeptHead[]): { head: ChainHead; altered: boolean } {
  const [lost] = kept.filter((one) => one.found !== one.hash).sort((a, b) => b.seq - a.seq);
  if (lost === undefined) return { head: newest, altered: false };
  return { head: { seq: Math.max(lost.seq, newest.seq), hash: lost.hash }, altered: true };
}

export type ChainVerdict = { ok: true; head: ChainHead } | { ok: false; seq: number; reason: string };

/** A page of a chain, in order, with the heads that are kept apart from it as far as the page reaches. */
export interface ChainPage<L extends ChainHead & { prev_hash: string }> {
  items: readonly L[];
  next_after: number | null;
  heads: readonly ChainHead[];
}

/** Whether the page's blocks continue the chain from `head`, and the kept heads are among them; names the first fault. */
export function verifyChain(sha256: Sha256, head: ChainHead, page: JournalPage): Promise<ChainVerdict> {
  // What a forgotten block was cannot be computed again; a later entry binds what is left of it (forgotten-blocks.ts).
  return verifyLinks(head, page, (prevHash, block) =>
    block.forgotten_at == null ? blockHash(sha256, prevHash, block) : Promise.resolve(block.hash),
  );
}

/** The same for any chain. The newest link of a whole chain is always kept as a head. */
export async function verifyLinks<L extends ChainHead & { prev_hash: string }>(
  head: ChainHead,
  page: ChainPage<L>,
  hashOf: (prevHash: string, link: L) => Promise<string>,
): Promise<ChainVerdict> {
  let last = head;
  for (const block of page.items) {
    const broken = (reason: string): ChainVerdict => ({ ok: false, seq: block.seq, reason });
    if (block.seq !== last.seq + 1) return broken(`expected block ${last.seq + 1}`);
    if (block.prev_hash !== last.hash) return broken('it does not follow the block before it');
    if ((await hashOf(last.hash, block)) !== block.hash) return broken('its content was altered');
    if (page.heads.some((kept) => kept.seq === block.seq && kept.hash !== block.hash)) {
      return broken('another block was written in this place');
    }
    last = { seq: block.seq, hash: block.hash };
  }
  const newest = Math.max(0, ...page.heads.map((kept) => kept.seq));
  if (newest > last.seq) {
    return { ok: false, seq: last.seq + 1, reason: `the journal ends before block ${newest}` };
  }
  if (page.next_after === null && newest < last.seq) {
    return { ok: false, seq: last.seq, reason: 'the edge keeps no head of it' };
  }
  return { ok: true, head: last };
}

/**
 * Whether the page still has the blocks that were its chain's newest when a client saw them. The heads that the edge
 * keeps prove nothing against an attacker who writes its database; these are kept by the client.
 */
export function verifySeen(
  page: Pick<ChainPage<ChainHead & { prev_hash: string }>, 'items' | 'next_after'>,
  reached: ChainHead,
  seen: readonly ChainHead[],
): ChainVerdict {
  for (const block of page.items) {
    const known = seen.find((head) => head.seq === block.seq);
    if (known !== undefined && known.hash !== block.hash) {
      return { ok: false, seq: block.seq, reason: `it is another block than the one seen before (${known.hash})` };
    }
  }
  const newest = Math.max(0, ...seen.map((head) => head.seq));
  if (page.next_after === null && newest > reached.seq) {
    return {
      ok: false,
      seq: reached.seq + 1,
      reason: `the journal ends before block ${newest}, which was seen before`,
    };
  }
  return { ok: true, head: reached };
}
