import { beforeAll, describe, expect, it } from 'vitest';
import { EXEC, instructionsOf } from '../support/conductor.ts';
import { rowsOf } from '../support/edge.ts';
import { Renewals } from './support.ts';

const renewals = new Renewals();
const { edge } = renewals;
const DAY_MS = 86_400_000;
beforeAll(() => renewals.lead());

const running = async () => (await rowsOf("SELECT 1 FROM renewal_jobs WHERE status = 'running'")).length;

describe('after the edge was away for a day', () => {
  it('messages of that day arrive, their instructions have expired, and the newest message is renewed', async () => {
    const { local_conversation_id, remote_conversation_id, message_id } = await renewals.settled();
    await renewals.tick();
    await renewals.deliver(message_id);
    edge.now += DAY_MS;
    await renewals.lead();
    const seen = (age: number, more = {}) =>
      renewals.bring(renewals.message({ remote_conversation_id, observed_at: edge.now - age, ...more }), {
        'x-baa-age-ms': String(age),
      });
    const old = await seen(DAY_MS, { instructions: instructionsOf(EXEC) });
    expect(old.instructions).toMatchObject([{ status: 'expired' }]);
    const newest = await seen(DAY_MS - 60_000);
    edge.now += 10_000;
    await renewals.tick();
    expect(await renewals.skipReason(old.message_id)).toBe('superseded');
    expect((await renewals.jobOf(newest.message_id)).status).toBe('running');
    expect((await renewals.detail(local_conversation_id)).counters).toMatchObject({ renewals_in_row: 1 });
  });

  it('a response to a delivery of the day before ends its job, and nothing is sent again', async () => {
    const { message_id, command } = await renewals.sent();
    edge.now += DAY_MS;
    await renewals.lead();
    await renewals.respond(command, 'delivered');
    await renewals.tick();
    expect((await renewals.jobOf(message_id)).status).toBe('done');
  });

  it('jobs that were due long ago are sent ten per tick, and none is lost', async () => {
    await rowsOf("UPDATE renewal_jobs SET status = 'done', deadline_at = NULL WHERE status = 'running'");
    const waiting = [];
    for (let n = 0; n < 25; n += 1) waiting.push(await renewals.settled());
    for (let n = 0; n < 3; n += 1) await renewals.project();
    edge.now += DAY_MS;
    await renewals.lead();
    const left = [];
    for (let n = 0; n < 3; n += 1) {
      await renewals.tick();
      left.push(await running());
    }
    expect(left).toEqual([10, 20, 25]);
  });
});
