import { beforeAll, describe, expect, it } from 'vitest';
import { entriesOf } from '../support/conductor.ts';
import { rowsOf } from '../support/edge.ts';
import { OTHER_NODE, Renewals } from './support.ts';

const renewals = new Renewals();
const { edge } = renewals;
beforeAll(() => renewals.lead());

const setJob = (jobId: string, set: string) => rowsOf(`UPDATE renewal_jobs SET ${set} WHERE job_id = ?`, jobId);

describe('a due job', () => {
  it('is running once its command is stored, and done only after the node has reported delivered', async () => {
    const { job, command, message_id } = await renewals.sent();
    expect(job).toMatchObject({
      status: 'running',
      attempt_count: 1,
      plan_id: `${job.job_id}.1`,
      deadline_at: edge.now + 30_000,
      target_snapshot: { client_id: 'firefox-1', target: { id: 'tab:17', kind: 'browser.proxy_delivery' } },
    });
    expect(command).toMatchObject({
      kind: 'delivery',
      body: { attempt: 1, timeout_ms: 20_000, target: { tab_id: 17 } },
    });
    await renewals.respond(command, 'delivered', { method: 'replay', http_status: 200 });
    expect((await renewals.jobOf(message_id)).status).toBe('done');
    const entries = await entriesOf(job.batch_id ?? '');
    expect(entries).toContain('renewal.dispatcher job_attempt_started attempt_started');
    expect(entries.at(-1)).toBe('renewal.dispatcher job_completed attempt_succeeded');
  });

  it('of a paused conversation is deferred by the recheck delay without using an attempt', async () => {
    const { message_id, local_conversation_id } = await renewals.settled();
    await renewals.project();
    await renewals.automation(local_conversation_id, 'paused');
    await renewals.tick();
    const job = await renewals.jobOf(message_id);
    expect(job).toMatchObject({
      status: 'pending',
      attempt_count: 0,
      next_attempt_at: edge.now + 10_000,
      last_error: 'automation_paused',
    });
    await renewals.automation(local_conversation_id, 'resume');
    await renewals.tick();
    expect((await renewals.jobOf(message_id)).status).toBe('running');
  });

  it('is canceled when its conversation has a newer message', async () => {
    const { message_id, remote_conversation_id } = await renewals.settled();
    await renewals.project();
    await renewals.bring(renewals.message({ remote_conversation_id }));
    await renewals.tick();
    expect(await renewals.jobOf(message_id)).toMatchObject({ status: 'canceled', last_error: 'superseded' });
  });

  it.each([
    ['a payload that is not an object', "payload = '[]'", 'invalid_payload'],
    ['a payload without text', 'payload = \'{"text":" "}\'', 'missing_payload_text'],
    ['a blank text', "payload_kind = 'text', payload_text = ''", 'missing_payload_text'],
    ['a conversation that is gone', "local_conversation_id = 'lc_gone'", 'missing_local_conversation'],
  ])('with %s fails without a retry', async (_name, set, reason) => {
    const { message_id } = await renewals.settled();
    await renewals.project();
    const { job_id } = await renewals.jobOf(message_id);
    await setJob(job_id, set);
    await renewals.tick();
    expect(await renewals.jobOf(message_id)).toMatchObject({ status: 'failed', attempt_count: 1, last_error: reason });
  });

  it('without a link is retried with the backoff, fails at the last attempt, and is redriven once by a new link', async () => {
    const { message_id, local_conversation_id, remote_conversation_id } = await renewals.settled();
    await renewals.project();
    await rowsOf('DELETE FROM conversation_links WHERE local_conversation_id = ?', local_conversation_id);
    for (const delay of [30_000, 60_000]) {
      await renewals.tick();
      const job = await renewals.jobOf(message_id);
      expect(job).toMatchObject({
        status: 'pending',
        last_error: 'missing_active_link',
        next_attempt_at: edge.now + delay,
      });
      edge.now += delay;
    }
    await renewals.tick();
    expect(await renewals.jobOf(message_id)).toMatchObject({ status: 'failed', attempt_count: 3 });
    const see = async (tab_id = 17) => {
      const tab = { ...renewals.message({ remote_conversation_id }).link, platform: 'chatgpt', tab_id };
      const body = { connected: true, platforms: [], tabs: [tab] };
      await edge.data('PUT', '/v1/controllers/mini-main/clients/firefox-1', { token: await renewals.token(), body });
    };
    await see(0);
    expect((await renewals.jobOf(message_id)).status).toBe('failed');
    edge.now += 1;
    await see();
    expect(await renewals.jobOf(message_id)).toMatchObject({ status: 'pending', max_attempts: 6, last_error: null });
    await setJob((await renewals.jobOf(message_id)).job_id, "status = 'failed', last_error = 'no_active_client'");
    await see();
    expect((await renewals.jobOf(message_id)).status).toBe('failed');
  });

  it('that failed without a link stays failed when the link comes with a newer message', async () => {
    const { message_id, local_conversation_id, remote_conversation_id } = await renewals.settled();
    await renewals.project();
    await rowsOf('DELETE FROM conversation_links WHERE local_conversation_id = ?', local_conversation_id);
    const failed = "status = 'failed', last_error = 'missing_active_link', next_attempt_at = NULL";
    await setJob((await renewals.jobOf(message_id)).job_id, failed);
    await renewals.bring(renewals.message({ remote_conversation_id }));
    expect((await renewals.jobOf(message_id)).status).toBe('failed');
  });

  it('is delivered by the newest link of several browsers', async () => {
    const { message_id, remote_conversation_id } = await renewals.settled();
    const { link } = renewals.message({ remote_conversation_id });
    const tab = { ...link, tab_id: 44, platform: 'chatgpt', observed_at: edge.now };
    await edge.data('PUT', `/v1/controllers/${OTHER_NODE}/clients/firefox-2`, {
      token: await renewals.token(OTHER_NODE),
      body: { connected: true, platforms: [], tabs: [tab] },
    });
    await renewals.tick();
    const job = await renewals.jobOf(message_id);
    expect(job.target_snapshot).toMatchObject({ client_id: 'firefox-2', target: { id: 'tab:44' } });
    expect((await renewals.commandOf(job, OTHER_NODE)).kind).toBe('delivery');
  });
});

describe('the response of the node to a delivery', () => {
  it('deferred returns the attempt and makes the job wait until the given time', async () => {
    const { command, message_id } = await renewals.sent();
    await renewals.respond(command, 'deferred', { reason: 'typing', retry_after_ms: 45_000 });
    expect(await renewals.jobOf(message_id)).toMatchObject({
      status: 'pending',
      attempt_count: 0,
      next_attempt_at: edge.now + 45_000,
      last_error: 'typing',
    });
  });

  it('failed makes the job retry until its attempts are used up', async () => {
    const { message_id, job } = await renewals.sent();
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      const command = await renewals.commandOf(job);
      await renewals.respond(command, 'failed', { reason: 'http_500', http_status: 500 });
      const now = await renewals.jobOf(message_id);
      expect(now).toMatchObject({
        attempt_count: attempt,
        last_error: 'http_500',
        status: attempt < 3 ? 'pending' : 'failed',
      });
      edge.now = now.next_attempt_at ?? edge.now;
      await renewals.tick();
    }
    await edge.data('POST', `/v1/renewal/jobs/${job.job_id}/retry`, { body: {} });
    await renewals.tick();
    expect(await renewals.jobOf(message_id)).toMatchObject({ status: 'running', plan_id: `${job.job_id}.4` });
  });

  it('changes nothing when it is about an earlier attempt', async () => {
    const { command, message_id, job } = await renewals.sent();
    await setJob(job.job_id, "plan_id = 'another.2', attempt_count = 2");
    expect((await renewals.respond(command, 'delivered')).status).toBe('done');
    expect((await renewals.jobOf(message_id)).status).toBe('running');
  });

  it('must come from the node that got the command', async () => {
    const { command } = await renewals.sent();
    const token = await renewals.token(OTHER_NODE);
    const body = { controller_id: OTHER_NODE, result: { outcome: 'delivered', reason: null, method: null } };
    const error = await edge.error('POST', `/v1/commands/${command.command_id}/result`, { token, body });
    expect(error.error).toBe('not_owner');
  });

  it('uncertain is queried at once, and the job ends as the search reports', async () => {
    const { command, message_id, job } = await renewals.sent();
    await renewals.respond(command, 'uncertain', { reason: 'socket_lost' });
    expect((await renewals.jobOf(message_id)).status).toBe('running');
    const query = await renewals.commandOf(job);
    expect(query).toMatchObject({
      kind: 'delivery.query',
      body: { command_id: command.command_id, plan_id: job.plan_id },
    });
    await renewals.respond(query, 'delivered');
    expect((await renewals.jobOf(message_id)).status).toBe('done');
  });

  it('is queried at the deadline when it is missing, and unknown makes the job retry', async () => {
    const { message_id, job } = await renewals.sent();
    edge.now += 30_000;
    await renewals.tick();
    const asked = await renewals.jobOf(message_id);
    expect(asked).toMatchObject({ status: 'running', deadline_at: edge.now + 30_000 });
    const query = await renewals.commandOf(job);
    expect(query.kind).toBe('delivery.query');
    await renewals.respond(query, 'unknown');
    expect(await renewals.jobOf(message_id)).toMatchObject({ status: 'pending', last_error: 'delivery_lost' });
  });

  it('fails the job as delivery_unknown when it is missing for ten minutes, and nothing is sent again', async () => {
    const { message_id, job } = await renewals.sent();
    for (let minute = 0; minute < 11; minute += 1) {
      edge.now += 60_000;
      await renewals.tick();
    }
    expect(await renewals.jobOf(message_id)).toMatchObject({
      status: 'failed',
      last_error: 'delivery_unknown',
      attempt_count: 1,
    });
    const sent = await rowsOf("SELECT 1 FROM commands WHERE kind = 'delivery' AND body LIKE ?", `%${job.job_id}%`);
    expect(sent).toHaveLength(1);
  });
});

describe('a pause of the system', () => {
  it('keeps due jobs pending, and nothing is sent until it ends', async () => {
    const { message_id } = await renewals.settled();
    await renewals.project();
    await renewals.mode('pause');
    expect((await renewals.tick()).decision).toBe('skipped_system_paused');
    expect((await renewals.jobOf(message_id)).status).toBe('pending');
    await renewals.mode('resume');
    await renewals.tick();
    expect((await renewals.jobOf(message_id)).status).toBe('running');
  });
});
