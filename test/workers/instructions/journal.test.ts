import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../../schema/contracts/journal.ts';
import { JournalPageSchema } from '../../../schema/contracts/journal.ts';
import { EMPTY_CHAIN, verifyChain } from '../../../schema/domain/journal-chain.ts';
import { sha256Hex } from '../../../workers/crypto/hash.ts';
import { Conductor, DESCRIBE, EXEC, instructionsOf, OTHER_NODE } from '../support/conductor.ts';
import { NODE, rowsOf } from '../support/edge.ts';
import { bringTo, nextConversation } from './support.ts';

const conductor = new Conductor();
const { edge } = conductor;

async function page(after: number, limit: number, chain: string) {
  const path = `/v1/journal?controller_id=${chain}&after=${after}&limit=${limit}`;
  return JournalPageSchema.parse(await edge.data('GET', path));
}

/** The whole journal of a node, read by the page. */
async function read(chain: string = NODE, limit = 200) {
  const entries: JournalEntry[] = [];
  let after: number | null = 0;
  let head: { seq: number; hash: string } | null = null;
  while (after !== null) {
    const next = await page(after, limit, chain);
    entries.push(...next.items);
    ({ next_after: after, head } = next);
  }
  return { entries, head };
}

/** Whether the journal is whole, up to the head that the edge names. */
async function verify(chain: string = NODE) {
  const { entries, head } = await read(chain);
  const verdict = await verifyChain(sha256Hex, EMPTY_CHAIN, entries);
  if (!verdict.ok) return verdict;
  return { ok: verdict.head.seq === (head?.seq ?? 0) && verdict.head.hash === (head?.hash ?? EMPTY_CHAIN.hash) };
}

const sql = (query: string) => env.DB.prepare(query).run();
const pick = `chain = '${NODE}' AND chain_seq`;

describe('the journal of a node', () => {
  it('tells everything that happened, by the page, each entry bound to the one before', async () => {
    const { ids } = await bringTo(conductor, [EXEC, DESCRIBE]);
    await conductor.act(`/v1/instructions/${ids[0]}/started`);
    await conductor.result(ids[0] ?? '');
    await conductor.act(`/v1/instructions/${ids[1]}/run`);
    const { entries, head } = await read(NODE, 3);
    expect(entries.map((entry) => entry.seq)).toEqual(entries.map((_, at) => at + 1));
    expect(entries.filter((entry) => entry.instruction_id === ids[0]).map((entry) => entry.kind)).toEqual([
      'observed',
      'judged',
      'claimed',
      'started',
      'ended',
    ]);
    expect(head).toEqual({ seq: entries.length, hash: entries.at(-1)?.hash });
    expect(await verify()).toEqual({ ok: true });
  });

  it('has no fork and no gap after many commits at once', async () => {
    const before = (await read()).entries.length;
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, n) =>
        conductor.bring(
          conductor.message({ remote_conversation_id: `burst-${n}`, instructions: instructionsOf(EXEC, EXEC) }),
        ),
      ),
    );
    expect(answers.map((response) => response.ingest_status)).toEqual(Array(16).fill('accepted'));
    expect((await read()).entries).toHaveLength(before + 16 * 6);
    expect(await verify()).toEqual({ ok: true });
  });

  it('is one per node, and empty for one that never held anything', async () => {
    const remote_conversation_id = nextConversation();
    await conductor.bring(
      conductor.message({ controller_id: OTHER_NODE, remote_conversation_id, instructions: instructionsOf(EXEC) }),
    );
    expect((await read(OTHER_NODE)).entries.map((entry) => entry.seq)).toEqual([1, 2, 3]);
    expect(await verify(OTHER_NODE)).toEqual({ ok: true });
    expect(await read('nobody')).toEqual({ entries: [], head: null });
  });

  it('keeps what no hash can be made of in a form that one can', async () => {
    const { ids } = await bringTo(conductor, [EXEC]);
    await edge.data('POST', `/v1/instructions/${ids[0]}/cancel`, { body: { reason: 'broken \ud800 \u0000 ü' } });
    expect(await verify()).toEqual({ ok: true });
  });

  it('is read by people and readers, not by nodes', async () => {
    const call = { token: await conductor.token() };
    expect((await edge.error('GET', `/v1/journal?controller_id=${NODE}`, call)).error).toBe('forbidden');
  });
});

describe('who alters the database is found out', () => {
  beforeEach(async () => {
    await bringTo(conductor, [EXEC]);
    expect(await verify()).toEqual({ ok: true });
  });

  it.each([
    ['edited', `UPDATE instruction_events SET detail = '{"status":"denied"}' WHERE ${pick} = 3`, 3],
    ['backdated', `UPDATE instruction_events SET at = at - 1 WHERE ${pick} = 2`, 2],
    ['put into another instruction', `UPDATE instruction_events SET instruction_id = 'ins_x' WHERE ${pick} = 2`, 2],
    ['removed', `DELETE FROM instruction_events WHERE ${pick} = 2`, 3],
    ['made no JSON', `UPDATE instruction_events SET detail = '{"status":' WHERE ${pick} = 2`, 2],
    ['made another kind of JSON', `UPDATE instruction_events SET detail = '[1]' WHERE ${pick} = 2`, 2],
    ['given no hash', `UPDATE instruction_events SET hash = NULL WHERE ${pick} = 2`, 2],
    ['given a text for a time', `UPDATE instruction_events SET at = 'noon' WHERE ${pick} = 2`, 2],
    ['rehashed alone', `UPDATE instruction_events SET hash = '${'0'.repeat(64)}' WHERE ${pick} = 1`, 1],
  ])('an entry that was %s', async (_what, tamper, seq) => {
    const backup = await env.DB.prepare('SELECT * FROM instruction_events WHERE chain_seq <= 3').all();
    await sql(tamper);
    expect(await verify()).toMatchObject({ ok: false, seq });
    await restore(backup.results);
  });

  it('two entries that changed places', async () => {
    const backup = await env.DB.prepare('SELECT * FROM instruction_events WHERE chain_seq <= 3').all();
    await sql(`UPDATE instruction_events SET chain_seq = -1 WHERE ${pick} = 1`);
    await sql(`UPDATE instruction_events SET chain_seq = 1 WHERE ${pick} = 2`);
    await sql(`UPDATE instruction_events SET chain_seq = 2 WHERE ${pick} = -1`);
    expect(await verify()).toMatchObject({ ok: false, seq: 1 });
    await restore(backup.results);
  });

  it('the newest entries, taken away', async () => {
    const { entries } = await read();
    await sql(`DELETE FROM instruction_events WHERE ${pick} = ${entries.length}`);
    expect(await verify()).toEqual({ ok: false });
  });
});

describe('a head of the journal that is lost or set back', () => {
  it.each([
    ['lost', `DELETE FROM journal_heads WHERE chain = '${NODE}'`],
    ['set back', `UPDATE journal_heads SET seq = 1 WHERE chain = '${NODE}'`],
  ])('%s, does not stop the node: its chain goes on from the newest entry', async (_what, tamper) => {
    const chain = 'SELECT max(chain_seq) AS seq FROM instruction_events WHERE chain = ?';
    await bringTo(conductor, [EXEC]);
    const [before] = await rowsOf<{ seq: number }>(chain, NODE);
    await sql(tamper);
    await bringTo(conductor, [EXEC]);
    const [after] = await rowsOf<{ seq: number }>(chain, NODE);
    expect(after?.seq).toBe((before?.seq ?? 0) + 3);
  });
});

async function restore(rows: Record<string, unknown>[]): Promise<void> {
  for (const { seq } of rows) await env.DB.prepare('DELETE FROM instruction_events WHERE seq = ?').bind(seq).run();
  for (const row of rows) {
    const columns = Object.keys(row);
    const places = columns.map(() => '?').join(', ');
    await env.DB.prepare(`INSERT INTO instruction_events (${columns.join(', ')}) VALUES (${places})`)
      .bind(...Object.values(row))
      .run();
  }
}
