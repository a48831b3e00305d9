/** What the end of claims past their deadline reads, by the number of instructions that are open and not due. */
import { afterEach, describe, expect, it } from 'vitest';
import { runTick } from '../../../workers/timed-jobs/run-tick.ts';
import { Conductor, EXEC } from '../support/conductor.ts';
import { counting } from '../support/counting.ts';
import { rowsOf } from '../support/edge.ts';
import { bringTo, statusesOf, sweep } from './support.ts';

const conductor = new Conductor();
const { edge } = conductor;
const quiet = { random: () => 0.5, log: () => undefined };
const DAY_MS = 86_400_000;

afterEach(() => rowsOf("UPDATE instructions SET status = 'canceled' WHERE instruction_id LIKE 'open_%'"));

/** Instructions that run in conversations of their own, and whose claims last. */
const open = (from: number, to: number) =>
  rowsOf(
    `WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i < ?)
     INSERT INTO instructions (instruction_id, dedupe_key, message_id, local_conversation_id, controller_id,
       block_index, "index", target, tool, params, status, policy, timeout_ms, claim_expires_at, created_at, updated_at)
     SELECT 'open_' || i, 'open_' || i, 'of_' || i, 'lc_' || i, 'c', 0, 0, 'conductor', 'exec', '{}', 'running',
       '{"decision":"allow","rule":"r"}', 1, ?, 1, 1 FROM n`,
    from,
    to,
    edge.now + DAY_MS,
  );
const unwatched = () => rowsOf("SELECT 1 FROM instructions WHERE status = 'running' AND watched = 0");

async function rowsReadByTick(): Promise<number> {
  const counted = counting();
  await runTick(counted.env, { trigger: 'manual', scheduledTime: null, now: edge.now }, quiet);
  return counted.rows();
}

describe('a claim past its deadline', () => {
  it('is ended by a tick that reads the same rows with 10, 1,000 and 10,000 open instructions', async () => {
    const read: number[] = [];
    let stored = 0;
    // The first tick of all finds no earlier message whose reply is overdue.
    for (const size of [1, 10, 1_000, 10_000]) {
      await open(stored + 1, size);
      stored = size;
      // The first ticks after an instruction's first minute read it once.
      do await conductor.tick();
      while ((await unwatched()).length > 0);
      const { message_id } = await bringTo(conductor, [EXEC]);
      edge.now += 120_000;
      await conductor.tick();
      expect(await statusesOf(message_id)).toEqual(['claimed']);
      edge.now += 600_000;
      read.push(await rowsReadByTick());
      expect(await statusesOf(message_id)).toEqual(['interrupted']);
    }
    const [, few = 0, ...more] = read;
    expect(few).toBeGreaterThan(0);
    expect(more).toEqual([few, few]);
  });

  it('is ended by the first tick after it, also when no tick ran since it was claimed', async () => {
    const { message_id } = await bringTo(conductor, [EXEC]);
    edge.now += 3_600_001;
    await conductor.tick();
    expect(await statusesOf(message_id)).toEqual(['interrupted']);
  });

  it('is ended at its new deadline when its start was reported late', async () => {
    const extended = await bringTo(conductor, [EXEC]);
    edge.now += 120_000;
    await conductor.tick();
    await conductor.act(`/v1/instructions/${extended.ids[0]}/started`);
    edge.now += 600_000;
    await conductor.tick();
    expect(await statusesOf(extended.message_id)).toEqual(['running']);
    edge.now += 120_000;
    await sweep(conductor);
    expect(await statusesOf(extended.message_id)).toEqual(['interrupted']);
  });
});
