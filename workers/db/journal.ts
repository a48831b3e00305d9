/**
 * The journal of instruction events, hash-chained per node: one block per commit and message. Blocks are linked when
 * their commit is written: the chain's newest block is read, and the new block's hash binds it. Two commits that
 * continue a chain from the same place collide on its key; the later one links again. Where a chain ends is kept apart
 * from it, so that a removed block is noticed; such a chain stays broken, and does not stop the node's writes.
 */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import type { InstructionEventKind } from '../../schema/contracts/instructions.ts';
import type { ChainHead, EventDetail, JournalAuthor, JournalEntry } from '../../schema/contracts/journal.ts';
import type { KeptHead } from '../../schema/domain/journal-chain.ts';
import { blockHash, EMPTY_CHAIN, headToFollow } from '../../schema/domain/journal-chain.ts';
import { wellFormed } from '../../schema/domain/well-formed.ts';
import { journal_blocks } from '../../schema/tables/index.ts';
import { sha256Hex } from '../crypto/hash.ts';
import { log } from '../log.ts';
import { insertRows } from './bulk.ts';
import type { OutboxMark } from './idempotency.ts';
import type { Database, Statement } from './open.ts';

export interface JournalDraft {
  /** The node whose journal it goes into: the one that holds the instruction. */
  chain: string;
  message_id: string;
  instruction_id: string;
  kind: InstructionEventKind;
  /** The node that did it; null for the system or a person. */
  controller_id: string | null;
  detail: EventDetail;
}

export interface JournalWrite {
  db: Database;
  /** Unix milliseconds. */
  now: number;
  author: JournalAuthor | null;
  /** The mark that the same commit writes, when an outbox sends the write. */
  mark: OutboxMark | null;
}

export interface LinkedJournal {
  statements: Statement[];
  /** The new head of the chain of the mark's own node, for the mark to keep; null when this chain has no new block. */
  head: ChainHead | null;
}

/** Statements that append the entries to their chains as these end now. */
export async function linkJournal(write: JournalWrite, drafts: readonly JournalDraft[]): Promise<LinkedJournal> {
  if (drafts.length === 0) return { statements: [], head: null };
  const { db, now, author, mark } = write;
  const heads = await readHeads(write, [...new Set(drafts.map(({ chain }) => chain))]);
  const rows = [];
  for (const { chain, message_id, entries } of blocksOf(drafts)) {
    const before = heads.get(chain) ?? EMPTY_CHAIN;
    const seq = before.seq + 1;
    const content = { chain, seq, at: now, message_id, written_by: author, entries };
    const hash = await blockHash(sha256Hex, before.hash, content);
    heads.set(chain, { seq, hash });
    rows.push({ ...content, prev_hash: before.hash, hash });
  }
  const own = mark === null ? null : (heads.get(mark.controller_id) ?? null);
  if (mark !== null) heads.delete(mark.controller_id);
  return { statements: [...insertRows(db, journal_blocks, rows), ...storeHeads(db, heads)], head: own };
}

/** The entries of each message in each chain, in order. */
function blocksOf(drafts: readonly JournalDraft[]) {
  const blocks = new Map<string, { chain: string; message_id: string; entries: JournalEntry[] }>();
  for (const { chain, message_id, instruction_id, kind, controller_id, detail } of drafts) {
    const key = `${chain}/${message_id}`;
    const block = blocks.get(key) ?? { chain, message_id, entries: [] };
    blocks.set(key, block);
    // SQLite would not return malformed Unicode as it was stored, and such an entry could not be verified.
    block.entries.push({ instruction_id, kind, controller_id, detail: wellFormed(detail) });
  }
  return blocks.values();
}

/** The heads that the next blocks follow. Costs a few rows by key, however long the chains are. */
async function readHeads({ db, mark }: JournalWrite, chains: readonly string[]): Promise<Map<string, ChainHead>> {
  const named = sql`json_each(${JSON.stringify(chains)}) AS named`;
  const found = (chain: SQL, seq: SQL) =>
    sql`(SELECT b.hash FROM journal_blocks AS b WHERE b.chain = ${chain} AND b.seq = ${seq}) AS found`;
  const ofMark =
    mark === null
      ? sql``
      : sql`UNION ALL SELECT m.controller_id, m.journal_seq, m.journal_hash, ${found(sql`m.controller_id`, sql`m.journal_seq`)}
          FROM outbox_marks AS m WHERE m.controller_id = ${mark.controller_id} AND m.outbox_id = ${mark.outbox_id}
            AND m.stream = ${mark.stream} AND m.journal_seq IS NOT NULL`;
  const [newest, kept] = await db.batch([
    db.all<ChainHead & { chain: string }>(sql`SELECT b.chain, b.seq, b.hash FROM ${named}
      CROSS JOIN journal_blocks AS b WHERE b.chain = named.value
        AND b.seq = (SELECT max(seq) FROM journal_blocks WHERE chain = named.value)`),
    db.all<KeptHead & { chain: string }>(sql`SELECT h.chain, h.seq, h.hash, ${found(sql`h.chain`, sql`h.seq`)}
      FROM ${named} CROSS JOIN journal_heads AS h WHERE h.chain = named.value ${ofMark}`),
  ]);
  const newestOf = new Map<string, ChainHead>(newest.map(({ chain, seq, hash }) => [chain, { seq, hash }]));
  return new Map(
    chains.map((chain) => {
      const keptOfChain = kept.filter((one) => one.chain === chain);
      const { head, altered } = headToFollow(newestOf.get(chain) ?? EMPTY_CHAIN, keptOfChain);
      if (altered) log('error', 'journal_altered', { chain, seq: head.seq });
      return [chain, head];
    }),
  );
}

/** Keeps these heads apart from their chains. */
export function storeHeads(db: Database, heads: ReadonlyMap<string, ChainHead>): Statement[] {
  if (heads.size === 0) return [];
  const rows = Array.from(heads, ([chain, head]) => ({ chain, ...head }));
  return [
    db.run(sql`INSERT INTO journal_heads (chain, seq, hash)
      SELECT value->>'chain', value->>'seq', value->>'hash' FROM json_each(${JSON.stringify(rows)}) WHERE true
      ON CONFLICT (chain) DO UPDATE SET seq = excluded.seq, hash = excluded.hash`),
  ];
}
