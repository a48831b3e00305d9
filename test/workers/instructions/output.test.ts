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
const tell = async (id: string, offset: number, chunk: string) =>
  (await conductor.act<{ received: number }>(`/v1/instructions/${id}/output`, { offset, chunk })).received;
const printed = async (id: string) => {
  const rows = await rowsOf<{ detail: string }>(
    `SELECT detail FROM ${ENTRIES} WHERE instruction_id = ? AND kind = 'output' ORDER BY seq, place`,
    id,
  );
  return rows.map((row) => (JSON.parse(row.detail) as { chunk: string }).chunk).join('');
};

it('what a program prints is in its story while it runs, in order and once', async () => {
  const id = await running();
  expect(await tell(id, 0, 'one ')).toBe(4);
  expect(await tell(id, 0, 'one ')).toBe(4);
  expect(await tell(id, 9, 'too far')).toBe(4);
  expect(await tell(id, 4, 'two \ud800\u0000')).toBe(10);
  expect(await printed(id)).toBe('one two \ufffd\u0000');
  const detail = await edge.data<{ status: string; events: { kind: string }[] }>('GET', `/v1/instructions/${id}`);
  expect([detail.status, detail.events.filter((event) => event.kind === 'output').length]).toEqual(['running', 2]);
});

it('output is recorded in the journal and has no row of the audit', async () => {
  const id = await running();
  await tell(id, 0, 'one');
  expect(await rowsOf('SELECT 1 FROM audit WHERE subject_id = ?', id)).toEqual([]);
  const told = `SELECT controller_id FROM ${ENTRIES} WHERE instruction_id = ? AND kind = 'output'`;
  expect(await rowsOf(told, id)).toEqual([{ controller_id: NODE }]);
});

it('the same chunk told many times at once is there once', async () => {
  const id = await running();
  expect(await Promise.all(Array.from({ length: 6 }, () => tell(id, 0, 'x')))).toEqual(Array(6).fill(1));
  expect(await printed(id)).toBe('x');
});

it('it is bounded', async () => {
  const id = await running();
  const chunk = 'x'.repeat(INSTRUCTION.max_live_chunk_chars);
  const most = INSTRUCTION.max_live_chars;
  for (let offset = 0; offset < most - chunk.length; offset += chunk.length) await tell(id, offset, chunk);
  const end = most - 3;
  expect(await tell(id, most - chunk.length, chunk.slice(3))).toBe(end);
  expect(await tell(id, end, 'the end')).toBe(most);
  expect(await tell(id, most, 'more')).toBe(most);
  expect(await printed(id)).toHaveLength(most);
});

it('it is taken from the holder only, and not after the end', async () => {
  const id = await running();
  const body = { controller_id: OTHER_NODE, offset: 0, chunk: 'x' };
  const token = await conductor.token(OTHER_NODE);
  expect((await edge.error('POST', `/v1/instructions/${id}/output`, { token, body })).error).toBe('not_owner');
  await conductor.result(id);
  expect(await tell(id, 0, 'late')).toBe(0);
  expect(await printed(id)).toBe('');
});
