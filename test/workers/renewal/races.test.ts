import { beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../../../schema/contracts/clients.ts';
import { TestNode } from '../objects/support.ts';
import { entriesOf } from '../support/conductor.ts';
import { NODE, rowsOf } from '../support/edge.ts';
import { Renewals } from './support.ts';

/** Each test runs something else between the reads of a write and its commit. */
const renewals = new Renewals();
const { edge } = renewals;
beforeAll(() => renewals.lead());

const STEPS = /UPDATE renewal_jobs/;
const commandsOf = (jobId: string, kind: string) =>
  rowsOf('SELECT 1 FROM commands WHERE kind = ? AND body LIKE ?', kind, `%${jobId}%`);
/** The stages of that job in the tick log, in order. */
const stagesOf = async (jobId: string) =>
  (
    await rowsOf<{ stage: string }>(
      `SELECT e.value->>'stage' AS stage FROM ticks, json_each(ticks.entries) AS e
       WHERE e.value->>'job_id' = ? ORDER BY tick_seq, e.key`,
      jobId,
    )
  ).map(({ stage }) => stage);
/** A job that the next tick sends. */
async function dueJob() {
  const message = await renewals.settled();
  await renewals.project();
  return { ...message, job: await renewals.jobOf(message.message_id) };
}
/** The node's socket, with nothing left of earlier tests to send. */
async function connected(): Promise<TestNode> {
  await rowsOf("UPDATE renewal_jobs SET status = 'done', next_attempt_at = NULL, deadline_at = NULL");
  await rowsOf("UPDATE local_conversations SET automation_status = 'manual'");
  await rowsOf('DELETE FROM commands');
  const node = await TestNode.connect(NODE);
  await node.hello();
  return node;
}
const cancel = (jobId: string) => edge.data('POST', `/v1/renewal/jobs/${jobId}/cancel`, { body: {} });

describe('the dispatcher', () => {
  it('sends nothing when the system is paused before it commits', async () => {
    const { message_id, job } = await dueJob();
    const { batch_id } = await edge.race(
      () => renewals.tick(),
      () => renewals.mode('pause'),
      STEPS,
    );
    await renewals.mode('resume');
    expect(await entriesOf(batch_id)).toContain('renewal.dispatcher scan_skipped system_paused');
    expect(await renewals.jobOf(message_id)).toMatchObject({ status: 'pending', attempt_count: 0 });
    expect(await commandsOf(job.job_id, 'delivery')).toEqual([]);
  });

  it.each([
    [
      'its conversation is paused',
      (one: Awaited<ReturnType<typeof dueJob>>) => renewals.automation(one.local_conversation_id, 'paused'),
    ],
    [
      'a newer message comes',
      (one: Awaited<ReturnType<typeof dueJob>>) =>
        renewals.bring(renewals.message({ remote_conversation_id: one.remote_conversation_id })),
    ],
  ])('does not send a job when %s before it commits', async (_what, change) => {
    const one = await dueJob();
    await edge.race(
      () => renewals.tick(),
      () => Promise.resolve(change(one)),
      STEPS,
    );
    expect(await renewals.jobOf(one.message_id)).toMatchObject({ status: 'pending', attempt_count: 0 });
    expect(await commandsOf(one.job.job_id, 'delivery')).toEqual([]);
  });

  it('pushes no command for a job that was canceled before it commits', async () => {
    const node = await connected();
    const canceled = await dueJob();
    await edge.race(
      () => renewals.tick(),
      () => cancel(canceled.job.job_id),
      STEPS,
    );
    expect((await renewals.jobOf(canceled.message_id)).status).toBe('canceled');
    expect(await stagesOf(canceled.job.job_id)).toEqual([]);
    const sent = await dueJob();
    await renewals.tick();
    expect((await node.next('command')).command.body).toMatchObject({ job_id: sent.job.job_id });
    node.close();
  });
});

describe('a response to a delivery', () => {
  it('changes nothing when the job is given up before it is stored', async () => {
    const { message_id, command, job } = await renewals.sent();
    const { client_id = '' } = job.target_snapshot ?? {};
    edge.now += 600_000;
    await edge.race(
      () => renewals.response(command, 'failed', { http_status: 401 }),
      () => renewals.tick(),
    );
    expect(await renewals.jobOf(message_id)).toMatchObject({ status: 'failed', last_error: 'delivery_unknown' });
    const [browser] = await rowsOf<{ platforms: string }>(
      'SELECT platforms FROM clients WHERE client_id = ?',
      client_id,
    );
    const platforms = JSON.parse(browser?.platforms ?? '[]') as Client['platforms'];
    expect(platforms.map((one) => one.stopped_reason)).toEqual([]);
    expect(await stagesOf(job.job_id)).toEqual(['job_attempt_started', 'job_failed']);
  });

  it('that says delivered leaves a canceled job canceled', async () => {
    const { message_id, command, job } = await renewals.sent();
    edge.now += 30_000;
    await renewals.tick();
    await renewals.response(await renewals.commandOf(job), 'unknown');
    await cancel(job.job_id);
    await renewals.response(command, 'delivered');
    expect(await renewals.jobOf(message_id)).toMatchObject({ status: 'canceled', last_error: 'canceled_by_person' });
  });
});

describe('the reconciler', () => {
  it('does not query a delivery whose response comes before it commits', async () => {
    const node = await connected();
    const { message_id, command, job } = await renewals.sent();
    expect((await node.next('command')).command).toMatchObject({ kind: 'delivery', body: { job_id: job.job_id } });
    edge.now += 30_000;
    await edge.race(
      () => renewals.tick(),
      () => renewals.response(command, 'delivered'),
      STEPS,
    );
    expect((await renewals.jobOf(message_id)).status).toBe('done');
    expect(await commandsOf(job.job_id, 'delivery.query')).toEqual([]);
    const next = await dueJob();
    await renewals.tick();
    expect((await node.next('command')).command).toMatchObject({ kind: 'delivery', body: { job_id: next.job.job_id } });
    node.close();
  });
});
