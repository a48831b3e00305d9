/** A message in all of its life, as the agent's outbox sends it: requests, and rows that D1 writes. */

import { z } from 'zod';
import { IngestResponseSchema } from '../../../schema/contracts/instructions.ts';
import type { CountedEdge } from '../edge/counted.ts';
import type { Goal, Section } from '../harness/report.ts';
import { figure } from '../harness/report.ts';
import type { outboxPost } from './bench-message.ts';
import { benchMessage, instruction, RESULT } from './bench-message.ts';

const INSTRUCTIONS = [1, 2, 5, 10] as const;
const FIRST_NUMBER = 100;

interface Life {
  requests: number;
  rows: number;
}

const IngestedSchema = z.object({ data: IngestResponseSchema });

/** All starts and results in one report, or a report for each instruction. */
async function lifeOf(
  edge: CountedEdge,
  post: ReturnType<typeof outboxPost>,
  number: number,
  ways: {
    instructions: number;
    together: boolean;
  },
): Promise<Life> {
  const life: Life = { requests: 0, rows: 0 };
  const step = async (path: string, body: object): Promise<unknown> => {
    let response: unknown;
    const counts = await edge.costOf(async () => {
      response = await post(path, body);
    });
    life.requests += counts.worker_requests;
    life.rows += counts.d1_rows_written;
    return response;
  };
  const asked = Array.from({ length: ways.instructions }, (_, index) => ({ ...instruction, index }));
  const message = { ...benchMessage(edge.leader.id, number), instructions: asked };
  const { data } = IngestedSchema.parse(await step('/v1/messages', message));
  const items = data.instructions.map(({ instruction_id }) => ({ instruction_id, started: true, result: RESULT }));
  const reports = ways.together ? [items] : items.map((item) => [item]);
  const path = `/v1/messages/${data.message_id}`;
  for (const report of reports) await step(`${path}/progress`, { items: report });
  await step(`${path}/reply`, { outcome: 'delivered', reason: null, attempt: 1 });
  return life;
}

function goals([one, ...more]: Life[], oneByOne: Life[]): Goal[] {
  const further = [...more, ...oneByOne.slice(1)].map(({ rows }, at) => {
    const instructions = INSTRUCTIONS[(at % (INSTRUCTIONS.length - 1)) + 1] ?? 2;
    return (rows - (one?.rows ?? Number.NaN)) / (instructions - 1);
  });
  return [
    {
      text: 'requests of a message with one instruction',
      reached: one?.requests ?? Number.NaN,
      is: 'at most',
      wanted: 3,
    },
    { text: 'rows of a message with one instruction', reached: one?.rows ?? Number.NaN, is: 'at most', wanted: 24 },
    { text: 'rows of each further instruction', reached: Math.max(...further), is: 'at most', wanted: 8 },
  ];
}

/** Messages of the stream that `post` writes to; the conversation and its link exist. */
export async function messageLives(edge: CountedEdge, post: ReturnType<typeof outboxPost>): Promise<Section> {
  const lives: Life[][] = [];
  let number = FIRST_NUMBER;
  for (const together of [true, false]) {
    const measured: Life[] = [];
    for (const instructions of INSTRUCTIONS) {
      number += 1;
      measured.push(await lifeOf(edge, post, number, { instructions, together }));
    }
    lives.push(measured);
  }
  const [together = [], oneByOne = []] = lives;
  return {
    title: 'A message in all of its life: ingest, reports of its instructions, outcome of its reply',
    head: ['instructions', 'requests, one report', 'rows written', 'requests, a report each', 'rows written'],
    rows: INSTRUCTIONS.map((instructions, at) => [
      figure(instructions),
      ...[together[at], oneByOne[at]].flatMap((life) => [figure(life?.requests ?? 0), figure(life?.rows ?? 0)]),
    ]),
    goals: goals(together, oneByOne),
    notes: [
      'D1 bills each row and each entry of an index. Once a minute the use of a token is one row more, and once in ten',
      'minutes the time at which the link was seen.',
    ],
  };
}
