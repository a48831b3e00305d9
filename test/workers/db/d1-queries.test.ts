/** docs/d1-queries.md: each query runs as it is written there, on rows that the API made. */
import { env } from 'cloudflare:workers';
import { ulid } from 'ulid';
import { beforeAll, describe, expect, it } from 'vitest';
import page from '../../../docs/d1-queries.md?raw';
import { INSTRUCTION_STATES } from '../../../schema/contracts/instructions.ts';
import { ASKED, bringTo } from '../instructions/support.ts';
import { DESCRIBE } from '../support/conductor.ts';
import { NODE, rowsOf } from '../support/edge.ts';
import { Tasks } from '../tasks/support.ts';

interface Query {
  title: string;
  sql: string;
}

/** The queries of the page, each with the heading above it. */
const QUERIES: Query[] = page.split(/^## /m).flatMap((section) =>
  [...section.matchAll(/^```sql\n(.*?)^```/gms)].flatMap(([, block = '']) =>
    block
      .split(/;\n/)
      .filter((sql) => sql.trim() !== '')
      .map((sql) => ({ title: section.split('\n', 1)[0] ?? '', sql })),
  ),
);

/** What grows without end. Reading all of it is a mistake. */
const GROWING = ['messages', 'instructions', 'event_batches', 'journal_blocks', 'audit', 'artifacts', 'run_logs'];

/** The tables that grow and that a query reads from the first row to the last, under any name that it gives them. */
async function readWhole(sql: string): Promise<string[]> {
  const schema = await rowsOf<{ type: string; name: string; sql: string }>(
    "SELECT type, name, sql FROM sqlite_master WHERE type IN ('view', 'index') AND sql IS NOT NULL",
  );
  const views = schema.filter(({ type, name }) => type === 'view' && sql.includes(name)).map((view) => view.sql);
  const aliases = new Map(
    [...`${sql} ${views.join(' ')}`.matchAll(/(\w+) AS (\w+)/g)].map(([, of = '', as = '']) => [as, of]),
  );
  /** They hold the open rows only. */
  const partial = schema
    .filter(({ type, sql: made }) => type === 'index' && / WHERE /i.test(made))
    .map(({ name }) => name);
  const plan = await rowsOf<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`);
  return plan.flatMap(({ detail }) => {
    const [, name = '', index = ''] = /^SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?/.exec(detail) ?? [];
    if (detail.includes('VIRTUAL TABLE') || partial.includes(index)) return [];
    const table = aliases.get(name) ?? name;
    return GROWING.includes(table) ? [table] : [];
  });
}

const DAY_MS = 86_400_000;
const conductor = new Tasks();
let asked: Awaited<ReturnType<typeof bringTo>>;
let interrupted: Awaited<ReturnType<typeof bringTo>>;
beforeAll(async () => {
  await conductor.start();
  asked = await bringTo(conductor, [ASKED]);
  const ran = await bringTo(conductor, [DESCRIBE]);
  await conductor.result(ran.ids[0] ?? '', { duration_ms: 40 });
  interrupted = await bringTo(conductor, [DESCRIBE]);
  await conductor.result(interrupted.ids[0] ?? '', { status: 'interrupted' });
  await conductor.create();
  await conductor.complete(await conductor.claimed());
  await conductor.tick();
});

const ask = (view: string, where = 'true') => rowsOf<Record<string, unknown>>(`SELECT * FROM ${view} WHERE ${where}`);

describe('docs/d1-queries.md', () => {
  it('has at least fifteen queries, and one of each view', async () => {
    expect(QUERIES.length).toBeGreaterThanOrEqual(15);
    const views = await rowsOf<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'view'");
    expect(views.length).toBeGreaterThan(15);
    expect(views.filter(({ name }) => !QUERIES.some(({ sql }) => sql.includes(name)))).toEqual([]);
  });

  it.each(QUERIES)('the query runs, in "$title": $sql', async ({ sql }) => {
    const { results } = await env.DB.prepare(sql).all();
    expect(Array.isArray(results)).toBe(true);
  });

  it.each(QUERIES.filter(({ sql }) => !sql.includes('ops_rows')))(
    'the query reads no table that grows from end to end, in "$title": $sql',
    async ({ sql }) => {
      expect(await readWhole(sql)).toEqual([]);
    },
  );

  it('a read of a whole table is noticed, also under another name', async () => {
    expect(await readWhole('SELECT count(*) FROM messages')).toEqual(['messages']);
    expect(await readWhole("SELECT x.target FROM instructions AS x WHERE x.status = 'failed'")).toEqual([
      'instructions',
    ]);
    expect(await readWhole('SELECT * FROM ops_rows')).toEqual(expect.arrayContaining(['messages', 'audit']));
  });

  it('names only statuses of instructions that there are', () => {
    const named = QUERIES.flatMap(({ sql }) => [...sql.matchAll(/status IN \(([^)]*)\)/g)])
      .flatMap(([, list = '']) => list.split(', '))
      .map((status) => status.replaceAll("'", ''));
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((status) => !(INSTRUCTION_STATES as readonly string[]).includes(status))).toEqual([]);
  });
});

describe('the views for operators', () => {
  it('an approval that waits is among what waits for a person, with what would run', async () => {
    expect(await ask('ops_waiting')).toMatchObject([
      { kind: 'approval', id: asked.ids[0], what: 'argv: ["true"]', since: expect.stringMatching(/^\d{4}-\d\d-\d\d /) },
    ]);
  });

  it('a paused system, a blocked task, a paused conversation and a stopped browser wait too', async () => {
    const stopped = JSON.stringify([{ platform: 'claude', stopped_reason: 'security_challenge' }]);
    const { task_id } = await conductor.create();
    await conductor.automation(interrupted.local_conversation_id, 'paused');
    await conductor.mode('pause');
    await env.DB.batch([
      env.DB.prepare("UPDATE tasks SET status = 'blocked' WHERE task_id = ?").bind(task_id),
      env.DB.prepare(
        "INSERT INTO clients (client_id, controller_id, connected, platforms, updated_at) VALUES ('stopped', 'n', 1, ?, 1)",
      ).bind(stopped),
    ]);
    const waiting = await ask('ops_waiting', "kind <> 'approval'");
    expect(waiting.map(({ kind, id, what }) => [kind, id, what]).sort()).toEqual([
      ['browser', 'stopped', 'claude: security_challenge'],
      ['conversation', interrupted.local_conversation_id, 'user_pause'],
      ['system', 'mode', 'paused'],
      ['task', task_id, 'a task'],
    ]);
    expect(await ask('ops_conversations', `local_conversation_id = '${asked.local_conversation_id}'`)).toMatchObject([
      { not_due_because: 'system_paused' },
    ]);
    await conductor.mode('resume');
  });

  it('a conversation shows what keeps its newest message from being renewed', async () => {
    const reasons = async () => {
      const rows = await ask('ops_conversations');
      return Object.fromEntries(rows.map((row) => [row.local_conversation_id, row.not_due_because]));
    };
    expect(await reasons()).toMatchObject({
      [asked.local_conversation_id]: 'automation_manual',
      [interrupted.local_conversation_id]: 'user_pause',
    });
    await conductor.automation(asked.local_conversation_id, 'auto');
    await env.DB.prepare(
      'UPDATE local_conversations SET cooldown_until = ?, cooldown_reason = ? WHERE local_conversation_id = ?',
    )
      .bind(conductor.edge.now, 'rate_limited', asked.local_conversation_id)
      .run();
    expect(await reasons()).toMatchObject({ [asked.local_conversation_id]: 'rate_limited' });
  });

  it('an interrupted instruction is listed with its call and its node', async () => {
    expect(await ask('ops_interrupted')).toMatchObject([
      { instruction_id: interrupted.ids[0], call: 'conductor::describe', node: NODE },
    ]);
  });

  it('instructions of a day are counted by status and rule, and those of more than 30 days ago are not read', async () => {
    const today = await ask('ops_instructions_by_day', "status = 'succeeded'");
    expect(today).toMatchObject([{ rule: 'test', call: 'conductor::describe', instructions: 1, avg_ms: 40 }]);
    const now = Date.now();
    const copy = (id: string) =>
      env.DB.prepare(
        `INSERT INTO instructions (instruction_id, dedupe_key, message_id, local_conversation_id, controller_id, block_index,
          "index", target, tool, params, status, policy, timeout_ms, created_at, updated_at)
        VALUES (?1, ?1, ?1, 'lc', 'n', 0, 0, 'conductor', 'exec', '{}', 'failed', '{}', 1, 1, 1)`,
      ).bind(id);
    const [old, recent] = [31, 29].map((days) => `ins_${ulid(now - days * DAY_MS).toLowerCase()}`);
    await env.DB.batch([copy(old ?? ''), copy(recent ?? '')]);
    expect((await ask('ops_instructions', "status = 'failed'")).map((row) => row.instruction_id)).toEqual([recent]);
  });

  it('renewals of an hour are the growth of its counters', async () => {
    const hour = Date.UTC(2030, 0, 1, 10);
    const row = (at: number, counts: object) =>
      env.DB.prepare('INSERT INTO hourly_counters (hour, event_seq, counts) VALUES (?, 1, ?)').bind(
        at,
        JSON.stringify(counts),
      );
    await env.DB.batch([
      row(hour, { 'renewal_lateness/500': 10, 'renewal_lateness/30000': 2, 'd1/rows_read': 100 }),
      row(hour + 3_600_000, { 'renewal_lateness/500': 14, 'renewal_lateness/30000': 3, 'd1/rows_read': 150 }),
    ]);
    expect(await ask('ops_renewals_by_hour', "hour = '2030-01-01 11:00:00'")).toMatchObject([
      { sent: 5, over_10_s_late: 1, over_1_min_late: 0 },
    ]);
    expect(await ask('ops_usage_by_day', "day = '2030-01-01'")).toMatchObject([{ rows_read: 150 }]);
  });

  it('one damaged row fails no view', async () => {
    await env.DB.batch([
      env.DB.prepare("UPDATE instructions SET approval = '{', policy = '{' WHERE instruction_id = ?").bind(
        asked.ids[0],
      ),
      env.DB.prepare("UPDATE clients SET platforms = '[' WHERE client_id = 'stopped'"),
      env.DB.prepare("UPDATE event_batches SET events = '[' WHERE seq = 1"),
      env.DB.prepare("UPDATE ticks SET entries = '['"),
      env.DB.prepare("UPDATE hourly_counters SET counts = '{'"),
    ]);
    for (const { sql } of QUERIES) await rowsOf(sql);
    expect(await ask('ops_waiting', "kind = 'approval'")).toMatchObject([{ id: asked.ids[0], what: null }]);
  });

  it('the rows of each table are counted', async () => {
    const [messages] = await rowsOf<{ n: number }>('SELECT count(*) AS n FROM messages');
    expect(await ask('ops_rows', "table_name = 'messages'")).toEqual([
      { table_name: 'messages', row_count: messages?.n },
    ]);
    const tables = await rowsOf<{ name: string }>(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*' AND name NOT GLOB 'sqlite_*'",
    );
    const counted = (await ask('ops_rows')).map((row) => row.table_name);
    const uncounted = tables.map(({ name }) => name).filter((name) => !counted.includes(name));
    expect(uncounted.sort()).toEqual(['d1_migrations', 'fence', 'guard']);
  });
});
