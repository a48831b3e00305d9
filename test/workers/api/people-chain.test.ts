import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import type { PeopleWritesPage } from '../../../schema/contracts/audit.ts';
import { PeopleWritesPageSchema } from '../../../schema/contracts/audit.ts';
import { verifyPeopleWrites } from '../../../schema/domain/audit-chain.ts';
import type { ChainVerdict } from '../../../schema/domain/journal-chain.ts';
import { EMPTY_CHAIN } from '../../../schema/domain/journal-chain.ts';
import { sha256Hex } from '../../../workers/crypto/hash.ts';
import { muteLog } from '../objects/support.ts';
import { Conductor, EXEC, instructionsOf } from '../support/conductor.ts';
import { rowsOf } from '../support/edge.ts';

const conductor = new Conductor();
const { edge } = conductor;

/** The whole chain, read and verified in pages of two. */
async function read(): Promise<{ items: PeopleWritesPage['items']; verdict: ChainVerdict }> {
  const items: PeopleWritesPage['items'] = [];
  let verdict: ChainVerdict = { ok: true, head: EMPTY_CHAIN };
  let after: number | null = 0;
  while (after !== null) {
    const path: string = `/v1/audit/people?after=${after}&limit=2`;
    const page: PeopleWritesPage = PeopleWritesPageSchema.parse(await edge.data('GET', path));
    items.push(...page.items);
    if (verdict.ok) verdict = await verifyPeopleWrites(sha256Hex, verdict.head, page);
    after = page.next_after;
  }
  return { items, verdict };
}
const verdict = async () => (await read()).verdict;
const act = () => conductor.mode('resume');
const sql = (query: string) => env.DB.prepare(query).run();

beforeEach(async () => {
  await sql('DELETE FROM audit');
  await sql("DELETE FROM journal_heads WHERE chain = 'audit:people'");
  for (let n = 0; n < 5; n += 1) await act();
});

describe('what people do', () => {
  it('is chained with who, what and when, and what nodes do is in the audit without a place in the chain', async () => {
    await conductor.bring(conductor.message({ instructions: instructionsOf(EXEC) }));
    await conductor.lead();
    const { items, verdict } = await read();
    expect(verdict).toMatchObject({ ok: true, head: { seq: items.length } });
    expect(items.map(({ seq }) => seq)).toEqual(Array.from(items, (_one, n) => n + 1));
    expect(items[0]).toMatchObject({ role: 'ops_admin', action: 'POST /v1/system/resume' });
    const unchained = await rowsOf<{ role: string }>('SELECT DISTINCT role FROM audit WHERE chain_seq IS NULL');
    expect(unchained).toEqual([{ role: 'controller' }]);
  });

  it('is one chain without gaps when twenty people act at once', async () => {
    await Promise.all(Array.from({ length: 20 }, act));
    const { items, verdict } = await read();
    expect(verdict).toMatchObject({ ok: true, head: { seq: 25 } });
    expect(items).toHaveLength(25);
  });
});

describe('the chain of what people did', () => {
  it.each([
    ['an altered actor', "UPDATE audit SET actor = 'somebody' WHERE chain_seq = 3", 3],
    ['an altered time', 'UPDATE audit SET at = at + 1 WHERE chain_seq = 3', 3],
    ['another subject', "UPDATE audit SET subject_id = 'other' WHERE chain_seq = 3", 3],
    ['a removed row', 'DELETE FROM audit WHERE chain_seq = 3', 4],
    ['a row that has lost its place', 'UPDATE audit SET chain_seq = NULL WHERE chain_seq = 3', 4],
    ['a removed newest row', 'DELETE FROM audit WHERE chain_seq = 5', 5],
    ['a removed head', "DELETE FROM journal_heads WHERE chain = 'audit:people'", 5],
    ['all rows removed', 'DELETE FROM audit', 1],
  ])('shows %s', async (_what, tamper, at) => {
    expect(await verdict()).toMatchObject({ ok: true });
    await sql(tamper);
    expect(await verdict()).toMatchObject({ ok: false, seq: at });
  });

  it('stays broken when people act after its newest row was removed, and does not stop them', async () => {
    muteLog();
    await sql('DELETE FROM audit WHERE chain_seq = 5');
    await act();
    await act();
    expect(await verdict()).toMatchObject({ ok: false });
    await sql('DELETE FROM audit WHERE chain_seq > 4');
    expect(await verdict()).toMatchObject({ ok: false });
  });
});
