import { expect, it } from 'vitest';
import { INSTRUCTION } from '../../../schema/defaults.ts';
import { Conductor, EXEC, OTHER_NODE } from '../support/conductor.ts';
import { ENTRIES, NODE, rowsOf } from '../support/edge.ts';
import { bringTo } from './support.ts';

const conductor = new Conductor();
const { edge } = conductor;

async function running(): Promise<string> {
  const { ids } = await bringTo(conductor, [EXEC]);
  await conductor.act(`/v1/instructions/${ids[0]}/started`);
  return ids[0] ?? '';
}
const print = async (id: string, offset: number, chunk: string) =>
  (await conductor.act<{ received: number }>(`/v1/instructions/${id}/output`, { offset, chunk })).received;
const storedOutput = async (id: string) => {
  const rows = await rowsOf<{ detail: string }>(
    `SELECT detail FROM ${ENTRIES} WHERE instruction_id = ? AND kind = 'output' ORDER BY seq, place`,
    id,
  );
  return rows.map((row) => (JSON.parse(row.detail) as { chunk: string }).chunk).join('');
};

it('what a program prints is in the journal while it runs, in order and once', async () => {
  const id = await running();
  expect(await print(id, 0, 'one ')).toBe(4);
  expect(await print(id, 0, 'one ')).toBe(4);
  expect(await print(id, 9, 'too far')).toBe(4);
  expect(await print(id, 4, 'two \ud800\u0000')).toBe(10);
  expect(await storedOutput(id)).toBe('one two \ufffd\u0000');
  const detail = await edge.data<{ status: string; events: { kind: string }[] }>('GET', `/v1/instructions/${id}`);
  expect([detail.status, detail.events.filter((event) => event.kind === 'output').length]).toEqual(['running', 2]);
});

it('live output has entries in the journal, and none in the audit', async () => {
  const id = await running();
  await print(id, 0, 'one');
  expect(await rowsOf('SELECT 1 FROM audit WHERE subject_id = ?', id)).toEqual([]);
  const entries = `SELECT controller_id FROM ${ENTRIES} WHERE instruction_id = ? AND kind = 'output'`;
  expect(await rowsOf(entries, id)).toEqual([{ controller_id: NODE }]);
});

it('a chunk that is reported many times at the same time is stored once', async () => {
  const id = await running();
  expect(await Promise.all(Array.from({ length: 6 }, () => print(id, 0, 'x')))).toEqual(Array(6).fill(1));
  expect(await storedOutput(id)).toBe('x');
});

it('live output is cut at its limit', async () => {
  const id = await running();
  const chunk = 'x'.repeat(INSTRUCTION.max_live_chunk_chars);
  const limit = INSTRUCTION.max_live_chars;
  for (let offset = 0; offset < limit - chunk.length; offset += chunk.length) await print(id, offset, chunk);
  const end = limit - 3;
  expect(await print(id, limit - chunk.length, chunk.slice(3))).toBe(end);
  expect(await print(id, end, 'the end')).toBe(limit);
  expect(await print(id, limit, 'more')).toBe(limit);
  expect(await storedOutput(id)).toHaveLength(limit);
});

it('live output of another node, or after the end, is not stored', async () => {
  const id = await running();
  const body = { controller_id: OTHER_NODE, offset: 0, chunk: 'x' };
  const token = await conductor.token(OTHER_NODE);
  expect((await edge.error('POST', `/v1/instructions/${id}/output`, { token, body })).error).toBe('not_owner');
  await conductor.result(id);
  expect(await print(id, 0, 'late')).toBe(0);
  expect(await storedOutput(id)).toBe('');
});
