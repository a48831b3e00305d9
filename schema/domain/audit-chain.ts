/** The chain of people's writes: the same links as the journal's, with a row of the audit as the block. */
import type { PeopleWrite, PeopleWritesPage } from '../contracts/audit.ts';
import { PEOPLE_CHAIN } from '../contracts/audit.ts';
import type { ChainHead } from '../contracts/journal.ts';
import type { ChainVerdict, Sha256 } from './journal-chain.ts';
import { linkHash, verifyLinks } from './journal-chain.ts';

/** The hash of a write that follows `prevHash`. */
export function peopleWriteHash(sha256: Sha256, prevHash: string, write: PeopleWrite): Promise<string> {
  const { seq, at, actor, role, action, subject_id, request_id } = write;
  return linkHash(sha256, prevHash, { chain: PEOPLE_CHAIN, seq, at, actor, role, action, subject_id, request_id });
}

/** Whether the page's writes continue the chain from `head`; names the first fault. */
export function verifyPeopleWrites(sha256: Sha256, head: ChainHead, page: PeopleWritesPage): Promise<ChainVerdict> {
  return verifyLinks(head, page, (prevHash, write) => peopleWriteHash(sha256, prevHash, write));
}
