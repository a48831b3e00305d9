/** The chain of the journal: each entry's hash binds its event and the hash of the entry before. SHA-256 is injected. */
import canonicalize from 'canonicalize';
import type { JournalEntry, JournalEvent } from '../contracts/journal.ts';
import { GENESIS_HASH } from '../contracts/journal.ts';

/** The SHA-256 of a text's UTF-8 bytes in lower-case hex. */
export type Sha256 = (text: string) => string | Promise<string>;

/** The hash of an entry: of the hash before it and the event's canonical JSON. */
export async function chainHash(sha256: Sha256, prevHash: string, event: JournalEvent): Promise<string> {
  const { chain, seq, at, instruction_id, kind, controller_id, detail } = event;
  const text = canonicalize({ chain, seq, at, instruction_id, kind, controller_id, detail });
  if (text === undefined) throw new Error('an event that is JSON has a canonical form');
  return sha256(prevHash + text);
}

/** The position and hash of a chain's last entry. */
export interface ChainHead {
  seq: number;
  hash: string;
}
export const EMPTY_CHAIN: ChainHead = { seq: 0, hash: GENESIS_HASH };

export type ChainVerdict = { ok: true; head: ChainHead } | { ok: false; seq: number; reason: string };

/** Whether `entries` continue the chain after `head`; if not, the first that does not and why. */
export async function verifyChain(
  sha256: Sha256,
  head: ChainHead,
  entries: readonly JournalEntry[],
): Promise<ChainVerdict> {
  let last = head;
  for (const entry of entries) {
    const broken = (reason: string): ChainVerdict => ({ ok: false, seq: entry.seq, reason });
    if (entry.seq !== last.seq + 1) return broken(`expected entry ${last.seq + 1}`);
    if (entry.prev_hash !== last.hash) return broken('it does not follow the entry before it');
    if ((await chainHash(sha256, last.hash, entry)) !== entry.hash) return broken('its content was altered');
    last = { seq: entry.seq, hash: entry.hash };
  }
  return { ok: true, head: last };
}
