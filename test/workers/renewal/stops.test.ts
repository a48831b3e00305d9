import { beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../../../schema/contracts/clients.ts';
import type { Command } from '../../../schema/contracts/commands.ts';
import type { Link } from '../../../schema/contracts/conversations.ts';
import { rowsOf } from '../support/edge.ts';
import { OTHER_NODE, Renewals } from './support.ts';

const renewals = new Renewals();
const { edge } = renewals;
beforeAll(() => renewals.lead());

const stopOf = async (client: string) => {
  const [row] = await rowsOf<{ platforms: string }>('SELECT platforms FROM clients WHERE client_id = ?', client);
  return (JSON.parse(row?.platforms ?? '[]') as Client['platforms'])[0]?.stopped_reason;
};
const resume = (client: string) => edge.data('POST', `/v1/browser/clients/${client}/resume`, { body: {} });

/** A renewal sent to a browser that its node has reported. */
async function sentTo(client: string) {
  await renewals.browser({ client });
  const message = await renewals.settled('auto', { client_id: client });
  await renewals.tick();
  const job = await renewals.jobOf(message.message_id);
  return { ...message, job, command: await renewals.commandOf(job) };
}

describe('a browser that a platform refuses', () => {
  it.each<[string, { http_status?: number; reason?: string; method?: string }]>([
    ['signed_out', { http_status: 401 }],
    ['signed_out', { http_status: 403, method: 'dom' }],
    ['account_changed', { reason: 'account_changed' }],
  ])('is stopped as %s, and is sent nothing until a person resumes it', async (reason, more) => {
    const client = `stops-${reason}-${more.http_status ?? 0}`;
    const { command, message_id, local_conversation_id } = await sentTo(client);
    await renewals.respond(command, 'failed', more);
    expect(await stopOf(client)).toBe(reason);
    expect(await renewals.jobOf(message_id)).toMatchObject({
      status: 'pending',
      attempt_count: 1,
      last_error: more.reason ?? reason,
      next_attempt_at: edge.now + 300_000,
    });
    expect(await renewals.next(local_conversation_id)).toMatchObject({ due: false, reason });
    edge.now += 300_000;
    await renewals.tick();
    expect(await renewals.jobOf(message_id)).toMatchObject({ status: 'pending', attempt_count: 1 });
    expect(await resume(client)).toMatchObject({ client_id: client, resumed: ['chatgpt'] });
    await renewals.tick();
    const job = await renewals.jobOf(message_id);
    expect(job).toMatchObject({ status: 'running', plan_id: `${job.job_id}.2` });
  });

  it('with a security challenge is stopped, and its conversation is paused', async () => {
    const { command, local_conversation_id, message_id } = await sentTo('challenged');
    await renewals.respond(command, 'failed', { reason: 'security_challenge' });
    expect(await stopOf('challenged')).toBe('security_challenge');
    expect(await renewals.detail(local_conversation_id)).toMatchObject({ pause_reason: 'security_challenge' });
    await resume('challenged');
    await renewals.automation(local_conversation_id, 'resume');
    await renewals.tick();
    expect((await renewals.jobOf(message_id)).status).toBe('running');
  });

  it('is stopped although its node has never reported it', async () => {
    const message = await renewals.settled('auto', { client_id: 'untold' });
    await renewals.tick();
    const command = await renewals.commandOf(await renewals.jobOf(message.message_id));
    await renewals.respond(command, 'failed', { http_status: 401 });
    expect(await stopOf('untold')).toBe('signed_out');
    edge.now += 300_000;
    await renewals.tick();
    expect(await renewals.jobOf(message.message_id)).toMatchObject({ status: 'pending', attempt_count: 1 });
    expect(await resume('untold')).toMatchObject({ resumed: ['chatgpt'] });
  });

  it('and that was stopped by its node is stopped at the edge, and the attempt is returned', async () => {
    const { command, message_id } = await sentTo('stopped-itself');
    await renewals.respond(command, 'deferred', { reason: 'signed_out', retry_after_ms: 300_000 });
    expect(await stopOf('stopped-itself')).toBe('signed_out');
    expect(await renewals.jobOf(message_id)).toMatchObject({ attempt_count: 0, last_error: 'signed_out' });
  });

  it('is resumed by a command to its node', async () => {
    await renewals.browser({ client: 'resumed' }, { stopped_reason: 'signed_out' });
    const { command_id } = (await resume('resumed')) as { command_id: string };
    const { items } = await edge.data<{ items: Command[] }>('GET', '/v1/controllers/mini-main/commands?limit=200', {
      token: await renewals.token(),
    });
    expect(items.find((one) => one.command_id === command_id)).toMatchObject({
      kind: 'client.resume',
      body: { client_id: 'resumed', platform: null },
    });
    expect((await edge.error('POST', '/v1/browser/clients/unknown/resume', { body: {} })).error).toBe(
      'client_not_found',
    );
  });
});

describe('a link that was made with another account', () => {
  it('is not used until a person resumes its browser', async () => {
    await renewals.browser({ client: 'two-accounts' }, { fingerprint: 'first' });
    const message = await renewals.settled('auto', { client_id: 'two-accounts' });
    const conversation = message.remote_conversation_id;
    await renewals.browser({ client: 'two-accounts', conversation }, { fingerprint: 'second' });
    await renewals.tick();
    expect(await renewals.jobOf(message.message_id)).toMatchObject({
      status: 'pending',
      last_error: 'account_changed',
    });
    await resume('two-accounts');
    await renewals.tick();
    expect((await renewals.jobOf(message.message_id)).status).toBe('running');
  });
});

describe('a link of one of two accounts of a browser', () => {
  const both = (other: string) => ({
    accounts: ['ann', other].map((fingerprint) => ({ login: 'fresh' as const, fingerprint })),
  });

  it('is used beside the other account, and the delivery names its own', async () => {
    await renewals.browser({ client: 'both' }, both('bob'));
    const message = await renewals.settled('auto', { client_id: 'both' });
    const conversation = message.remote_conversation_id;
    await renewals.browser({ client: 'both', conversation, account: 'bob' }, both('bob'));
    await renewals.tick();
    const job = await renewals.jobOf(message.message_id);
    expect(job.status).toBe('running');
    expect(await renewals.commandOf(job)).toMatchObject({ body: { target: { account_fingerprint: 'bob' } } });
  });

  it('keeps the tab of its account when a newer tab of the other one shows the same address', async () => {
    await renewals.browser({ client: 'side-by-side' }, both('bob'));
    const message = await renewals.settled('auto', { client_id: 'side-by-side' });
    const conversation = message.remote_conversation_id;
    await renewals.browser({ client: 'side-by-side', conversation, account: 'bob' }, both('bob'));
    edge.now += 1_000;
    await renewals.browser({ client: 'side-by-side', conversation, account: 'ann' }, both('bob'));
    await renewals.tick();
    const job = await renewals.jobOf(message.message_id);
    expect(job.status).toBe('running');
    expect(await renewals.commandOf(job)).toMatchObject({ body: { target: { account_fingerprint: 'bob' } } });
  });

  it('is not made active again by a tab of the other one', async () => {
    await renewals.browser({ client: 'reopened' }, both('bob'));
    const message = await renewals.settled('auto', { client_id: 'reopened' });
    const conversation = message.remote_conversation_id;
    await renewals.browser({ client: 'reopened', conversation, account: 'bob' }, both('bob'));
    edge.now += 1_000;
    await renewals.browser({ client: 'reopened' }, both('bob'));
    edge.now += 1_000;
    await renewals.browser({ client: 'reopened', conversation, account: 'ann' }, both('bob'));
    const isActive = async () => {
      const path = `/v1/renewal/links?remote_conversation_id=${conversation}`;
      return (await edge.data<{ items: Link[] }>('GET', path)).items.map((link) => link.is_active);
    };
    expect(await isActive()).toEqual([false]);
    edge.now += 1_000;
    await renewals.browser({ client: 'reopened', conversation, account: 'bob' }, both('bob'));
    expect(await isActive()).toEqual([true]);
  });

  it('is not used when its account was replaced in its container', async () => {
    await renewals.browser({ client: 'replaced' }, both('bob'));
    const message = await renewals.settled('auto', { client_id: 'replaced' });
    const conversation = message.remote_conversation_id;
    await renewals.browser({ client: 'replaced', conversation, account: 'bob' }, both('bob'));
    await renewals.browser({ client: 'replaced', conversation, account: 'eve' }, both('eve'));
    await renewals.tick();
    expect(await renewals.jobOf(message.message_id)).toMatchObject({
      status: 'pending',
      last_error: 'account_changed',
    });
  });
});

describe('a conversation in several browsers', () => {
  it('is renewed by the browser that is not stopped, even by an older link', async () => {
    const message = await renewals.settled('auto', { client_id: 'older' });
    const conversation = message.remote_conversation_id;
    await renewals.browser({ client: 'older', conversation });
    edge.now += 1;
    await renewals.browser(
      { node: OTHER_NODE, client: 'newer', conversation, tab_id: 9 },
      { stopped_reason: 'signed_out' },
    );
    await renewals.tick();
    expect((await renewals.jobOf(message.message_id)).target_snapshot).toMatchObject({ client_id: 'older' });
  });
});

describe('a platform that limits the rate', () => {
  it('gets no message of the conversation before the time that it names', async () => {
    const { command, message_id, local_conversation_id, remote_conversation_id } = await sentTo('limited');
    await renewals.respond(command, 'failed', { http_status: 429, retry_after_ms: 900_000 });
    const reset = edge.now + 900_000;
    expect(await renewals.jobOf(message_id)).toMatchObject({ last_error: 'rate_limited', next_attempt_at: reset });
    expect(await renewals.next(local_conversation_id)).toEqual({ due: false, at: reset, reason: 'rate_limited' });
    const next = await renewals.answered(remote_conversation_id);
    await renewals.tick();
    expect(await renewals.skipReason(next.message_id)).toBe('cooldown');
    edge.now = reset;
    await renewals.tick();
    expect((await renewals.jobOf(next.message_id)).status).toBe('running');
  });

  it('at every attempt makes the edge pause the conversation', async () => {
    const { message_id, job, local_conversation_id } = await sentTo('limited-always');
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      await renewals.respond(await renewals.commandOf(job), 'failed', { http_status: 429, retry_after_ms: 1_000 });
      edge.now = (await renewals.jobOf(message_id)).next_attempt_at ?? edge.now;
      await renewals.tick();
    }
    expect(await renewals.jobOf(message_id)).toMatchObject({ status: 'failed', last_error: 'rate_limited' });
    expect(await renewals.detail(local_conversation_id)).toMatchObject({ pause_reason: 'rate_limited' });
  });
});
