/**
 * The journal: the story of every instruction, hash-chained per node. Entries are linked when their commit is written:
 * each chain's head is read, every entry's hash binds the one before it, and the new head is stored in the same batch.
 * Two commits that continue a chain from the same place collide on a unique key; the later one links anew. A head that
 * was lost or set back does not stop a node's writes: the chain goes on from its newest entry.
 */
import { sql } from 'drizzle-orm';
import type { InstructionEventKind } from '../../schema/contracts/instructions.ts';
import type { ChainHead } from '../../schema/domain/journal-chain.ts';
import { chainHash, EMPTY_CHAIN } from '../../schema/domain/journal-chain.ts';
import { wellFormed } from '../../schema/domain/well-formed.ts';
import { instruction_events, journal_heads } from '../../schema/tables/index.ts';
import { sha256Hex } from '../crypto/hash.ts';
import { log } from '../log.ts';
import { insertRows } from './bulk.ts';
import type { Database, Statement } from './open.ts';

export interface JournalDraft {
  /** The node whose journal it goes into: the one that holds the instruction. */
  chain: string;
  instruction_id: string;
  kind: InstructionEventKind;
  /** Who did it; null for the system or a person. */
  controller_id: string | null;
  detail: Record<string, unknown>;
}

/** The statements that append these entries, linked to their chains as they end now; `now` in Unix milliseconds. */
export async function linkJournal(db: Database, drafts: readonly JournalDraft[], now: number): Promise<Statement[]> {
  if (drafts.length === 0) return [];
  const heads = await readHeads(db, [...new Set(drafts.map(({ chain }) => chain))]);
  const rows = [];
  for (const { chain, instruction_id, kind, controller_id, detail: told } of drafts) {
    const before = heads.get(chain) ?? EMPTY_CHAIN;
    // What JSON and SQLite would not give back as it was said cannot be verified later.
    const detail = wellFormed(told);
    const seq = before.seq + 1;
    const event = { chain, seq, at: now, instruction_id, kind, controller_id, detail };
    const hash = await chainHash(sha256Hex, before.hash, event);
    heads.set(chain, { seq, hash });
    const linked = { chain, chain_seq: seq, prev_hash: before.hash, hash };
    rows.push({ instruction_id, at: now, kind, controller_id, detail, ...linked });
  }
  return [...insertRows(db, instruction_events, rows), storeHeads(db, heads)];
}

async function readHeads(db: Database, chains: readonly string[]): Promise<Map<string, ChainHead>> {
  const named = sql`(SELECT value FROM json_each(${JSON.stringify(chains)}))`;
  const { chain, chain_seq, hash } = instruction_events;
  const [heads, newest] = await db.batch([
    db.select().from(journal_heads).where(sql`${journal_heads.chain} IN ${named}`),
    db
      .select({ chain, seq: chain_seq, hash })
      .from(sql`${named} AS named`)
      .innerJoin(
        instruction_events,
        sql`${chain} = named.value AND ${chain_seq} = (SELECT max(chain_seq) FROM instruction_events WHERE chain = named.value)`,
      ),
  ]);
  const found = new Map<string, ChainHead>(heads.map((head) => [head.chain, { seq: head.seq, hash: head.hash }]));
  for (const last of newest) {
    if (last.chain === null || last.seq === null || last.hash === null) continue;
    if (last.seq <= (found.get(last.chain)?.seq ?? 0)) continue;
    found.set(last.chain, { seq: last.seq, hash: last.hash });
    log('error', 'journal_head_behind', { chain: last.chain, seq: last.seq });
  }
  return found;
}

function storeHeads(db: Database, heads: ReadonlyMap<string, ChainHead>): Statement {
  const rows = Array.from(heads, ([chain, head]) => ({ chain, ...head }));
  return db.run(sql`INSERT INTO journal_heads (chain, seq, hash)
    SELECT value->>'chain', value->>'seq', value->>'hash' FROM json_each(${JSON.stringify(rows)}) WHERE true
    ON CONFLICT (chain) DO UPDATE SET seq = excluded.seq, hash = excluded.hash`);
}
