/**
 * What a message costs in all of its life, as the agent's outbox sends it: requests, and D1 rows written, index entries
 * included, by the table that they are written to. Conversation, link, stream and journal exist before, and all of it
 * happens within the minute in which the use of a token is written once.
 */
import { expect, it } from 'vitest';
import type { IngestResponse } from '../../../schema/contracts/instructions.ts';
import { Conductor, EXEC, instructionsOf } from '../support/conductor.ts';
import { counting } from '../support/counting.ts';
import { NODE } from '../support/edge.ts';

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

it('a message costs three requests and 24 rows, and at most 8 rows for each further instruction', async () => {
  await lifeOf(1, together);
  const { requests, rows, by_request } = await lifeOf(1, together);
  expect(by_request).toEqual({});
  expect([requests, rows]).toEqual([3, 24]);
  expect(await lives(together)).toEqual([]);
});

it('one by one', async () => {
  expect(await lives(oneByOne)).toEqual([]);
});

it('apart', async () => {
  expect(await lives(apart)).toEqual([]);
});
