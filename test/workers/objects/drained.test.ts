import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SystemState } from '../../../schema/contracts/system.ts';
import { Conductor, EXEC, instructionsOf } from '../support/conductor.ts';
import { freshEdge } from './support.ts';

let conductor: Conductor;
beforeEach(async () => {
  await freshEdge();
  conductor = new Conductor();
  await conductor.token();
  await conductor.mode('drain');
});

const drained = async () => (await conductor.edge.data<SystemState>('GET', '/v1/system/state')).drained;

describe('a draining system', () => {
  it('is drained when there is nothing to do, and only while it drains', async () => {
    expect(await drained()).toBe(true);
    await conductor.mode('pause');
    expect(await drained()).toBe(false);
  });

  it('still runs instructions, and is not drained before the last has ended and its reply is reported', async () => {
    const { message_id, instructions } = await conductor.bring(
      conductor.message({ instructions: instructionsOf(EXEC, EXEC) }),
    );
    expect(instructions.map(({ status }) => status)).toEqual(['claimed', 'claimed']);
    for (const { instruction_id } of instructions) {
      expect(await drained()).toBe(false);
      await conductor.result(instruction_id);
    }
    expect(await drained()).toBe(false);
    await conductor.act(`/v1/messages/${message_id}/reply`, { outcome: 'delivered', reason: null, attempt: 1 });
    expect(await drained()).toBe(true);
  });

  it('waits for deliveries that are under way or due, but not for later ones', async () => {
    const job = (status: string, nextAttemptAt: number | null, deadlineAt: number | null) =>
      env.DB.prepare(
        `INSERT OR REPLACE INTO renewal_jobs (job_id, local_conversation_id, message_id, status, payload, payload_kind,
          attempt_count, max_attempts, next_attempt_at, deadline_at, created_at, updated_at)
        VALUES ('job_1', 'lc', 'msg', ?, 'x', 'text', 0, 3, ?, ?, 1, 1)`,
      )
        .bind(status, nextAttemptAt, deadlineAt)
        .run();
    const { now } = conductor.edge;
    await job('pending', now + 60_000, null);
    expect(await drained()).toBe(true);
    await job('pending', now, null);
    expect(await drained()).toBe(false);
    await job('running', null, now + 60_000);
    expect(await drained()).toBe(false);
    await job('done', null, null);
    expect(await drained()).toBe(true);
  });
});
