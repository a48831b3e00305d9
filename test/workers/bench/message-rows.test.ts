/**
 * What a message costs in all of its life, as the agent's outbox sends it: requests, and D1 rows written, index entries
 * included, by the table that they are written to. The conversation, its link and the mark of its stream exist before.
 */
import { expect, it } from 'vitest';
import { Conductor, EXEC, instructionsOf } from '../support/conductor.ts';
import { counting } from '../support/counting.ts';
import { NODE } from '../support/edge.ts';

const counted = counting();
const conductor = new Conductor(counted.env);
const RESULT = { status: 'succeeded', output: 'ok', exit_code: 0, duration_ms: 5, truncated: false };
let sent = 0;

async function send<T>(path: string, body: object): Promise<T> {
  sent += 1;
  // The use of a token is written once a minute, which is nothing of one message: within a minute, it is not counted.
  conductor.edge.now += 1_000;
  const headers = { 'idempotency-key': `0badcafe/conv:talk/${sent}`, 'x-baa-age-ms': '5' };
  const call = { token: await conductor.token(), body: { controller_id: NODE, ...body }, headers };
  return conductor.edge.data<T>('POST', path, call);
}

interface Life {
  requests: number;
  rows: number;
  /** Rows written by each request, by table. */
  by_request: Record<string, Record<string, number>>;
}

async function lifeOf(instructions: number): Promise<Life> {
  const life: Life = { requests: 0, rows: 0, by_request: {} };
  const step = async <T>(name: string, path: string, body: object): Promise<T> => {
    counted.takeWritten();
    const response = await send<T>(path, body);
    life.requests += 1;
    const tables = life.by_request[name] ?? {};
    life.by_request[name] = tables;
    for (const { table, rows } of counted.takeWritten()) {
      tables[table] = (tables[table] ?? 0) + rows;
      life.rows += rows;
    }
    return response;
  };
  const asked = Array.from({ length: instructions }, () => EXEC);
  const message = conductor.message({ instructions: instructionsOf(...asked) });
  const ingested = await step<{ message_id: string; instructions: { instruction_id: string }[] }>(
    'ingest',
    '/v1/messages',
    message,
  );
  for (const { instruction_id } of ingested.instructions) {
    await step('started', `/v1/instructions/${instruction_id}/started`, {});
    await step('result', `/v1/instructions/${instruction_id}/result`, RESULT);
  }
  const reply = { outcome: 'delivered', reason: null, attempt: 1 };
  await step('reply', `/v1/messages/${ingested.message_id}/reply`, reply);
  return life;
}

it('a message costs these requests and rows in all of its life', async () => {
  await lifeOf(1);
  const lives = new Map<number, Life>();
  for (const instructions of [1, 2, 5, 10]) lives.set(instructions, await lifeOf(instructions));
  expect(lives.get(1)?.by_request).toEqual({
    ingest: {
      messages: 6,
      local_conversations: 1,
      conversation_links: 2,
      instructions: 6,
      instruction_events: 10,
      journal_heads: 1,
      events: 2,
      audit: 2,
      outbox_marks: 1,
    },
    started: { instructions: 4, instruction_events: 4, journal_heads: 1, events: 2, audit: 2, outbox_marks: 1 },
    result: {
      messages: 1,
      instructions: 3,
      instruction_events: 4,
      journal_heads: 1,
      events: 4,
      audit: 2,
      outbox_marks: 1,
    },
    reply: {
      messages: 1,
      instructions: 1,
      instruction_events: 4,
      journal_heads: 1,
      events: 2,
      audit: 2,
      outbox_marks: 1,
    },
  });
  expect(Array.from(lives, ([instructions, { requests, rows }]) => ({ instructions, requests, rows }))).toEqual([
    { instructions: 1, requests: 4, rows: 73 },
    { instructions: 2, requests: 6, rows: 124 },
    { instructions: 5, requests: 12, rows: 313 },
    { instructions: 10, requests: 22, rows: 748 },
  ]);
});
