/** What is counted, from the request that changes it to the numbers of `/v1/metrics` and `/v1/stats`. */
import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Stats } from '../../../schema/contracts/stats.ts';
import { COUNTER } from '../../../schema/domain/counters.ts';
import { hourOf, storeCounts } from '../../../workers/db/counters.ts';
import { Meter } from '../../../workers/db/meter.ts';
import { openDatabase, runBatch } from '../../../workers/db/open.ts';
import { counters } from '../../../workers/system/counters.job.ts';
import { Renewals } from '../renewal/support.ts';
import { EXEC, instructionsOf } from '../support/conductor.ts';
import { NODE, rowsOf } from '../support/edge.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const renewals = new Renewals();
const { edge } = renewals;

beforeAll(async () => {
  edge.now = Math.ceil(edge.now / DAY_MS) * DAY_MS + 10 * HOUR_MS;
  await renewals.lead();
});

async function metric(name: string): Promise<number> {
  const { text } = await edge.call('GET', '/v1/metrics');
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  if (line === undefined) throw new Error(`no metric ${name}`);
  return Number(line.slice(name.length + 1));
}

/** How much the metrics grow meanwhile. */
async function growth(names: readonly string[], act: () => Promise<unknown>): Promise<number[]> {
  const before: number[] = [];
  for (const name of names) before.push(await metric(name));
  await act();
  const after: number[] = [];
  for (const name of names) after.push(await metric(name));
  return after.map((value, at) => value - (before[at] ?? 0));
}

const stats = (query = '') => edge.data<Stats>('GET', `/v1/stats${query}`);
const reply = (messageId: string, outcome: string) =>
  renewals.act(`/v1/messages/${messageId}/reply`, { outcome, reason: null, attempt: 1 });
const counted = () =>
  rowsOf<{ hour: number; event_seq: number; counts: string }>('SELECT * FROM hourly_counters ORDER BY hour');

describe('a counter', () => {
  it('has the end of instructions and the outcome of their reply at once, and once, before and after a tick', async () => {
    const names = [
      'conductor_instructions_ended_total{status="succeeded"}',
      'conductor_instructions_ended_total{status="failed"}',
      'conductor_instructions_ended_total{status="denied"}',
      'conductor_deliveries_total{kind="reply",outcome="delivered"}',
    ];
    const run = async () => {
      const denied = { ...EXEC, policy: { decision: 'deny', rule: 'test' } as const };
      const asked = instructionsOf(EXEC, EXEC, denied);
      const { message_id, instructions } = await renewals.bring(renewals.message({ instructions: asked }));
      await renewals.result(instructions[0]?.instruction_id ?? '');
      await renewals.result(instructions[1]?.instruction_id ?? '', { status: 'failed', error_code: 'exit_code' });
      await reply(message_id, 'delivered');
    };
    expect(await growth(names, run)).toEqual([1, 1, 1, 1]);
    expect(await growth(names, () => renewals.tick())).toEqual([0, 0, 0, 0]);
    expect(await growth(names, () => renewals.tick())).toEqual([0, 0, 0, 0]);
  });

  it('has each attempt of a renewal by how it ended, and how late it left', async () => {
    const names = [
      'conductor_deliveries_total{kind="renewal",outcome="delivered"}',
      'conductor_deliveries_total{kind="renewal",outcome="failed"}',
      'conductor_deliveries_total{kind="renewal",outcome="uncertain"}',
      'conductor_renewal_lateness_seconds_count',
      'conductor_renewal_lateness_seconds_bucket{le="5"}',
      'conductor_renewal_lateness_seconds_bucket{le="60"}',
    ];
    const run = async () => {
      const { message_id } = await renewals.settled();
      await renewals.project();
      edge.now += 42_000;
      await renewals.tick();
      await renewals.respond(await renewals.commandOf(await renewals.jobOf(message_id)), 'failed');
      edge.now += 10 * 60_000;
      await renewals.tick();
      await renewals.respond(await renewals.commandOf(await renewals.jobOf(message_id)), 'uncertain');
      // The node is asked, and has found it.
      await renewals.respond(await renewals.commandOf(await renewals.jobOf(message_id)), 'delivered');
    };
    const [delivered, failed, uncertain, sent, within5s, within60s] = await growth(names, run);
    expect([delivered, failed, uncertain, sent]).toEqual([1, 1, 0, 2]);
    expect([within5s, within60s]).toEqual([0, 1]);
  });

  it('counts a commit once, when two ticks have read the same', async () => {
    const { message_id } = await renewals.bring(renewals.message());
    await renewals.tick({ runners: [counters] });
    const [before] = (await counted()).slice(-1);
    await reply(message_id, 'failed');
    const db = openDatabase(env.DB);
    const after = before?.event_seq ?? 0;
    const same = () => storeCounts(db, hourOf(edge.now), { twice: 1 }, { after, to: after + 1 });
    await runBatch(db, [same()]);
    await runBatch(db, [same()]);
    const [stored] = (await counted()).slice(-1);
    expect([stored?.event_seq, JSON.parse(stored?.counts ?? '{}').twice]).toEqual([after + 1, 1]);
    await rowsOf('UPDATE hourly_counters SET event_seq = ? WHERE hour = ?', after, stored?.hour ?? 0);
  });
});

describe('the counters of an hour', () => {
  it('begin where those of the hour before ended, and a late commit goes into the hour that has begun', async () => {
    await renewals.tick({ runners: [counters] });
    const [before] = (await counted()).slice(-1);
    const { message_id } = await renewals.bring(renewals.message());
    await reply(message_id, 'uncertain');
    edge.now += HOUR_MS;
    const next = await renewals.bring(renewals.message());
    await reply(next.message_id, 'uncertain');
    // A commit of an edge whose clock is behind.
    edge.now -= HOUR_MS;
    const late = await renewals.bring(renewals.message());
    await reply(late.message_id, 'uncertain');
    edge.now += HOUR_MS;
    for (let n = 0; n < 3; n += 1) await renewals.tick({ runners: [counters] });
    const rows = await counted();
    const uncertain = rows.slice(-2).map(({ counts }) => JSON.parse(counts)['deliveries/reply/uncertain']);
    const first = JSON.parse(before?.counts ?? '{}')['deliveries/reply/uncertain'] ?? 0;
    expect(uncertain).toEqual([first + 1, first + 3]);
    const { hours } = await stats('?hours=2');
    const ofReply = hours.map(({ hour, deliveries }) => [
      hour,
      deliveries.find(({ kind, outcome }) => kind === 'reply' && outcome === 'uncertain')?.count ?? 0,
    ]);
    expect(ofReply).toEqual([
      [hourOf(edge.now) - HOUR_MS, 1],
      [hourOf(edge.now), 2],
    ]);
  });
});

describe('the meter of an isolate', () => {
  it('gives out what it has counted at once, and then at most once a minute', () => {
    const meter = new Meter();
    expect(meter.take(1_000)).toBeNull();
    meter.add({ a: 1 });
    meter.add({ a: 2, b: 1 });
    expect(meter.take(2_000)).toEqual({ a: 3, b: 1 });
    meter.add({ a: 5 });
    expect(meter.take(61_999)).toBeNull();
    expect(meter.take(62_000)).toEqual({ a: 5 });
    expect(meter.take(200_000)).toBeNull();
  });
});

describe('the rows of a day', () => {
  it('are what its hours have added, and the day under way has what was added so far', async () => {
    const db = openDatabase(env.DB);
    const today = Math.floor(edge.now / DAY_MS) * DAY_MS;
    edge.now = today + 3 * DAY_MS + 5 * HOUR_MS;
    const day = today + 2 * DAY_MS;
    const add = (at: number, read: number) =>
      runBatch(db, [storeCounts(db, hourOf(at), { [COUNTER.rows_read]: read, [COUNTER.rows_written]: read / 10 })]);
    await add(day + HOUR_MS, 100);
    await add(day + 23 * HOUR_MS, 50);
    await add(day + DAY_MS + HOUR_MS, 70);
    const { days, free_plan } = await stats('?days=2');
    expect(days).toEqual([
      { day, rows_read: 150, rows_written: 15 },
      { day: day + DAY_MS, rows_read: 70, rows_written: 7 },
    ]);
    expect(free_plan).toEqual({ rows_read: 5_000_000, rows_written: 100_000 });
  });
});

describe('the numbers for pictures', () => {
  it('are refused for more hours than are shown, by the name of the field', async () => {
    expect(await edge.error('GET', '/v1/stats?hours=1000')).toMatchObject({ status: 400, details: { field: 'hours' } });
  });

  it('cost the same rows for a year of counters as for a few hours', async () => {
    const rowsRead = async () => {
      await stats();
      return Number(edge.lines.at(-1)?.rows_read);
    };
    await renewals.tick({ runners: [counters] });
    const few = await rowsRead();
    await rowsOf(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 8000)
       INSERT OR IGNORE INTO hourly_counters (hour, event_seq, counts) SELECT ? - i * 3600000, 0, '{}' FROM n`,
      hourOf(edge.now),
    );
    const many = await rowsRead();
    // The counters of each hour and day that is shown, and the one before them; not those of the year.
    expect(few).toBeGreaterThan(20);
    expect(many).toBeLessThan(few + 100);
  });
});

it('an instruction that is blocked is counted, also one that its message brought', async () => {
  const stopped = ['conductor_instructions_stopped_total{status="blocked"}'];
  await renewals.mode('pause');
  const bring = () => renewals.bring(renewals.message({ instructions: instructionsOf(EXEC) }));
  expect(await growth(stopped, bring)).toEqual([1]);
  await renewals.mode('resume');
});

it('browsers that are stopped or hold back after failures, and refused rows of an outbox, are among the metrics', async () => {
  await renewals.browser({ client: 'firefox-9' }, { stopped_reason: 'signed_out', slots: { breaker: 'open' } });
  const metadata = { outbox_depth: 1, outbox_refused: 2 };
  await renewals.act('/v1/controllers/heartbeat', {
    host: 'mini',
    role: 'primary',
    priority: 1,
    status: 'standby',
    metadata,
  });
  const of = 'client_id="firefox-9",platform="chatgpt"';
  expect(await metric(`conductor_browser_stopped{${of},reason="signed_out"}`)).toBe(1);
  expect(await metric(`conductor_delivery_breaker_open{${of}}`)).toBe(1);
  expect(await metric(`conductor_outbox_refused{controller_id="${NODE}"}`)).toBe(2);
});

it('a browser that was just heard of is among the metrics, however many of another month are stored', async () => {
  await rowsOf(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
     INSERT INTO clients (client_id, controller_id, connected, platforms, updated_at)
     SELECT 'a-' || i, 'gone', 0, '[]', 1 FROM n`,
  );
  await renewals.browser({ client: 'firefox-9' }, { stopped_reason: 'signed_out' });
  const before = edge.lines.length;
  expect(await metric('conductor_browser_stopped{client_id="firefox-9",platform="chatgpt",reason="signed_out"}')).toBe(
    1,
  );
  expect(Number(edge.lines.slice(before).at(-1)?.rows_read)).toBeLessThan(200);
});
