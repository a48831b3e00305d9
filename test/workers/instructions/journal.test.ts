import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import type { InstructionEvent } from '../../../schema/contracts/instructions.ts';
import { MessageDetailSchema } from '../../../schema/contracts/instructions.ts';
import type { JournalBlock } from '../../../schema/contracts/journal.ts';
import { JournalPageSchema } from '../../../schema/contracts/journal.ts';
import type { ChainVerdict } from '../../../schema/domain/journal-chain.ts';
import { EMPTY_CHAIN, verifyChain } from '../../../schema/domain/journal-chain.ts';
import type { Recorded } from '../../../schema/domain/journal-rows.ts';
import { record, rowFaults } from '../../../schema/domain/journal-rows.ts';
import { sha256Hex } from '../../../workers/crypto/hash.ts';
import { muteLog } from '../objects/support.ts';
import { Conductor, DESCRIBE, EXEC, instructionsOf, OTHER_NODE } from '../support/conductor.ts';
import { NODE, rowsOf } from '../support/edge.ts';
import { bringTo, nextConversation } from './support.ts';

const conductor = new Conductor();
const approval = { display: 'run true', approval_hash: 'a'.repeat(64), cwd: null, env_names: [], file_hashes: {} };
const { edge } = conductor;

async function page(after: number, limit: number, chain: string) {
  const path = `/v1/journal?controller_id=${chain}&after=${after}&limit=${limit}`;
  return JournalPageSchema.parse(await edge.data('GET', path));
}

/** The whole journal of a node, read and verified page by page. */
async function readJournal(chain: string = NODE, limit = 200) {
  const blocks: JournalBlock[] = [];
  let after: number | null = 0;
  let verdict: ChainVerdict = { ok: true, head: EMPTY_CHAIN };
  while (after !== null) {
    const next = await page(after, limit, chain);
    blocks.push(...next.items);
    if (verdict.ok) verdict = await verifyChain(sha256Hex, verdict.head, next);
    after = next.next_after;
  }
  return { blocks, verdict };
}

const verify = async (chain: string = NODE) => (await readJournal(chain)).verdict;
const detailOf = (id: string | undefined) => edge.data<{ events: InstructionEvent[] }>('GET', `/v1/instructions/${id}`);

const messageOf = (node: string, conversation: string) =>
  conductor.message({
    controller_id: node,
    remote_conversation_id: `${node}-${conversation}`,
    instructions: instructionsOf(EXEC),
  });

/** A message as an outbox sends it: the mark of its stream keeps the head that the write leaves. */
let sent = 0;
async function sendMessage(node: string, stream: string): Promise<void> {
  sent += 1;
  await conductor.bring(messageOf(node, stream), { 'idempotency-key': `0badcafe/${stream}/${sent}` });
}

const sql = (query: string) => env.DB.prepare(query).run();
const pick = `chain = '${NODE}' AND seq`;

describe('the journal', () => {
  it('a journal has one block per commit, each bound to the one before, and is read in pages', async () => {
    const { ids, message_id } = await bringTo(conductor, [EXEC, DESCRIBE]);
    await conductor.act(`/v1/instructions/${ids[0]}/started`);
    await conductor.result(ids[0] ?? '');
    await conductor.act(`/v1/instructions/${ids[1]}/run`);
    const { blocks, verdict } = await readJournal(NODE, 3);
    expect(blocks.map(({ seq, message_id: of }) => [seq, of])).toEqual([1, 2, 3, 4].map((seq) => [seq, message_id]));
    expect(
      blocks.map(({ entries }) => entries.map(({ instruction_id, kind }) => [ids.indexOf(instruction_id), kind])),
    ).toEqual([
      [
        [0, 'observed'],
        [0, 'judged'],
        [0, 'claimed'],
        [1, 'observed'],
        [1, 'judged'],
        [1, 'claimed'],
      ],
      [[0, 'started']],
      [[0, 'ended']],
      [[1, 'ended']],
    ]);
    expect(verdict).toEqual({ ok: true, head: { seq: 4, hash: blocks.at(-1)?.hash } });
  });

  it('a block names who wrote it, and by which call', async () => {
    const { ids } = await bringTo(conductor, [EXEC]);
    await edge.data('POST', `/v1/instructions/${ids[0]}/cancel`, {
      body: {},
      headers: { 'x-request-id': 'req-cancel' },
    });
    const authors = (await readJournal()).blocks.slice(-2).map(({ written_by }) => written_by);
    expect(authors).toMatchObject([
      { actor: 'a controller', role: 'controller', action: 'POST /v1/messages' },
      {
        actor: 'bootstrap',
        role: 'ops_admin',
        action: 'POST /v1/instructions/:instruction_id/cancel',
        request_id: 'req-cancel',
      },
    ]);
    const audited = await rowsOf('SELECT actor FROM audit WHERE subject_id = ?', ids[0]);
    expect(audited, 'the call of a person has a row of the audit, too').toEqual([{ actor: 'bootstrap' }]);
  });

  it('many commits at once leave no fork and no gap in a journal', async () => {
    const before = (await readJournal()).blocks.length;
    const responses = await Promise.all(
      Array.from({ length: 16 }, (_, n) =>
        conductor.bring(
          conductor.message({ remote_conversation_id: `burst-${n}`, instructions: instructionsOf(EXEC, EXEC) }),
        ),
      ),
    );
    expect(responses.map((response) => response.ingest_status)).toEqual(Array(16).fill('accepted'));
    const { blocks, verdict } = await readJournal();
    expect(blocks).toHaveLength(before + 16);
    expect(verdict).toMatchObject({ ok: true });
  });

  it('each node has a journal of its own, which is empty while the node has held nothing', async () => {
    const remote_conversation_id = nextConversation();
    await conductor.bring(
      conductor.message({ controller_id: OTHER_NODE, remote_conversation_id, instructions: instructionsOf(EXEC) }),
    );
    const { blocks, verdict } = await readJournal(OTHER_NODE);
    expect(blocks.map(({ seq, entries }) => [seq, entries.length])).toEqual([[1, 3]]);
    expect(verdict).toMatchObject({ ok: true });
    expect(await readJournal('unknown-node')).toEqual({ blocks: [], verdict: { ok: true, head: EMPTY_CHAIN } });
  });

  it('malformed text is journalled in a form that can be verified', async () => {
    const { ids } = await bringTo(conductor, [EXEC]);
    await edge.data('POST', `/v1/instructions/${ids[0]}/cancel`, { body: { reason: 'broken \ud800 \u0000 ü' } });
    expect(await verify()).toMatchObject({ ok: true });
  });

  it('people and readers may read a journal, nodes may not', async () => {
    const call = { token: await conductor.token() };
    expect((await edge.error('GET', `/v1/journal?controller_id=${NODE}`, call)).error).toBe('forbidden');
  });
});

describe('the journal after an alteration', () => {
  beforeEach(async () => {
    await bringTo(conductor, [EXEC]);
    expect(await verify()).toMatchObject({ ok: true });
  });

  it.each([
    [
      'edited',
      `UPDATE journal_blocks SET entries = json_set(entries, '$[0].detail.status', 'denied') WHERE ${pick} = 3`,
      3,
    ],
    ['backdated', `UPDATE journal_blocks SET at = at - 1 WHERE ${pick} = 2`, 2],
    ['put into another message', `UPDATE journal_blocks SET message_id = 'msg_x' WHERE ${pick} = 2`, 2],
    ['given another author', `UPDATE journal_blocks SET written_by = NULL WHERE ${pick} = 2`, 2],
    ['removed', `DELETE FROM journal_blocks WHERE ${pick} = 2`, 3],
    ['made no JSON', `UPDATE journal_blocks SET entries = '[{"kind":' WHERE ${pick} = 2`, 2],
    ['made another kind of JSON', `UPDATE journal_blocks SET entries = '[1]' WHERE ${pick} = 2`, 2],
    ['given a hash that is none', `UPDATE journal_blocks SET hash = 'none' WHERE ${pick} = 2`, 2],
    ['given a text for a time', `UPDATE journal_blocks SET at = 'noon' WHERE ${pick} = 2`, 2],
    ['given another previous hash', `UPDATE journal_blocks SET prev_hash = '${'0'.repeat(64)}' WHERE ${pick} = 2`, 2],
    ['rehashed alone', `UPDATE journal_blocks SET hash = '${'0'.repeat(64)}' WHERE ${pick} = 1`, 1],
  ])('verification finds a block that was %s', async (_what, tamper, seq) => {
    const backup = await env.DB.prepare('SELECT * FROM journal_blocks WHERE seq <= 3').all();
    await sql(tamper);
    expect(await verify()).toMatchObject({ ok: false, seq });
    await restore(backup.results);
  });

  it('verification finds two blocks that changed places', async () => {
    const backup = await env.DB.prepare('SELECT * FROM journal_blocks WHERE seq <= 3').all();
    await sql(`UPDATE journal_blocks SET seq = -1 WHERE ${pick} = 1`);
    await sql(`UPDATE journal_blocks SET seq = 1 WHERE ${pick} = 2`);
    await sql(`UPDATE journal_blocks SET seq = 2 WHERE ${pick} = -1`);
    expect(await verify()).toMatchObject({ ok: false, seq: 1 });
    await restore(backup.results);
  });

  it.each([
    ['no JSON', `'[{"kind":'`],
    ['another kind of JSON', `'[1]'`],
    ['no text', `x'ff'`],
  ])('the story of an instruction shows a block whose entries were made %s as altered', async (_what, entries) => {
    const { ids, message_id } = await bringTo(conductor, [EXEC]);
    await conductor.act(`/v1/instructions/${ids[0]}/started`);
    const backup = await env.DB.prepare('SELECT * FROM journal_blocks WHERE message_id = ?').bind(message_id).all();
    await sql(`UPDATE journal_blocks SET entries = ${entries} WHERE message_id = '${message_id}' AND seq = (
      SELECT min(seq) FROM journal_blocks WHERE message_id = '${message_id}')`);
    const { events } = await detailOf(ids[0]);
    expect(events.map(({ seq, kind }) => [seq, kind])).toEqual([
      [1, 'altered'],
      [2, 'started'],
    ]);
    await restore(backup.results);
  });
});

describe('the journal without its newest block', () => {
  it.each([
    ['an outbox', (node: string) => sendMessage(node, 'conv:first')],
    ['a call without an outbox', (node: string) => conductor.bring(messageOf(node, 'first'))],
  ])(
    'verification finds that the newest block was removed when %s wrote it, also after later writes',
    async (writer, write) => {
      const node = `loses-a-block-of-${writer.replaceAll(' ', '-')}`;
      await sendMessage(node, 'conv:other');
      await write(node);
      expect(await verify(node)).toMatchObject({ ok: true, head: { seq: 2 } });
      await sql(`DELETE FROM journal_blocks WHERE chain = '${node}' AND seq = 2`);
      const log = muteLog();
      expect(await verify(node)).toEqual({ ok: false, seq: 2, reason: 'the journal ends before block 2' });
      for (const stream of ['conv:other', 'conv:third', 'conv:other']) await sendMessage(node, stream);
      expect(await verify(node), 'after writes of other streams').toMatchObject({ ok: false, seq: expect.any(Number) });
      await write(node);
      await write(node);
      expect(await verify(node), 'after the next writes of that writer').toMatchObject({ ok: false });
      expect(log).toHaveBeenCalledWith(expect.stringContaining('"journal_altered"'));
      log.mockRestore();
    },
  );
});

describe('a kept head of the journal', () => {
  it.each([
    ['lost', `DELETE FROM journal_heads WHERE chain = '${NODE}'`],
    ['set back', `UPDATE journal_heads SET seq = 1 WHERE chain = '${NODE}'`],
  ])('a head that was %s does not stop the node: its chain continues from the newest block', async (_what, tamper) => {
    const newest = 'SELECT max(seq) AS seq FROM journal_blocks WHERE chain = ?';
    await bringTo(conductor, [EXEC]);
    const [before] = await rowsOf<{ seq: number }>(newest, NODE);
    await sql(tamper);
    const log = muteLog();
    await bringTo(conductor, [EXEC]);
    log.mockRestore();
    const [after] = await rowsOf<{ seq: number }>(newest, NODE);
    expect(after?.seq).toBe((before?.seq ?? 0) + 1);
  });
});

async function restore(rows: Record<string, unknown>[]): Promise<void> {
  for (const { chain, seq } of rows) {
    await env.DB.prepare('DELETE FROM journal_blocks WHERE chain = ? AND seq = ?').bind(chain, seq).run();
  }
  for (const row of rows) {
    const columns = Object.keys(row);
    const places = columns.map(() => '?').join(', ');
    await env.DB.prepare(`INSERT INTO journal_blocks (${columns.join(', ')}) VALUES (${places})`)
      .bind(...Object.values(row))
      .run();
  }
}

describe('the response to a write of an outbox', () => {
  it("names the newest block of the node's journal, for the node to remember", async () => {
    sent += 1;
    const headers = { 'idempotency-key': `0badcafe/conv:heads/${sent}` };
    const token = await conductor.token();
    const reply = await edge.call('POST', '/v1/messages', { token, body: messageOf(NODE, 'heads'), headers });
    const newest = (await readJournal()).blocks.at(-1);
    expect(reply.headers.get('x-baa-journal-head')).toBe(`${newest?.seq}:${newest?.hash}`);
  });
});

describe('the rows of instructions', () => {
  const contentOf = async (artifact_id: string) => {
    const [row] = await rowsOf<{ content: string }>('SELECT content FROM artifacts WHERE artifact_id = ?', artifact_id);
    return row?.content ?? null;
  };

  /** How the rows of all messages differ from the journals of these nodes. */
  async function faults(...nodes: string[]): Promise<string[]> {
    const known = new Map<string, Recorded>();
    for (const node of nodes) for (const block of (await readJournal(node)).blocks) record(known, block);
    const found: string[] = [];
    for (const message_id of new Set(Array.from(known.values(), (one) => one.message_id))) {
      const message = MessageDetailSchema.parse(await edge.data('GET', `/v1/messages/${message_id}`));
      found.push(...(await rowFaults(sha256Hex, message, known, contentOf)));
    }
    return found;
  }

  it('agree with the journal in every status that the edge gives them', async () => {
    const { ids } = await bringTo(conductor, [EXEC, DESCRIBE, EXEC]);
    await conductor.act(`/v1/instructions/${ids[0]}/started`);
    expect(await faults(NODE)).toEqual([]);
    await conductor.result(ids[0] ?? '');
    await conductor.result(ids[1] ?? '', {
      status: 'failed',
      output: 'long\n'.repeat(4_000),
      error_code: 'x',
      exit_code: 3,
    });
    const decisions = ['deny', 'shadow', 'ask'] as const;
    await bringTo(
      conductor,
      decisions.map((decision) => ({
        ...EXEC,
        policy: { decision, rule: 'x' },
        ...(decision === 'ask' ? { approval } : {}),
      })),
    );
    expect(await faults(NODE)).toEqual([]);
  });

  it.each([
    ["status = 'failed'", 'is stored as failed; the journal says succeeded'],
    [`params = '{"argv":["rm"]}'`, 'its call'],
    ["tool = 'describe'", 'its call'],
    ['exit_code = 0', 'is stored with exit_code 0; the journal says null'],
    ["error_code = 'timeout'", 'is stored with error_code timeout; the journal says null'],
    ["output_summary = 'forged'", 'its stored output is not the one that the journal has'],
    [
      `policy = '{"decision":"allow","rule":"forged"}'`,
      'is stored as judged allow by forged; the journal says allow by test',
    ],
  ])('do not agree when somebody sets %s', async (change, words) => {
    const { ids } = await bringTo(conductor, [EXEC]);
    await conductor.result(ids[0] ?? '');
    await sql(`UPDATE instructions SET ${change} WHERE instruction_id = '${ids[0]}'`);
    const own = (await faults(NODE)).filter((fault) => fault.startsWith(ids[0] ?? '?'));
    expect(own).toEqual([expect.stringContaining(words)]);
  });
});
