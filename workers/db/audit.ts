/**
 * The rows of the audit. The writes of people are linked to a chain when they are committed, like the blocks of the
 * journal: two commits that continue it from the same place collide on its unique index, and the later one links again.
 * Its head is kept apart, so that a removed row is noticed. The writes of nodes are many and are not chained.
 */
import { sql } from 'drizzle-orm';
import { PEOPLE_CHAIN } from '../../schema/contracts/audit.ts';
import type { ChainHead, JournalAuthor } from '../../schema/contracts/journal.ts';
import { peopleWriteHash } from '../../schema/domain/audit-chain.ts';
import type { KeptHead } from '../../schema/domain/journal-chain.ts';
import { EMPTY_CHAIN, headToFollow } from '../../schema/domain/journal-chain.ts';
import { audit } from '../../schema/tables/index.ts';
import { sha256Hex } from '../crypto/hash.ts';
import { log } from '../log.ts';
import { storeHeads } from './journal.ts';
import type { Database, Statement } from './open.ts';

export interface AuditedWrite extends JournalAuthor {
  at: number;
  subject_id: string | null;
}

/** The row of a node's write. */
export function auditNode(db: Database, write: AuditedWrite): Statement[] {
  return [db.insert(audit).values(write)];
}

/** The row of a person's write, linked to the chain as it ends now, and the head that it leaves. */
export async function auditPerson(db: Database, given: AuditedWrite): Promise<Statement[]> {
  // SQLite would not return malformed Unicode as it was stored, and such a row could not be verified.
  const write = {
    ...given,
    actor: given.actor.toWellFormed(),
    subject_id: given.subject_id?.toWellFormed() ?? null,
  };
  const before = await readHead(db);
  const seq = before.seq + 1;
  const hash = await peopleWriteHash(sha256Hex, before.hash, { ...write, seq });
  return [
    db.insert(audit).values({ ...write, chain_seq: seq, prev_hash: before.hash, hash }),
    ...storeHeads(db, new Map([[PEOPLE_CHAIN, { seq, hash }]])),
  ];
}

/** Costs a few rows by key, however long the chain is. */
async function readHead(db: Database): Promise<ChainHead> {
  const [newest, kept] = await db.batch([
    db.all<ChainHead>(sql`SELECT chain_seq AS seq, hash FROM audit
      WHERE chain_seq = (SELECT max(chain_seq) FROM audit WHERE chain_seq IS NOT NULL)`),
    db.all<KeptHead>(sql`SELECT h.seq, h.hash, (SELECT a.hash FROM audit AS a WHERE a.chain_seq = h.seq) AS found
      FROM journal_heads AS h WHERE h.chain = ${PEOPLE_CHAIN}`),
  ]);
  const { head, altered } = headToFollow(newest[0] ?? EMPTY_CHAIN, kept);
  if (altered) log('error', 'audit_altered', { seq: head.seq });
  return head;
}
