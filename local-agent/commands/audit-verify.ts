/**
 * The part of `journal verify` about what people did: the chain of their writes in the audit, against itself and against the
 * heads that were seen before. What is not there proves nothing, so a chain that is missing or may not be read is no success.
 */
import type { PeopleWritesPage } from '../../schema/contracts/audit.ts';
import { PeopleWritesPageSchema } from '../../schema/contracts/audit.ts';
import type { ChainHead } from '../../schema/contracts/journal.ts';
import { verifyPeopleWrites } from '../../schema/domain/audit-chain.ts';
import { EMPTY_CHAIN, verifySeen } from '../../schema/domain/journal-chain.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import { EdgeError } from '../edge/http-client.ts';
import { sha256Hex } from '../lib/hash.ts';
import type { Verdict } from './journal-verify.ts';
import { EndlessPagesError, readChain } from './read-pages.ts';

const MISSING =
  'the edge has none. A new edge has one from the first token that a person creates, and an edge that was updated from the next write of a person';
const FORBIDDEN =
  'the token may not read the audit: use one with the role ops_admin, or verify journals alone with --of';
const TOO_OLD = 'this edge is older than this program and does not chain the writes of people: update the edge';

function readPages(edge: EdgeClient): AsyncGenerator<PeopleWritesPage> {
  const pathOf = (after: number) => `/v1/audit/people?after=${after}`;
  return readChain((after) => edge.call({ method: 'GET', path: pathOf(after), schema: PeopleWritesPageSchema }));
}

/** `seen`: heads of this chain that were seen before. */
export async function verifyAudit(edge: EdgeClient, seen: readonly ChainHead[]): Promise<Verdict> {
  let head = EMPTY_CHAIN;
  try {
    for await (const page of readPages(edge)) {
      const verdict = await verifyPeopleWrites(sha256Hex, head, page);
      const checked = verdict.ok ? verifySeen(page, verdict.head, seen) : verdict;
      if (!checked.ok) return { ok: false, reason: `broken at write ${checked.seq}: ${checked.reason}` };
      head = checked.head;
    }
  } catch (error) {
    if (error instanceof EdgeError && error.status === 403) return { ok: null, reason: FORBIDDEN };
    if (error instanceof EdgeError && error.status === 404) return { ok: null, reason: TOO_OLD };
    if (error instanceof EndlessPagesError) return { ok: false, reason: error.message };
    throw error;
  }
  return head.seq === 0 ? { ok: null, reason: MISSING } : { ok: true, head, entries: head.seq };
}
