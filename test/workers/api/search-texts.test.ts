/** Finding words in what was said and done. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import type { FoundText, TextSearchResponse } from '../../../schema/contracts/search.ts';
import { placeAt } from '../../../schema/ids.ts';
import { DESCRIBE, EXEC, instructionsOf } from '../support/conductor.ts';
import { rowsOf } from '../support/edge.ts';
import { Tasks } from '../tasks/support.ts';

const conductor = await new Tasks().start();
const { edge } = conductor;
beforeEach(async () => {
  for (const table of ['messages', 'instructions', 'tasks']) await rowsOf(`DELETE FROM ${table}`);
});

const search = (q: string, more: Record<string, string> = {}) =>
  edge.data<TextSearchResponse>('GET', `/v1/search/texts?${new URLSearchParams({ q, ...more })}`);
const idsFor = async (q: string) => (await search(q)).items.map(({ id }) => id);
const written = ({ before, match, after }: FoundText) => `${before}[${match}]${after}`;

/** Search again further back, until the end. */
async function everyPart(q: string, more: Record<string, string> = {}): Promise<TextSearchResponse[]> {
  const parts = [await search(q, more)];
  for (let next = parts[0]?.next_cursor ?? null; next !== null; next = parts.at(-1)?.next_cursor ?? null) {
    parts.push(await search(q, { ...more, cursor: next }));
  }
  return parts;
}

let chats = 0;
async function said(raw_text: string, more: Record<string, unknown> = {}) {
  edge.now += 1;
  chats += 1;
  return conductor.bring(conductor.message({ remote_conversation_id: `texts-${chats}`, raw_text, ...more }));
}

/** So many messages with that text, one each millisecond from that time on, by one statement. */
async function stored(count: number, at: number, text: string, conversation = `lc_${'0'.repeat(26)}`): Promise<void> {
  const ids = Array.from({ length: count }, (_, n) => `msg_${placeAt(at + n)}${'0'.repeat(16)}`);
  await env.DB.prepare(
    `INSERT INTO messages (message_id, local_conversation_id, platform, remote_conversation_id, identity, text_hash,
      raw_text, role, controller_id, client_id, capture, block_errors, ingest_status, observed_at, received_at)
      SELECT value, ?1, 'claude', 'c', value, value, ?2, 'assistant', 'n', 'b', '{}', '[]', 'executed', ?3, ?3 FROM json_each(?4)`,
  )
    .bind(conversation, text, at, JSON.stringify(ids))
    .run();
}

describe('words', () => {
  it('are found in a message, in any case and script, with what is around them', async () => {
    const { message_id, local_conversation_id } = await said(
      'First we repair the Parser\nand then 解析器的测试 100%_done.',
    );
    expect(await search('PARSER')).toEqual({
      items: [
        {
          kind: 'message',
          id: message_id,
          local_conversation_id,
          place: 'text',
          before: 'First we repair the ',
          match: 'Parser',
          after: '\nand then 解析器的测试 100%_done.',
          at: edge.now,
        },
      ],
      back_to: null,
      next_cursor: null,
    });
    expect(await idsFor('器的测')).toEqual([message_id]);
    expect(await idsFor('0%_d')).toEqual([message_id]);
    expect(await idsFor('0_%d')).toEqual([]);
    expect((await search('repair the')).items.map(written)).toEqual([
      expect.stringMatching(/^First we \[repair the\] P/),
    ]);
  });

  it('are shown with 80 characters around them, whole ones', async () => {
    await said(`${'😀'.repeat(100)}needle${'界'.repeat(100)}`);
    const [found] = (await search('needle')).items;
    expect(found).toMatchObject({ before: '😀'.repeat(80), match: 'needle', after: '界'.repeat(80) });
  });

  it('are found in what an instruction asks, as a person writes it, and in what it has printed', async () => {
    const call = { ...EXEC, params: { argv: ['echo', 'a "quoted\nvalue"'] } };
    const { instructions } = await said('no words here', { instructions: instructionsOf(call) });
    const id = instructions[0]?.instruction_id ?? '';
    await conductor.result(id, { output: 'printed 输出' });
    expect((await search('"quoted\nval')).items).toMatchObject([{ kind: 'instruction', id, place: 'call' }]);
    expect((await search('输出')).items).toMatchObject([
      { kind: 'instruction', id, place: 'output', before: 'printed ' },
    ]);
  });

  it('are found in the goal, the result and the error of a task', async () => {
    const { task_id } = await conductor.create({ title: 'A title', goal: 'Make the lexer fast' });
    await rowsOf(`UPDATE tasks SET result_summary = 'is twice as fast', error_text = 'out of memory'`);
    for (const [q, place] of [
      ['lexer', 'goal'],
      ['twice', 'result'],
      ['MEMORY', 'error'],
      ['fast', 'goal'],
    ]) {
      expect((await search(q ?? '')).items, q).toMatchObject([{ kind: 'task', id: task_id, place }]);
    }
  });

  it('are listed newest first over all kinds', async () => {
    const first = await said('the needle');
    edge.now += 1;
    const task = await conductor.create({ title: 'A title', goal: 'needle' });
    const last = await said('needle again');
    expect(await idsFor('needle')).toEqual([last.message_id, task.task_id, first.message_id]);
  });

  it('that were removed are not found', async () => {
    const { local_conversation_id } = await said('a needle', { instructions: instructionsOf(DESCRIBE) });
    await rowsOf(
      `UPDATE messages SET raw_text = '', forgotten_at = 1 WHERE local_conversation_id = ?`,
      local_conversation_id,
    );
    expect(await idsFor('needle')).toEqual([]);
  });

  it('of one conversation only are found when it is named', async () => {
    const one = await said('needle');
    await said('needle');
    const { items } = await search('needle', { local_conversation_id: one.local_conversation_id });
    expect(items.map(({ id }) => id)).toEqual([one.message_id]);
    const none = await edge.error('GET', `/v1/search/texts?q=needle&local_conversation_id=lc_${'0'.repeat(26)}`);
    expect(none.error).toBe('conversation_not_found');
  });

  it('have to be two characters at least, and the cursor one of this search', async () => {
    expect(await edge.error('GET', '/v1/search/texts?q=%20a')).toMatchObject({ details: { field: 'q' } });
    expect(await edge.error('GET', '/v1/search/texts?q=ab&cursor=x')).toMatchObject({ details: { field: 'cursor' } });
  });
});

describe('a search further back', () => {
  it('finds each text once, and says how far back it has come', async () => {
    const at = edge.now;
    await stored(90, at, 'the needle');
    const parts = await everyPart('needle');
    expect(parts.map(({ items }) => items.length)).toEqual([20, 20, 20, 20, 10]);
    expect(new Set(parts.flatMap(({ items }) => items.map(({ id }) => id))).size).toBe(90);
    expect(parts.map(({ back_to }) => back_to)).toEqual([at + 70, at + 50, at + 30, at + 10, null]);
  });

  it('ends after so many texts, without having found one, and the next continues there', async () => {
    const at = edge.now;
    await stored(1, at - 1, 'the needle');
    await stored(1_300, at, 'hay');
    const parts = await everyPart('needle');
    expect(parts.map(({ items }) => items.length)).toEqual([0, 1]);
    expect(parts[0]?.back_to).toBe(at + 100);
  });

  it('ends after so many bytes, and a large text is searched on its own', async () => {
    const at = edge.now;
    await stored(20, at, `${'x'.repeat(500_000)}needle`);
    const parts = await everyPart('needle');
    expect(parts.flatMap(({ items }) => items)).toHaveLength(20);
    expect(parts.map(({ items }) => items.length)).toEqual([5, 5, 5, 5]);
  });

  it('in a conversation begins at its newest message, however much was said in others since', async () => {
    const { message_id, local_conversation_id } = await said('the needle');
    await stored(2_000, edge.now + 2 * 86_400_000, 'hay');
    const { items, next_cursor } = await search('needle', { local_conversation_id });
    expect([items.map(({ id }) => id), next_cursor]).toEqual([[message_id], null]);
  });

  it('reads a bounded number of rows, in statements of about 1,000 at most', async () => {
    const rowsRead = async () => {
      const { next_cursor } = await search('no such words');
      return { rows: Number(edge.lines.at(-1)?.rows_read), next_cursor };
    };
    await stored(2_000, edge.now, 'hay');
    const few = await rowsRead();
    await stored(2_000, edge.now - 10_000, 'hay');
    const many = await rowsRead();
    expect(many).toEqual(few);
    // Three parts of two statements that read rows of a table, each with its index.
    expect(many.rows).toBeLessThanOrEqual(3 * 2 * 1_000);
  });
});
