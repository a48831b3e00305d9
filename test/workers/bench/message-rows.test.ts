/**
 * What a message costs in all of its life, as the agent's outbox sends it: requests, and D1 rows written, index entries
 * included, by the table that they are written to. Conversation, link, stream and journal exist before, and all of it
 * happens within the minute in which the use of a token is written once.
 */
import { expect, it } from 'vitest';
import type { IngestResponse } from '../../../schema/contracts/instructions.ts';
import { Conductor, EXEC, instructionsOf } from '../support/conductor.ts';
import { counting } from '../support/counting.ts';
import { NODE, rowsOf } from '../support/edge.ts';

const counted = counting();
const conductor = new Conductor(counted.env);
const RESULT = { status: 'succeeded', output: 'ok', exit_code: 0, duration_ms: 5, truncated: false };
const MINUTE_MS = 60_000;
let sent = 0;

async function send<T>(path: string, body: object): Promise<T> {
  sent += 1;
  conductor.edge.now += 100;
  const headers = { 'idempotency-key': `0badcafe/conv:talk/${sent}`, 'x-baa-age-ms': '5' };
  const call = { token: await conductor.token(), body: { controller_id: NODE, ...body }, headers };
  return conductor.edge.data<T>('POST', path, call);
}

interface Life {
  requests: number;
  rows: number;
  /** Rows written by requests of that name, by table. */
  by_request: Record<string, Record<string, number>>;
}
type Step = <T>(name: string, path: string, body: object) => Promise<T>;
type Report = (ids: readonly string[], messageId: string, step: Step) => Promise<void>;

async function lifeOf(instructions: number, report: Report): Promise<Life> {
  const life: Life = { requests: 0, rows: 0, by_request: {} };
  const step: Step = async (name, path, body) => {
    counted.takeWritten();
    const response = await send<Awaited<ReturnType<typeof step>>>(path, body);
    life.requests += 1;
    const tables = life.by_request[name] ?? {};
    life.by_request[name] = tables;
    for (const { table, rows } of counted.takeWritten()) {
      tables[table] = (tables[table] ?? 0) + rows;
      life.rows += rows;
    }
    return response as never;
  };
  const asked = Array.from({ length: instructions }, () => EXEC);
  const message = conductor.message({ instructions: instructionsOf(...asked) });
  const { message_id, instructions: claimed } = await step<IngestResponse>('ingest', '/v1/messages', message);
  await report(
    claimed.map((one) => one.instruction_id),
    message_id,
    step,
  );
  await step('reply', `/v1/messages/${message_id}/reply`, { outcome: 'delivered', reason: null, attempt: 1 });
  return life;
}

/** All starts and results in one request. */
const together: Report = async (ids, messageId, step) => {
  const items = ids.map((instruction_id) => ({ instruction_id, started: true, result: RESULT }));
  await step('progress', `/v1/messages/${messageId}/progress`, { items });
};

/** A request for each instruction that ends. */
const oneByOne: Report = async (ids, messageId, step) => {
  for (const instruction_id of ids) {
    const items = [{ instruction_id, started: true, result: RESULT }];
    await step('progress', `/v1/messages/${messageId}/progress`, { items });
  }
};

/** A request for each start and one for each result. */
const apart: Report = async (ids, messageId, step) => {
  for (const instruction_id of ids) {
    const report = (part: object) =>
      step('progress', `/v1/messages/${messageId}/progress`, { items: [{ instruction_id, ...part }] });
    await report({ started: true });
    await report({ result: RESULT });
  }
};

async function lives(report: Report): Promise<[instructions: number, requests: number, rows: number][]> {
  const table: [number, number, number][] = [];
  for (const instructions of [1, 2, 5, 10]) {
    const { requests, rows } = await lifeOf(instructions, report);
    table.push([instructions, requests, rows]);
  }
  return table;
}

it('a message with one instruction costs three requests and 24 rows', async () => {
  await lifeOf(1, together);
  const { requests, rows, by_request } = await lifeOf(1, together);
  expect(by_request).toEqual({
    ingest: {
      messages: 4,
      local_conversations: 1,
      instructions: 3,
      journal_blocks: 2,
      event_batches: 1,
      outbox_marks: 1,
    },
    progress: { messages: 2, instructions: 1, journal_blocks: 2, event_batches: 1, outbox_marks: 1 },
    reply: { messages: 1, journal_blocks: 2, event_batches: 1, outbox_marks: 1 },
  });
  expect([requests, rows]).toEqual([3, 24]);
});

it('each further instruction costs 4 rows in one report, 8 in a report of its own, 14 in one for its start as well', async () => {
  expect(await lives(together)).toEqual([
    [1, 3, 24],
    [2, 3, 28],
    [5, 3, 40],
    [10, 3, 60],
  ]);
  expect(await lives(oneByOne)).toEqual([
    [1, 3, 24],
    [2, 4, 32],
    [5, 7, 56],
    [10, 12, 96],
  ]);
  expect(await lives(apart)).toEqual([
    [1, 4, 30],
    [2, 6, 44],
    [5, 12, 86],
    [10, 22, 156],
  ]);
});

it('a message that comes ten minutes after the last one also writes when its link was seen', async () => {
  conductor.edge.now += 10 * MINUTE_MS;
  await send('/v1/messages', conductor.message({ remote_conversation_id: 'another' }));
  const { by_request, rows } = await lifeOf(1, together);
  expect([rows, by_request.ingest?.conversation_links]).toEqual([25, 1]);
});

it('what a message reads does not grow with its conversation', async () => {
  const readsOf = async () => {
    const before = counted.rows();
    await lifeOf(2, together);
    return counted.rows() - before;
  };
  const few = await readsOf();
  await rowsOf(`INSERT INTO messages (message_id, local_conversation_id, platform, remote_conversation_id, identity,
      text_hash, raw_text, role, controller_id, client_id, capture, block_errors, ingest_status, observed_at, received_at)
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
    SELECT 'copy_' || i, c.local_conversation_id, c.platform, c.remote_conversation_id, 'id:copy-' || i, 'h' || i, 't',
      'assistant', 'c', 'k', '{"source":"dom","other":"agrees"}', '[]', 'executed', i, i
    FROM n, local_conversations AS c WHERE c.remote_conversation_id = 'conv-1'`);
  await rowsOf(`INSERT INTO instructions (instruction_id, dedupe_key, message_id, local_conversation_id, controller_id,
      block_index, "index", target, tool, params, status, policy, timeout_ms, created_at, updated_at)
    SELECT 'ins_' || message_id, message_id, message_id, local_conversation_id, 'c', 0, 0, 'conductor', 'exec', '{}',
      'succeeded', '{"decision":"allow","rule":"r"}', 1, 1, 1 FROM messages WHERE message_id LIKE 'copy_%'`);
  expect(await readsOf()).toBeLessThanOrEqual(few);
});
