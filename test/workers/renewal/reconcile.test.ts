import { beforeAll, describe, expect, it } from 'vitest';
import { EVENTS, rowsOf } from '../support/edge.ts';
import { Renewals } from './support.ts';

const renewals = new Renewals();
const { edge } = renewals;
beforeAll(() => renewals.lead());

const commands = (kind: string, jobId: string) =>
  rowsOf<{ command_id: string }>('SELECT command_id FROM commands WHERE kind = ? AND body LIKE ?', kind, `%${jobId}%`);

describe('a delivery without a response', () => {
  it('is queried under a new deadline each time, until ten minutes after it was sent', async () => {
    const { message_id, job } = await renewals.sent();
    const sentAt = edge.now;
    for (let phase = 1; phase < 20; phase += 1) {
      const before = await renewals.jobOf(message_id);
      expect(before).toMatchObject({ status: 'running', deadline_at: sentAt + phase * 30_000 });
      edge.now = (before.deadline_at ?? 0) - 1;
      await renewals.tick();
      expect(await renewals.jobOf(message_id)).toMatchObject({ deadline_at: before.deadline_at });
      edge.now += 1;
      await renewals.tick();
      expect(await commands('delivery.query', job.job_id)).toHaveLength(phase);
    }
    expect(await renewals.jobOf(message_id)).toMatchObject({ deadline_at: sentAt + 600_000 });
    edge.now = sentAt + 600_000;
    await renewals.tick();
    expect(await renewals.jobOf(message_id)).toMatchObject({
      status: 'failed',
      last_error: 'delivery_unknown',
      deadline_at: null,
      finished_at: edge.now,
    });
    expect(await commands('delivery', job.job_id)).toHaveLength(1);
  });

  it('ends its job by the response that arrives while it is queried', async () => {
    const { message_id, command } = await renewals.sent();
    edge.now += 90_000;
    await renewals.tick();
    await renewals.respond(command, 'delivered');
    expect((await renewals.jobOf(message_id)).status).toBe('done');
  });

  it('is done by a late response that says delivered after the job had failed, and nothing is sent again', async () => {
    const { message_id, command, job } = await renewals.sent();
    edge.now += 600_000;
    await renewals.tick();
    expect((await renewals.jobOf(message_id)).last_error).toBe('delivery_unknown');
    await renewals.respond(command, 'delivered');
    expect(await renewals.jobOf(message_id)).toMatchObject({ status: 'done', last_error: null });
    expect((await edge.error('POST', `/v1/renewal/jobs/${job.job_id}/retry`, { body: {} })).error).toBe('conflict');
  });

  it('stays failed when a late response says failed', async () => {
    const { message_id, command } = await renewals.sent();
    edge.now += 600_000;
    await renewals.tick();
    await renewals.respond(command, 'failed', { reason: 'http_500' });
    expect(await renewals.jobOf(message_id)).toMatchObject({ status: 'failed', last_error: 'delivery_unknown' });
  });

  it('is searched for: found, its job is done; not found, its job is retried', async () => {
    for (const [outcome, more, status] of [
      ['delivered', { reason: 'found_in_conversation' }, 'done'],
      ['failed', { reason: 'not_found_in_conversation' }, 'pending'],
    ] as const) {
      const { message_id, command, job } = await renewals.sent();
      await renewals.respond(command, 'uncertain', { reason: 'socket_lost' });
      const query = await renewals.commandOf(job);
      expect(query.kind).toBe('delivery.query');
      await renewals.respond(query, outcome, more);
      expect((await renewals.jobOf(message_id)).status).toBe(status);
    }
  });

  it('is queried only at its deadlines when no browser can search for it, and fails at the last', async () => {
    const { message_id, command, job } = await renewals.sent();
    const sentAt = edge.now;
    await renewals.respond(command, 'uncertain');
    await renewals.respond(await renewals.commandOf(job), 'uncertain');
    expect(await commands('delivery.query', job.job_id)).toHaveLength(1);
    while (edge.now < sentAt + 570_000) {
      edge.now = (await renewals.jobOf(message_id)).deadline_at ?? 0;
      await renewals.tick();
      await renewals.respond(await renewals.commandOf(job), 'uncertain');
    }
    edge.now = sentAt + 600_000;
    await renewals.tick();
    expect(await renewals.jobOf(message_id)).toMatchObject({ status: 'failed', last_error: 'delivery_unknown' });
    expect(await commands('delivery', job.job_id)).toHaveLength(1);
  });
});

describe('a failed job', () => {
  it('is redriven by a person with all its attempts, under new plan ids', async () => {
    const { message_id, job } = await renewals.sent();
    const plans = new Set<string | null>();
    for (let attempt = 1; attempt <= 6; attempt += 1) {
      const running = await renewals.jobOf(message_id);
      plans.add(running.plan_id);
      await renewals.respond(await renewals.commandOf(job), 'failed', { reason: 'http_500' });
      if (attempt === 3) await edge.data('POST', `/v1/renewal/jobs/${job.job_id}/retry`, { body: {} });
      edge.now = (await renewals.jobOf(message_id)).next_attempt_at ?? edge.now;
      await renewals.tick();
    }
    expect(plans.size).toBe(6);
    expect(await renewals.jobOf(message_id)).toMatchObject({ status: 'failed', attempt_count: 6, max_attempts: 6 });
    const timeline = await rowsOf(`SELECT type FROM ${EVENTS} WHERE topic = 'renewal' AND subject_id = ?`, job.job_id);
    expect(timeline.length).toBeGreaterThanOrEqual(13);
  });

  it('is not redriven once a newer message has come, and the job of that message can be canceled while it is pending', async () => {
    const { message_id, job, remote_conversation_id } = await renewals.sent();
    await rowsOf("UPDATE renewal_jobs SET status = 'failed', deadline_at = NULL WHERE job_id = ?", job.job_id);
    const newer = await renewals.answered(remote_conversation_id);
    expect((await edge.error('POST', `/v1/renewal/jobs/${job.job_id}/retry`, { body: {} })).error).toBe('conflict');
    expect((await renewals.jobOf(message_id)).status).toBe('failed');
    await renewals.project();
    const { job_id } = await renewals.jobOf(newer.message_id);
    await edge.data('POST', `/v1/renewal/jobs/${job_id}/cancel`, { body: {} });
    await renewals.tick();
    expect(await renewals.jobOf(newer.message_id)).toMatchObject({ status: 'canceled', attempt_count: 0 });
    expect((await edge.error('POST', `/v1/renewal/jobs/${job_id}/cancel`, { body: {} })).error).toBe(
      'already_finished',
    );
  });
});
