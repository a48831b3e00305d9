import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';
import { timedJobs } from '../../../durable-objects/stubs.ts';
import { runTick } from '../../../workers/timed-jobs/run-tick.ts';
import { Conductor, EXEC, instructionsOf } from '../support/conductor.ts';
import { counting } from '../support/counting.ts';
import { rowsOf } from '../support/edge.ts';

const conductor = new Conductor();
const { edge } = conductor;
beforeAll(() => conductor.lead());

const QUERIES_MAX = 50;
const quiet = { random: () => 0.5, log: () => undefined };

/** Jobs that exist and are not due: done ones, and pending ones of tomorrow. */
const store = (from: number, to: number) =>
  rowsOf(
    `WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i < ?)
     INSERT INTO renewal_jobs (job_id, local_conversation_id, message_id, status, payload, payload_kind,
       attempt_count, max_attempts, next_attempt_at, created_at, updated_at)
     SELECT 'job_' || i, 'lc_none', 'msg_' || i, CASE WHEN i % 2 THEN 'done' ELSE 'pending' END, '{}', 'json', 0, 3, ?, 0, 0
     FROM n`,
    from,
    to,
    edge.now + 864e5 * 30,
  );

/** What a tick with ten due jobs reads. */
async function tenDue(): Promise<{ rows: number; queries: number }> {
  for (let n = 0; n < 10; n += 1) {
    const remote_conversation_id = `cost-${edge.now}-${n}`;
    const { local_conversation_id } = await conductor.bring(conductor.message({ remote_conversation_id }));
    await conductor.automation(local_conversation_id, 'auto');
  }
  edge.now += 10_000;
  await conductor.stayInContact();
  const counted = counting();
  await runTick(counted.env, { trigger: 'manual', scheduledTime: null, now: edge.now }, quiet);
  const sent = await rowsOf("SELECT 1 FROM renewal_jobs WHERE status = 'running' AND started_at = ?", edge.now);
  expect(sent).toHaveLength(10);
  await rowsOf("UPDATE renewal_jobs SET status = 'done', deadline_at = NULL WHERE status = 'running'");
  await rowsOf('DELETE FROM commands');
  return { rows: counted.rows(), queries: counted.queries() };
}

describe('a tick with ten due jobs', () => {
  it('reads the same rows at a thousand, a hundred thousand and a million stored jobs', {
    timeout: 600_000,
  }, async () => {
    // The first tick of all finds tables that are still empty.
    await tenDue();
    const read: number[] = [];
    let stored = 0;
    for (const size of [1_000, 100_000, 1_000_000]) {
      for (; stored < size; stored = Math.min(size, stored + 100_000)) {
        await store(stored + 1, Math.min(size, stored + 100_000));
      }
      read.push((await tenDue()).rows);
    }
    expect(read[0]).toBeGreaterThan(10);
    expect(read).toEqual([read[0], read[0], read[0]]);
  });
});

describe('a tick with everything to do at once', () => {
  it('keeps to fifty queries', async () => {
    for (let n = 0; n < 12; n += 1) {
      const remote_conversation_id = `all-${n}`;
      const running = { remote_conversation_id, instructions: instructionsOf(EXEC) };
      await conductor.bring(conductor.message(running));
    }
    for (let n = 0; n < 15; n += 1) {
      const remote_conversation_id = `due-${n}`;
      const { local_conversation_id } = await conductor.bring(conductor.message({ remote_conversation_id }));
      await conductor.automation(local_conversation_id, 'auto');
    }
    edge.now += 10_000;
    await conductor.tick();
    // A week later: claims and deliveries are overdue, commands expired, logs too old, jobs and messages wait.
    edge.now += 8 * 86_400_000;
    await conductor.lead();
    const open = () => rowsOf("SELECT 1 FROM instructions WHERE status IN ('claimed', 'running')");
    for (let left = (await open()).length; left > 0; left = (await open()).length) {
      const counted = counting();
      await runTick(counted.env, { trigger: 'manual', scheduledTime: null, now: edge.now }, quiet);
      expect(counted.queries()).toBeLessThanOrEqual(QUERIES_MAX);
      expect((await open()).length).toBeLessThan(left);
      // It has left some, and the next tick is due now.
      if (left > 1) expect((await timedJobs(env).read()).next_due_at).toBe(edge.now);
    }
  });
});
