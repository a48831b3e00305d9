import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { runTick } from '../../../workers/timed-jobs/run-tick.ts';
import { HASH } from '../instructions/support.ts';
import { NODE, rowsOf } from '../support/edge.ts';
import { Notified } from './support.ts';

const conductor = new Notified();
const { edge } = conductor;
const SECRET = 'a-secret-of-the-receiver';
beforeAll(() => conductor.lead());
// What earlier tests left waiting has been noticed.
beforeEach(async () => {
  edge.now += 3_600_000;
  await conductor.sendTo('accepts', { quiet_hours: null, time_zone: 'UTC', format: 'plain', secret: null });
  await conductor.tick();
});

const decide = (id: string) => edge.data('POST', `/v1/instructions/${id}/deny`, { body: { approval_hash: HASH } });
const newest = async () => (await conductor.notices()).sent[0];
const expiryOf = async (id: string) =>
  (await edge.data<{ approval_expires_at: number }>('GET', `/v1/instructions/${id}`)).approval_expires_at;

describe('a notice of an instruction that waits', () => {
  it('goes out once, names the instruction and its page, and says nothing of what would run', async () => {
    await conductor.sendTo('accepts', { secret: SECRET });
    const id = await conductor.ask();
    await conductor.tick();
    await conductor.later(2);
    const [first, ...more] = await conductor.received();
    expect(more).toEqual([]);
    expect(first?.body).toBe(`An instruction waits for approval: ${id}\nhttps://edge.test/instructions/${id}\n`);
    expect(first?.headers.authorization).toBe(`Bearer ${SECRET}`);
    expect(await newest()).toMatchObject({ cause: 'approval', object_id: id, state: 'accepted', attempt_count: 1 });
  });

  /** The job of a tick. Work that it leaves behind its response is collected. */
  async function looking() {
    const { notices } = await import('../../../workers/notices/notices.job.ts');
    const { openDatabase } = await import('../../../workers/db/open.ts');
    const deferred: Promise<void>[] = [];
    const run = () =>
      notices.run({
        env: edge.env,
        db: openDatabase(edge.env.DB),
        now: edge.now,
        hasRoom: () => true,
        defer: (work: Promise<void>) => void deferred.push(work),
      } as unknown as Parameters<typeof notices.run>[0]);
    return { run, settled: () => Promise.all(deferred) };
  }

  it('goes out once under two ticks at once', async () => {
    await conductor.sendTo('accepts');
    await conductor.ask();
    const { run, settled } = await looking();
    await edge.race(run, run, /INSERT INTO person_notices/);
    await settled();
    expect(await conductor.received()).toHaveLength(1);
  });

  it('is tried again once under two ticks at once', async () => {
    await conductor.sendTo('fails-once');
    await conductor.ask();
    await conductor.later(0);
    expect(await conductor.received()).toHaveLength(1);
    edge.now += 60_000;
    const { run, settled } = await looking();
    await edge.race(run, run, /UPDATE person_notices/);
    await settled();
    expect(await conductor.received()).toHaveLength(2);
  });

  it('is tried again after a failure, until it is accepted', async () => {
    await conductor.sendTo('fails-once');
    await conductor.ask();
    await conductor.tick();
    expect(await newest()).toMatchObject({ state: 'sent', last_error: 'http_500', due_at: edge.now + 60_000 });
    await conductor.later(0.5);
    expect(await conductor.received()).toHaveLength(1);
    await conductor.later(0.5);
    expect(await newest()).toMatchObject({ state: 'accepted', attempt_count: 2, last_error: null, due_at: null });
    await conductor.later(30);
    expect(await conductor.received()).toHaveLength(2);
  });

  it('fails after five tries within an hour', async () => {
    await conductor.sendTo('fails');
    await conductor.ask();
    const start = edge.now;
    await conductor.tick();
    for (const minutes of [0.9, 0.1, 4, 15, 34.9, 0.1, 4]) await conductor.later(minutes);
    const requests = await conductor.received();
    expect(requests).toHaveLength(5);
    expect(await newest()).toMatchObject({ state: 'failed', attempt_count: 5, last_error: 'http_500', due_at: null });
    expect(edge.now - start).toBeLessThan(3_600_000);
  });

  it('is not tried again when the instruction does not wait any more', async () => {
    await conductor.sendTo('fails');
    const id = await conductor.ask();
    await conductor.tick();
    await decide(id);
    await conductor.later(5);
    expect(await conductor.received()).toHaveLength(1);
    expect(await newest()).toMatchObject({ state: 'sent', due_at: null, ended_at: edge.now });
  });

  it('follows no redirect', async () => {
    await conductor.sendTo('redirects');
    await conductor.ask();
    await conductor.tick();
    expect(await newest()).toMatchObject({ state: 'sent', last_error: 'redirect' });
    expect(await conductor.received(conductor.path.replace('redirects', 'accepts'))).toEqual([]);
  });

  it('waits for the end of quiet hours over midnight, by the clock of their zone', async () => {
    await conductor.sendTo('accepts', { quiet_hours: { from: '22:00', to: '07:00' }, time_zone: 'Asia/Shanghai' });
    // 23:30 in Shanghai, on the next day that is not over.
    edge.now = Math.ceil(edge.now / 86_400_000) * 86_400_000 + 15.5 * 3_600_000;
    await conductor.heard(NODE);
    const browser = await stopBrowser('quiet-browser');
    await conductor.tick();
    await conductor.later(7 * 60 + 29);
    expect(await conductor.received()).toEqual([]);
    expect((await conductor.notices()).waiting).toBe(1);
    await conductor.later(1);
    expect((await conductor.received()).map(({ body }) => body.split('\n')[0])).toEqual([
      `A browser is stopped: ${browser}`,
    ]);
  });
});

async function stopBrowser(client_id: string): Promise<string> {
  const platforms = [{ platform: 'claude', login: 'lost', fingerprint: null, hooks: [], stopped_reason: 'signed_out' }];
  const body = { connected: true, platforms, tabs: [] };
  await edge.data('PUT', `/v1/controllers/${NODE}/clients/${client_id}`, { token: await conductor.token(), body });
  return client_id;
}

describe('what else waits for a person', () => {
  const bodies = async () => (await conductor.received()).map(({ body }) => body.split('\n')[0]);

  it('a conversation that its breaker paused and a blocked task have a notice each, and one more when it happens again', async () => {
    await conductor.sendTo('accepts');
    const { local_conversation_id } = await conductor.bring(conductor.message({ remote_conversation_id: 'broken' }));
    const breakIt = () =>
      rowsOf(
        `UPDATE local_conversations SET automation_status = 'paused', pause_reason = 'no_progress', paused_at = ?
          WHERE local_conversation_id = ?`,
        edge.now,
        local_conversation_id,
      );
    const { task_id } = await edge.data<{ task_id: string }>('POST', '/v1/tasks', {
      body: {
        task_type: 'shell',
        title: 'secret title',
        goal: 'x',
        steps: [{ kind: 'shell', name: 'one', input: { argv: ['true'] } }],
      },
    });
    await rowsOf("UPDATE tasks SET status = 'blocked', updated_at = ? WHERE task_id = ?", edge.now, task_id);
    await breakIt();
    await conductor.tick();
    await conductor.later(3);
    expect((await bodies()).toSorted()).toEqual([
      `A conversation was paused after failures: ${local_conversation_id}`,
      `A step of a task waits for a person: ${task_id}`,
    ]);
    await conductor.automation(local_conversation_id, 'resume');
    await conductor.later(1);
    await breakIt();
    await conductor.later(1);
    expect(await bodies()).toHaveLength(3);
  });

  it('a pause by a person is no news', async () => {
    await conductor.sendTo('accepts');
    const { local_conversation_id } = await conductor.bring(conductor.message({ remote_conversation_id: 'by hand' }));
    await conductor.automation(local_conversation_id, 'paused');
    await conductor.tick();
    expect(await bodies()).toEqual([]);
  });

  it('a system without a leader is news after a minute, not in the gap between two leaders', async () => {
    await conductor.sendTo('accepts');
    const leader = await edge.data<{ term: number }>('GET', '/v1/leader');
    const body = { controller_id: NODE, term: leader.term };
    await edge.data('POST', '/v1/leader/release', { token: await conductor.token(), body });
    await conductor.tick();
    await conductor.lead();
    await conductor.later(2);
    expect(await bodies()).toEqual([]);
    const { term } = await edge.data<{ term: number }>('GET', '/v1/leader');
    await edge.data('POST', '/v1/leader/release', { token: await conductor.token(), body: { ...body, term } });
    await conductor.tick();
    await conductor.later(1);
    await conductor.later(1);
    expect(await bodies()).toEqual(['No node leads: leader']);
    await conductor.lead();
  });
});

describe('when an approval expires', () => {
  const MINUTE_MS = 60_000;

  it('without notices: fifteen minutes after the ask', async () => {
    await conductor.put({ address: null });
    const id = await conductor.ask();
    await conductor.tick();
    expect((await expiryOf(id)) - edge.now).toBe(15 * MINUTE_MS);
  });

  it('with an accepted notice: fifteen minutes after that', async () => {
    await conductor.sendTo('fails-once');
    const id = await conductor.ask();
    await conductor.tick();
    expect((await expiryOf(id)) - edge.now).toBe(60 * MINUTE_MS);
    await conductor.later(1);
    // The request itself takes some milliseconds of the real clock.
    expect(Math.floor(((await expiryOf(id)) - edge.now) / MINUTE_MS)).toBe(15);
    await conductor.later(14);
    expect(await statusOf(id)).toBe('awaiting_approval');
    await conductor.later(2);
    expect(await statusOf(id)).toBe('expired');
  });

  it('with a notice that is not accepted: an hour after the ask, also when no tick ran for a while', async () => {
    await conductor.sendTo('fails');
    const id = await conductor.ask();
    await conductor.later(20);
    expect(await statusOf(id)).toBe('awaiting_approval');
    await conductor.later(39);
    expect(await statusOf(id)).toBe('awaiting_approval');
    await conductor.later(1);
    expect(await statusOf(id)).toBe('expired');
  });

  const statusOf = async (id: string) => (await edge.data<{ status: string }>('GET', `/v1/instructions/${id}`)).status;
});

describe('the address and the secret', () => {
  it('are in no response, log line, audit row or column', async () => {
    const logged = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    const failed = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const shown = await conductor.sendTo('fails', { secret: SECRET });
    await conductor.ask();
    await conductor.tick();
    const secrets = [SECRET, conductor.path];
    const tables = ['notice_settings', 'person_notices', 'audit', 'event_batches', 'ticks', 'idempotency_keys'];
    const rows = await Promise.all(tables.map((table) => rowsOf(`SELECT * FROM ${table}`)));
    const all = JSON.stringify([
      shown,
      await conductor.notices(),
      edge.lines,
      rows,
      logged.mock.calls,
      failed.mock.calls,
    ]);
    vi.restoreAllMocks();
    for (const secret of secrets) expect(all).not.toContain(secret);
    expect(shown.settings).toMatchObject({ has_secret: true, address_origin: expect.stringMatching(/^http:\/\/127/) });
  });

  it('the secret is kept for another path of the same origin, and not for another origin', async () => {
    await conductor.sendTo('accepts', { secret: SECRET });
    expect((await conductor.sendTo('accepts')).settings?.has_secret).toBe(true);
    expect((await conductor.put({ format: 'ntfy' })).settings).toMatchObject({ has_secret: true, format: 'ntfy' });
    const other = await conductor.put({ address: 'https://ntfy.sh/another' });
    expect(other.settings).toMatchObject({ has_secret: false, address_origin: 'https://ntfy.sh' });
  });

  it.each(['http://example.org/x', 'https://10.0.0.1/', 'https://localhost../'])(
    '%s is refused as an address',
    async (address) => {
      const refused = await edge.error('PUT', '/v1/notices', { body: { address } });
      expect(refused).toMatchObject({ status: 400, error: 'invalid_request', details: { field: 'address' } });
    },
  );

  it('nodes read the hours without notices, and nothing of where they are sent', async () => {
    const quiet_hours = { from: '22:00', to: '07:00' };
    await conductor.sendTo('accepts', { quiet_hours, time_zone: 'Asia/Shanghai' });
    const { token } = await edge.mint('controller');
    const hours = await edge.data('GET', '/v1/notices/hours', { token });
    expect(hours).toEqual({ quiet_hours, time_zone: 'Asia/Shanghai', waiting: expect.any(Array) });
    expect(await edge.error('GET', '/v1/notices', { token })).toMatchObject({ status: 403 });
    await conductor.put({ quiet_hours: null, time_zone: 'UTC' });
  });

  it('a test notice says whether the receiver accepts it, and why not', async () => {
    const test = () => edge.data('POST', '/v1/notices/test', { body: {} });
    await conductor.sendTo('accepts', { language: 'zh' });
    expect(await test()).toEqual({ state: 'accepted', error: null });
    expect((await conductor.received())[0]?.body).toBe('通知测试\nhttps://edge.test/settings\n');
    await conductor.sendTo('redirects', { language: 'en' });
    expect(await test()).toEqual({ state: 'failed', error: 'redirect' });
  });
});

describe('work that goes beyond a tick', () => {
  it('holds up neither the response of the tick nor the next tick', async () => {
    const runners = [
      {
        name: 'slow',
        ordinary: false,
        queries: { base: 0 },
        run: async ({ defer }: { defer(work: Promise<void>): void }) => {
          defer(new Promise(() => undefined));
          return 'ok';
        },
      },
    ];
    const request = { trigger: 'manual', scheduledTime: null, now: edge.now } as const;
    const taken: Promise<unknown>[] = [];
    const deps = { runners, log: () => undefined, waitUntil: (work: Promise<unknown>) => void taken.push(work) };
    const ticks = [await runTick(edge.env, request, deps), await runTick(edge.env, request, deps)];
    expect(ticks.map(({ decision }) => decision)).toEqual(['scheduled', 'scheduled']);
    expect(taken).toHaveLength(2);
  });
});
