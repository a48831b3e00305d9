import { env } from 'cloudflare:workers';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { timedJobs } from '../../../durable-objects/stubs.ts';
import { RETENTION } from '../../../schema/defaults.ts';
import { retention } from '../../../workers/timed-jobs/retention.job.ts';
import { Conductor, entriesOf } from '../support/conductor.ts';
import { rowsOf } from '../support/edge.ts';

const conductor = new Conductor();
const { edge } = conductor;
beforeAll(() => conductor.lead());
beforeEach(async () => {
  for (const table of ['event_batches', 'commands', 'ticks', 'idempotency_keys']) await rowsOf(`DELETE FROM ${table}`);
});

const addEvents = (count: number, at: number) =>
  rowsOf(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
     INSERT INTO event_batches (at, events) SELECT ?, '[]' FROM n`,
    count,
    at,
  );
const addCommand = (id: string, status: string, created_at: number) =>
  rowsOf(
    `INSERT INTO commands (command_id, controller_id, kind, body, status, created_at, expires_at)
     VALUES (?, 'mini-main', 'client.resume', '{}', ?, ?, ?)`,
    id,
    status,
    created_at,
    created_at,
  );
const count = async (table: string) => (await rowsOf(`SELECT 1 FROM ${table}`)).length;
/** Whether the next tick is due at once. */
const tick = async () => {
  await conductor.tick({ runners: [retention] });
  return (await timedJobs(env).read()).next_due_at === edge.now;
};

describe('retention', () => {
  it('deletes the oldest rows that are kept no longer, at most 200 in a tick', async () => {
    await addEvents(250, edge.now - RETENTION.event_ms - 1);
    await addEvents(3, edge.now - RETENTION.event_ms);
    expect(await tick()).toBe(false);
    expect(await count('event_batches')).toBe(53);
    expect(await tick()).toBe(false);
    expect(await count('event_batches')).toBe(3);
    await tick();
    expect(await count('event_batches')).toBe(3);
  });

  it('keeps commands that are still open, however old', async () => {
    const old = edge.now - RETENTION.event_ms - 1;
    for (const status of ['done', 'pending', 'received', 'expired', 'refused']) {
      await addCommand(`cmd_${status}`, status, old);
    }
    await addCommand('cmd_young', 'done', old + 1);
    await tick();
    expect(await rowsOf('SELECT command_id FROM commands ORDER BY command_id')).toEqual([
      { command_id: 'cmd_pending' },
      { command_id: 'cmd_received' },
      { command_id: 'cmd_young' },
    ]);
  });

  it('deletes grants that were made more than 30 days ago', async () => {
    for (const [id, created_at] of [
      ['grant_old', edge.now - 30 * 86_400_000 - 1],
      ['grant_young', edge.now - 30 * 86_400_000],
    ] as const) {
      await rowsOf(
        `INSERT INTO grants (grant_id, local_conversation_id, controller_id, argv, further_items, folder, max_uses,
          created_by, created_at, expires_at) VALUES (?, 'lc_1', 'mini-main', '["true"]', 0, '/w', 1, 'a', ?, ?)`,
        id,
        created_at,
        created_at + 60_000,
      );
    }
    await tick();
    expect(await rowsOf('SELECT grant_id FROM grants')).toEqual([{ grant_id: 'grant_young' }]);
  });

  it('reaches what lies behind more rows than a tick deletes that are never deleted', async () => {
    const old = edge.now - RETENTION.person_notice_ms - 1;
    const add = (from: number, count: number, ended_at: number | null) =>
      rowsOf(
        `WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i < ?)
         INSERT INTO person_notices (notice_id, cause, object_id, part, since, state, attempt_count, created_at, ended_at)
         SELECT printf('ntc_%05d', i), 'approval', 'ins_' || i, '', 0, 'accepted', 1, ?, ? FROM n`,
        from,
        from + count - 1,
        old,
        ended_at,
      );
    await add(0, 201, null);
    await add(201, 2, old);
    await tick();
    expect(await count('person_notices')).toBe(201);
    expect(await rowsOf('SELECT notice_id FROM person_notices WHERE ended_at IS NOT NULL')).toEqual([]);
    await rowsOf('DELETE FROM person_notices');
  });

  it('takes the table that is longest overdue first, and the next one in a tick of its own', async () => {
    await addEvents(1, edge.now - RETENTION.event_ms - 1_000);
    await addEvents(1, edge.now);
    await addCommand('cmd_old', 'done', edge.now - RETENTION.event_ms - 2_000);
    expect(await tick()).toBe(true);
    expect([await count('commands'), await count('event_batches')]).toEqual([0, 2]);
    expect(await tick()).toBe(false);
    expect([await count('commands'), await count('event_batches')]).toEqual([0, 1]);
  });

  it('keeps the newest events, however old, so that their number is not given again', async () => {
    await addEvents(2, edge.now - RETENTION.event_ms - 1);
    const [newest] = await rowsOf<{ seq: number }>('SELECT max(seq) AS seq FROM event_batches');
    for (let n = 0; n < 2; n += 1) await tick();
    expect(await rowsOf('SELECT seq FROM event_batches')).toEqual([newest]);
    await addEvents(1, edge.now);
    expect(await rowsOf('SELECT max(seq) AS seq FROM event_batches')).toEqual([{ seq: (newest?.seq ?? 0) + 1 }]);
  });

  it('is idle when only rows are too old that it never deletes', async () => {
    await addEvents(1, edge.now - RETENTION.event_ms - 1);
    await addCommand('cmd_open', 'pending', edge.now - RETENTION.event_ms - 1);
    const { batch_id } = await conductor.tick({ runners: [retention] });
    expect(await entriesOf(batch_id)).not.toContain('retention runner_completed ok');
  });
});
