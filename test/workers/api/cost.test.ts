import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { Status } from '../../../schema/contracts/status.ts';
import { StatusSchema } from '../../../schema/contracts/status.ts';
import { rowsOf, TestEdge } from '../support/edge.ts';

const edge = new TestEdge();

/** The D1 rows that a call reads, by its log line. */
async function rowsRead(path: string): Promise<number> {
  expect((await edge.call('GET', path)).status).toBe(200);
  const rows = Number(edge.lines.at(-1)?.rows_read);
  expect(rows, path).toBeGreaterThan(0);
  return rows;
}

/** Stores finished messages, instructions, jobs, tasks, ticks, events and audit rows with these numbers. */
async function fill(from: number, to: number): Promise<void> {
  const numbers = `WITH RECURSIVE n(i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i < ${to - 1})`;
  await env.DB.batch(
    [
      `INSERT INTO messages (message_id, local_conversation_id, platform, remote_conversation_id, identity, text_hash,
        raw_text, role, controller_id, client_id, capture, block_errors, ingest_status, observed_at, received_at)
        ${numbers} SELECT 'msg_' || i, 'lc_1', 'claude', 'r', 'id:' || i, 'h' || i, 't', 'assistant', 'c', 'k',
        '{"source":"dom","other":"agrees"}', '[]', 'executed', i, i FROM n`,
      `INSERT INTO instructions (instruction_id, dedupe_key, message_id, local_conversation_id, controller_id,
        block_index, "index", target, tool, params, status, policy, timeout_ms, created_at, updated_at)
        ${numbers} SELECT printf('ins_%026d', i), 'd' || i, 'msg_' || i, 'lc_1', 'c', 0, 0, 'conductor', 'exec', '{}',
        'succeeded', '{"decision":"allow","rule":"r"}', 1, i, i FROM n`,
      `INSERT INTO renewal_jobs (job_id, local_conversation_id, message_id, status, payload, payload_kind,
        attempt_count, max_attempts, created_at, updated_at)
        ${numbers} SELECT printf('job_%026d', i), 'lc_1', 'msg_' || i, 'done', '{}', 'json', 1, 3, i, i FROM n`,
      `INSERT INTO tasks (task_id, status, task_type, title, goal, acceptance, priority, constraints, notify, hold_renewal,
        metadata, created_by, is_persons, has_own_steps, step_count, waits_for, current_step_index, created_at,
        finished_at, updated_at) ${numbers} SELECT printf('task_%026d', i), 'done', 'shell', 'title ' || i, 'g', '[]', 1,
        '{}', 0, 0, '{}', 'a', 1, 1, 0, 0, 0, i, i, i FROM n`,
      `INSERT INTO ticks (batch_id, "trigger", decision, started_at, finished_at, entries)
        ${numbers} SELECT 'tick_' || i, 'cron', 'scheduled', i, i + 5, '[]' FROM n`,
      `INSERT INTO event_batches (at, events) ${numbers} SELECT i, '[]' FROM n`,
      `INSERT INTO audit (at, actor, role, action, request_id) ${numbers} SELECT i, 'a', 'readonly', 'GET /', 'r' FROM n`,
    ].map((sql) => env.DB.prepare(sql)),
  );
}

describe('the cost of a read', () => {
  it('does not grow with the stored rows', async () => {
    const paths = [
      '/v1/status',
      '/v1/metrics',
      '/v1/system/state',
      '/v1/audit',
      '/v1/audit?actor=unknown',
      '/v1/events?wait_ms=0',
      '/v1/leader/terms',
      '/v1/search?q=msg_0',
      '/v1/search?q=a%20title%20of%20no%20task',
    ];
    await fill(0, 5_000);
    const few = new Map<string, number>();
    for (const path of paths) few.set(path, await rowsRead(path));
    await fill(5_000, 20_000);
    for (const path of paths) expect(await rowsRead(path), path).toBe(few.get(path));
    const status = await edge.data<Status>('GET', '/v1/status');
    expect(status.recent_messages).toHaveLength(20);
    expect(StatusSchema.parse(status), 'has documented fields only').toEqual(status);
    expect(await rowsOf('SELECT count(*) AS n FROM messages')).toEqual([{ n: 20_000 }]);
  });
});
