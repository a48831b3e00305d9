import { describe, expect, it } from 'vitest';
import type { MessageProgressResponse } from '../../../schema/contracts/progress.ts';
import { DELIVERY, INSTRUCTION } from '../../../schema/defaults.ts';
import { Conductor, EXEC, OTHER_NODE } from '../support/conductor.ts';
import { EVENTS, NODE, rowsOf } from '../support/edge.ts';
import { ASKED, bringTo, HASH, messageStatus, statusesOf, storyOf, sweep } from './support.ts';

const conductor = new Conductor();
const { edge } = conductor;

type Item = Record<string, unknown>;
const OK = { status: 'succeeded', output: 'ok', duration_ms: 5, truncated: false };

const report = (messageId: string, items: Item[], more: Record<string, unknown> = {}) =>
  conductor.act<MessageProgressResponse>(`/v1/messages/${messageId}/progress`, { items, ...more });
async function refusal(messageId: string, items: Item[], node: string = NODE) {
  const call = { token: await conductor.token(node), body: { controller_id: node, items } };
  const { status, error, details } = await edge.error('POST', `/v1/messages/${messageId}/progress`, call);
  return { status, error, details };
}
const views = ({ instructions }: MessageProgressResponse) => instructions.map((one) => one.status);

describe('progress of a message', () => {
  it('a report records starts and results of several instructions, and describes all of the message', async () => {
    const { message_id, ids } = await bringTo(conductor, [EXEC, EXEC, EXEC]);
    const response = await report(message_id, [
      { instruction_id: ids[0], started: true, result: OK },
      { instruction_id: ids[1], started: true },
    ]);
    expect(response).toMatchObject({ message_id, ingest_status: 'accepted', mode: 'running' });
    expect(response.instructions).toMatchObject([
      { instruction_id: ids[0], index: 0, status: 'succeeded', claim_expires_in_ms: null, artifact_id: null },
      { instruction_id: ids[1], index: 1, status: 'running', claim_expires_in_ms: 1_260_000, output_chars: 0 },
      { instruction_id: ids[2], index: 2, status: 'claimed', gate: null },
    ]);
    const ended = await report(message_id, [
      { instruction_id: ids[1], result: OK },
      { instruction_id: ids[2], started: true, result: { ...OK, status: 'failed', exit_code: 2 } },
    ]);
    expect(ended.ingest_status).toBe('failed');
    expect(await messageStatus(message_id)).toBe('failed');
    expect(await storyOf(ids[2])).toEqual(['observed', 'judged', 'claimed', 'started', 'ended']);
  });

  it('the time of a start follows from its age, and from the age of the request', async () => {
    const { message_id, ids } = await bringTo(conductor, [EXEC]);
    const body = { controller_id: NODE, items: [{ instruction_id: ids[0], started: true, started_age_ms: 300 }] };
    const call = { token: await conductor.token(), headers: { 'x-baa-age-ms': '2000' }, body };
    await edge.data('POST', `/v1/messages/${message_id}/progress`, call);
    const rows = await rowsOf('SELECT started_at FROM instructions WHERE instruction_id = ?', ids[0]);
    expect(rows).toEqual([{ started_at: edge.now - 2_300 }]);
  });

  it('live output is appended when it continues what the edge has, and the response says how much that is', async () => {
    const { message_id, ids } = await bringTo(conductor, [EXEC, EXEC]);
    const print = async (offset: number, text: string) =>
      (await report(message_id, [{ instruction_id: ids[0], started: true, output: { offset, text } }])).instructions[0]
        ?.output_chars;
    expect(await print(0, 'one ')).toBe(4);
    expect(await print(0, 'one ')).toBe(4);
    expect(await print(9, 'a gap')).toBe(4);
    expect(await print(4, 'two')).toBe(7);
    expect(await storyOf(ids[0])).toEqual(['observed', 'judged', 'claimed', 'started', 'output', 'output']);
    await report(message_id, [{ instruction_id: ids[0], output: { offset: 7, text: '!' }, result: OK }]);
    expect((await storyOf(ids[0])).slice(-2)).toEqual(['output', 'ended']);
    expect(await print(8, 'too late')).toBe(8);
  });

  it('an output is stored as an artifact exactly when it is longer than the limit that the node names', async () => {
    const { message_id, ids } = await bringTo(conductor, [EXEC, EXEC]);
    const [short, long] = ['x'.repeat(500), `${'y'.repeat(500)}\u0000`];
    const response = await report(
      message_id,
      [
        { instruction_id: ids[0], result: { ...OK, output: short } },
        { instruction_id: ids[1], result: { ...OK, output: long } },
      ],
      { inline_chars: 500 },
    );
    expect(response.instructions[0]).toMatchObject({ artifact_id: null, artifact_url: null });
    const opened = await edge.fetch(new URL(response.instructions[1]?.artifact_url ?? '').pathname);
    expect(await opened.text()).toBe(long);
    const rows = await rowsOf<{ output_summary: string }>(
      'SELECT output_summary FROM instructions WHERE message_id = ? ORDER BY "index"',
      message_id,
    );
    expect(rows.map((row) => row.output_summary)).toEqual([short, long.slice(0, DELIVERY.summary_chars)]);
  });

  it('a report under a pause blocks only the instructions that have not started', async () => {
    const { message_id, ids } = await bringTo(conductor, [EXEC, EXEC, EXEC]);
    await conductor.mode('pause');
    const response = await report(message_id, [
      { instruction_id: ids[0], started: true, result: OK },
      { instruction_id: ids[1], started: true },
    ]);
    await conductor.mode('resume');
    expect([response.mode, ...views(response)]).toEqual(['paused', 'succeeded', 'running', 'blocked']);
  });

  it('a result after the end is kept as late, beside the results of the others', async () => {
    const { message_id, ids } = await bringTo(conductor, [EXEC, EXEC]);
    await report(message_id, [{ instruction_id: ids[0], started: true }]);
    await edge.data('POST', `/v1/instructions/${ids[1]}/cancel`, { body: {} });
    const items = ids.map((instruction_id) => ({ instruction_id, result: OK }));
    expect(views(await report(message_id, items))).toEqual(['succeeded', 'canceled']);
    // Reported again under another key, both are late.
    expect(views(await report(message_id, items))).toEqual(['succeeded', 'canceled']);
    expect((await storyOf(ids[1])).slice(-2)).toEqual(['late_result', 'late_result']);
  });

  it('a repeat under the same key gets the first response', async () => {
    const { message_id, ids } = await bringTo(conductor, [EXEC, EXEC]);
    const body = { controller_id: NODE, items: [{ instruction_id: ids[0], started: true, result: OK }] };
    const headers = { 'idempotency-key': '0badc0de-2/conv:x/1' };
    const call = { token: await conductor.token(), headers, body };
    const first = await edge.data('POST', `/v1/messages/${message_id}/progress`, call);
    edge.now += 1_000;
    expect(await edge.data('POST', `/v1/messages/${message_id}/progress`, call)).toEqual(first);
    expect(await storyOf(ids[0])).toEqual(['observed', 'judged', 'claimed', 'started', 'ended']);
  });

  it('a report makes one event and one journal block of everything it holds, and no audit entry', async () => {
    const { message_id, ids } = await bringTo(conductor, [EXEC, EXEC]);
    await report(message_id, [
      { instruction_id: ids[0], started: true, output: { offset: 0, text: 'x' }, result: OK },
      { instruction_id: ids[1], started: true },
    ]);
    const events = await rowsOf<{ type: string; data: string }>(
      `SELECT type, data FROM ${EVENTS} WHERE topic = 'instructions' AND subject_id IN (?, ?, ?)`,
      message_id,
      ...ids,
    );
    expect(events.map((event) => event.type)).toEqual(['progressed']);
    expect(JSON.parse(events[0]?.data ?? '')).toEqual({
      steps: [
        { type: 'started', instruction_id: ids[0] },
        { type: 'started', instruction_id: ids[1] },
        { type: 'output', instruction_id: ids[0], offset: 0, chars: 1 },
        { type: 'ended', instruction_id: ids[0], status: 'succeeded' },
      ],
    });
    const blocks = "SELECT 1 FROM journal_blocks WHERE message_id = ? AND written_by->>'action' LIKE '%/progress'";
    expect(await rowsOf(blocks, message_id)).toHaveLength(1);
    expect(await rowsOf('SELECT 1 FROM audit WHERE subject_id = ?', message_id)).toEqual([]);
  });

  it('a report releases the instruction behind an approval, and a later report takes its result', async () => {
    const { message_id, ids } = await bringTo(conductor, [ASKED, EXEC]);
    await edge.data('POST', `/v1/instructions/${ids[0]}/approve`, { body: { approval_hash: HASH } });
    const first = await report(message_id, [{ instruction_id: ids[0], started: true, result: OK }]);
    expect(views(first)).toEqual(['succeeded', 'claimed']);
    expect((await report(message_id, [{ instruction_id: ids[1], result: OK }])).ingest_status).toBe('executed');
  });
});

describe('a progress report that is refused', () => {
  it('a report about an unknown message or instruction is refused, and changes nothing', async () => {
    const { message_id, ids } = await bringTo(conductor, [EXEC]);
    const other = await bringTo(conductor, [EXEC]);
    const known = { instruction_id: ids[0], started: true };
    expect(await refusal('msg_01kz0000000000000000000000', [])).toMatchObject({
      status: 404,
      error: 'message_not_found',
    });
    for (const instruction_id of ['ins_01kz0000000000000000000000', other.ids[0]]) {
      expect(await refusal(message_id, [known, { instruction_id, started: true }])).toMatchObject({
        status: 404,
        error: 'instruction_not_found',
      });
    }
    expect(await statusesOf(message_id)).toEqual(['claimed']);
  });

  it('a report from a node that does not hold the message is refused', async () => {
    const { message_id, ids } = await bringTo(conductor, [EXEC]);
    const items = [{ instruction_id: ids[0], started: true }];
    expect(await refusal(message_id, items, OTHER_NODE)).toMatchObject({ status: 403, error: 'not_owner' });
    expect(await statusesOf(message_id)).toEqual(['claimed']);
  });

  it('a report over its limits, or with an empty or repeated item, is refused', async () => {
    const { message_id, ids } = await bringTo(conductor, [EXEC]);
    const instruction_id = ids[0];
    const text = (length: number) => 'x'.repeat(length);
    for (const items of [
      Array.from({ length: INSTRUCTION.max_per_message + 1 }, (_, n) => ({
        instruction_id: `ins_${n}`,
        started: true,
      })),
      [{ instruction_id }],
      [{ instruction_id, started: false }],
      [
        { instruction_id, started: true },
        { instruction_id, result: OK },
      ],
      [{ instruction_id, output: { offset: 0, text: text(INSTRUCTION.max_live_chunk_chars + 1) } }],
      [{ instruction_id, result: { ...OK, output: text(INSTRUCTION.max_output_bytes * 2 + 1) } }],
      [{ instruction_id, result: { ...OK, status: 'running' } }],
    ]) {
      expect(await refusal(message_id, items)).toMatchObject({ status: 400, error: 'invalid_request' });
    }
    expect(await refusal(message_id, [{ instruction_id, started: true, started_age_ms: -1 }])).toMatchObject({
      details: { field: 'items.0.started_age_ms' },
    });
    expect(await statusesOf(message_id)).toEqual(['claimed']);
  });
});

it('a report whose first claim has expired keeps that result as late, and takes the others', async () => {
  const { message_id, ids } = await bringTo(conductor, [EXEC, EXEC]);
  edge.now += 1_300_000;
  await sweep(conductor);
  const items = ids.map((instruction_id) => ({ instruction_id, started: true, result: OK }));
  const response = await report(message_id, items);
  expect([response.ingest_status, ...views(response)]).toEqual(['failed', 'interrupted', 'succeeded']);
});
