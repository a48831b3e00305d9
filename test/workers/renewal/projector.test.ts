import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';
import { timedJobs } from '../../../durable-objects/stubs.ts';
import { openDatabase } from '../../../workers/db/open.ts';
import { renewalProjector } from '../../../workers/renewal/projector.job.ts';
import { settings } from '../../../workers/settings.ts';
import { EXEC, instructionsOf } from '../support/conductor.ts';
import { rowsOf } from '../support/edge.ts';
import { Renewals } from './support.ts';

const renewals = new Renewals();
const { edge } = renewals;
beforeAll(() => renewals.lead());

const jobsOf = (messageId: string) => rowsOf('SELECT 1 FROM renewal_jobs WHERE message_id = ?', messageId);
const shell = (id: string) => ({
  remote_conversation_id: null,
  page_url: `https://chatgpt.com/?${id}`,
  page_title: null,
  tab_id: 3,
  shell_page: true,
  observed_at: edge.now,
});

describe('a settled message', () => {
  it('of an auto conversation becomes one job, however many ticks run', async () => {
    const { message_id } = await renewals.settled();
    await renewals.tick();
    await renewals.tick();
    expect(await jobsOf(message_id)).toHaveLength(1);
    const job = await renewals.jobOf(message_id);
    expect(JSON.parse(job.payload)).toMatchObject({
      kind: 'renewal.message',
      version: 1,
      template: 'summary_with_link',
      source_message: { id: message_id },
    });
  });

  it.each([
    ['auto', 1],
    ['manual', 0],
  ] as const)(
    'of a conversation set to %s is projected by one of two projectors that read it at once',
    async (automation, jobs) => {
      const { message_id } = await renewals.settled(automation);
      const project = () =>
        renewalProjector.run({
          env,
          db: openDatabase(env.DB),
          now: edge.now,
          random: () => 0.5,
          mode: 'running',
          settings: settings(env),
          batch_id: 'tick_twice',
          trigger: 'manual',
          log: () => undefined,
          hasRoom: () => true,
          defer: () => undefined,
        });
      expect((await Promise.all([project(), project()])).sort()).toEqual(['changed', 'ok']);
      expect(await jobsOf(message_id)).toHaveLength(jobs);
    },
  );

  it('has to wait for an earlier message that has not settled', async () => {
    const { local_conversation_id } = await renewals.settled();
    const young = await renewals.bring(renewals.message({ remote_conversation_id: 'young' }));
    await renewals.automation(young.local_conversation_id, 'auto');
    await renewals.tick();
    expect(await jobsOf(young.message_id)).toEqual([]);
    edge.now += 10_000;
    await renewals.tick();
    expect(await jobsOf(young.message_id)).toHaveLength(1);
    expect(local_conversation_id).not.toBe(young.local_conversation_id);
  });

  it.each([
    ['automation_manual', 'manual'],
    ['automation_paused', 'paused'],
  ] as const)('is skipped as %s, and becomes a job once the conversation is auto', async (reason, change) => {
    const { message_id, local_conversation_id } = await renewals.settled(change);
    await renewals.tick();
    expect(await renewals.skipReason(message_id)).toBe(reason);
    await renewals.automation(local_conversation_id, 'auto');
    await renewals.tick();
    expect(await jobsOf(message_id)).toHaveLength(1);
    expect(await renewals.skipReason(message_id)).toBeNull();
  });

  it('is skipped without a link, and becomes a job when a browser reports the conversation', async () => {
    const { message_id, remote_conversation_id } = await renewals.settled('auto', { link: shell('a') });
    await renewals.tick();
    expect(await renewals.skipReason(message_id)).toBe('missing_active_link');
    const tab = { ...renewals.message({ remote_conversation_id }).link, platform: 'chatgpt' };
    await edge.data('PUT', '/v1/controllers/mini-main/clients/firefox-1', {
      token: await renewals.token(),
      body: { connected: true, platforms: [], tabs: [tab] },
    });
    expect((await timedJobs(env).read()).next_due_at).toBe(edge.now);
    await renewals.tick();
    expect(await jobsOf(message_id)).toHaveLength(1);
  });

  it('is skipped as route_unavailable when its only tab has no number', async () => {
    const link = { ...renewals.message().link, remote_conversation_id: 'no-tab', tab_id: 0 };
    const { message_id } = await renewals.settled('auto', { remote_conversation_id: 'no-tab', link });
    await renewals.tick();
    expect(await renewals.skipReason(message_id)).toBe('route_unavailable');
  });

  it('is skipped as superseded when a newer one follows', async () => {
    const { message_id, remote_conversation_id } = await renewals.settled();
    const newer = await renewals.bring(renewals.message({ remote_conversation_id }));
    edge.now += 10_000;
    await renewals.tick();
    expect(await renewals.skipReason(message_id)).toBe('superseded');
    expect(await jobsOf(newer.message_id)).toHaveLength(1);
  });

  it('is skipped while its instructions run or its reply is due, and becomes a job when the reply is given up', async () => {
    const first = await renewals.settled('auto', { instructions: instructionsOf(EXEC) });
    await renewals.tick();
    expect(await renewals.skipReason(first.message_id)).toBe('instruction_pending');
    await renewals.result(first.instructions[0]?.instruction_id ?? '');
    edge.now += 600_001;
    await renewals.tick();
    expect(await jobsOf(first.message_id)).toHaveLength(1);
  });

  it('is not renewed when its reply was delivered', async () => {
    const message = await renewals.settled('auto', { instructions: instructionsOf(EXEC) });
    await renewals.result(message.instructions[0]?.instruction_id ?? '');
    await renewals.act(`/v1/messages/${message.message_id}/reply`, { outcome: 'delivered', reason: null, attempt: 1 });
    await renewals.tick();
    expect(await renewals.skipReason(message.message_id)).toBe('instruction_pending');
  });

  it('of the user becomes no job', async () => {
    const { message_id } = await renewals.settled('auto', { role: 'user' });
    await renewals.tick();
    expect(await jobsOf(message_id)).toEqual([]);
    expect(await renewals.skipReason(message_id)).toBeNull();
  });
});

describe('the projector of a draining system', () => {
  it('projects nothing, and loses no message', async () => {
    const { message_id } = await renewals.settled();
    await renewals.mode('drain');
    await renewals.tick();
    expect(await jobsOf(message_id)).toEqual([]);
    await renewals.mode('resume');
    await renewals.tick();
    expect(await jobsOf(message_id)).toHaveLength(1);
  });
});
