import { evictDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { leaderLease } from '../../../durable-objects/stubs.ts';
import type { RestoreCheckResponse } from '../../../schema/contracts/system.ts';
import { Conductor, EXEC, instructionsOf } from '../support/conductor.ts';
import { ENTRIES, EVENTS, rowsOf } from '../support/edge.ts';
import { freshEdge, leaseStub, modeStub, muteLog } from './support.ts';

const TTL_SEC = 30;
let conductor: Conductor;
beforeEach(async () => {
  await freshEdge();
  conductor = new Conductor();
  await conductor.token();
});

type Rows = Record<string, unknown>[];

/** All rows of D1, for a later restore. */
async function bookmark(): Promise<() => Promise<void>> {
  const tables = await rowsOf<{ name: string }>(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_cf%' ESCAPE '\\' AND name NOT LIKE 'd1%'",
  );
  const kept: [string, Rows][] = [];
  for (const { name } of tables) kept.push([name, await rowsOf<Record<string, unknown>>(`SELECT * FROM "${name}"`)]);
  return async () => {
    await env.DB.batch(
      kept.flatMap(([name, rows]) => [
        env.DB.prepare(`DELETE FROM "${name}"`),
        ...rows.map((row) => {
          const columns = Object.keys(row).map((column) => `"${column}"`);
          const places = columns.map(() => '?');
          return env.DB.prepare(`INSERT INTO "${name}" (${columns.join()}) VALUES (${places.join()})`).bind(
            ...Object.values(row),
          );
        }),
      ]),
    );
  };
}

const check = (body: { force?: boolean } = {}) =>
  conductor.edge.data<RestoreCheckResponse>('POST', '/v1/system/restore-check', { body });
const fence = async () =>
  (await rowsOf<{ term: number; mode_version: number; epoch: number }>('SELECT * FROM fence WHERE id = 1'))[0];
const acquire = (controller_id: string) => leaderLease(env).acquire({ controller_id, host: 'h', ttl_sec: TTL_SEC });
const NOTHING = { instructions: 0, renewal_jobs: 0, tasks: 0, commands: 0 };

const insertJob = (id: string, status: string, more: { next_attempt_at?: number; deadline_at?: number }) =>
  env.DB.prepare(
    `INSERT INTO renewal_jobs (job_id, local_conversation_id, message_id, status, payload, payload_kind, attempt_count,
      max_attempts, next_attempt_at, deadline_at, created_at, updated_at) VALUES (?, 'lc', ?, ?, 'x', 'text', 1, 3, ?, ?, 1, 1)`,
  ).bind(id, `msg-${id}`, status, more.next_attempt_at ?? null, more.deadline_at ?? null);
const insertCommand = (id: string, status: string) =>
  env.DB.prepare(
    `INSERT INTO commands (command_id, controller_id, kind, body, status, created_at, expires_at)
     VALUES (?, 'mini-main', 'delivery.query', '{}', ?, 1, ?)`,
  ).bind(id, status, conductor.edge.now + 60_000);

describe('restore-check of a database that was not restored', () => {
  it('does nothing, also when repeated', async () => {
    await acquire('mini-main');
    await conductor.mode('pause');
    await conductor.mode('resume');
    const { instructions } = await conductor.bring(conductor.message({ instructions: instructionsOf(EXEC) }));
    const before = await fence();
    for (const _ of [1, 2]) {
      expect(await check()).toMatchObject({ restored: false, quarantined: NOTHING, more: false });
    }
    expect(await fence()).toEqual(before);
    expect(instructions[0]?.status).toBe('claimed');
    expect(await rowsOf("SELECT 1 FROM instructions WHERE status = 'claimed'")).toHaveLength(1);
  });
});

describe('restore-check of a database that was restored', () => {
  /** Restores D1 to a point at which work was in flight that has ended since. */
  async function restoredInFlight() {
    await acquire('mini-main');
    const [sent, asked] = instructionsOf(EXEC, { ...EXEC, policy: { decision: 'ask', rule: 'test' } });
    if (!sent || !asked) throw new Error('two instructions');
    const one = await conductor.bring(conductor.message({ instructions: [sent, { ...EXEC, ...sent, index: 1 }] }));
    const two = await conductor.bring(
      conductor.message({ remote_conversation_id: 'conv-2', instructions: [{ ...asked, index: 0 }] }),
    );
    await env.DB.batch([
      insertJob('job_sent', 'running', { deadline_at: conductor.edge.now + 5_000 }),
      insertJob('job_due', 'pending', { next_attempt_at: conductor.edge.now - 1 }),
      insertJob('job_later', 'pending', { next_attempt_at: conductor.edge.now + 60_000 }),
      insertCommand('cmd_pending', 'pending'),
      insertCommand('cmd_received', 'received'),
    ]);
    const goBack = await bookmark();
    for (const { instruction_id } of one.instructions) await conductor.result(instruction_id);
    await leaderLease(env).release({ controller_id: 'mini-main', term: 1 });
    await acquire('other');
    await conductor.mode('pause');
    await conductor.mode('resume');
    await goBack();
    return { one, two };
  }

  it('raises the fences above every granted term and version, with the holder in the history', async () => {
    await restoredInFlight();
    expect(await fence()).toMatchObject({ term: 1, mode_version: 0, epoch: 0 });
    const response = await check();
    expect(response).toMatchObject({
      restored: true,
      d1: { term: 1, mode_version: 0, epoch: 0 },
      objects: { term: 2, mode_version: 3, epoch: 1 },
    });
    expect(await fence()).toMatchObject({ term: 2, mode_version: 3, epoch: 1, holder_id: 'other' });
    expect(await rowsOf('SELECT term, holder_id FROM leader_terms ORDER BY term')).toEqual([
      { term: 1, holder_id: 'mini-main' },
      { term: 2, holder_id: 'other' },
    ]);
    const renewed = await leaderLease(env).renew('other', 2, TTL_SEC);
    expect(renewed).toMatchObject({ status: 'ok', response: { is_leader: true, term: 2 } });
  });

  it('ends what the restored rows have in flight, and nothing of it runs again', async () => {
    const { one, two } = await restoredInFlight();
    expect((await check()).quarantined).toEqual({ instructions: 3, renewal_jobs: 2, tasks: 0, commands: 1 });
    const statusOf = async (messageId: string) =>
      (
        await rowsOf<{ status: string }>(
          'SELECT status FROM instructions WHERE message_id = ? ORDER BY "index"',
          messageId,
        )
      ).map(({ status }) => status);
    expect(await statusOf(one.message_id)).toEqual(['interrupted', 'interrupted']);
    expect(await statusOf(two.message_id)).toEqual(['expired']);
    expect(await rowsOf('SELECT DISTINCT ingest_status FROM messages')).toEqual([{ ingest_status: 'failed' }]);
    expect(await rowsOf('SELECT job_id, status, last_error FROM renewal_jobs ORDER BY job_id')).toEqual([
      { job_id: 'job_due', status: 'failed', last_error: 'restored' },
      { job_id: 'job_later', status: 'pending', last_error: null },
      { job_id: 'job_sent', status: 'failed', last_error: 'restored' },
    ]);
    expect(await rowsOf('SELECT command_id, status FROM commands ORDER BY command_id')).toEqual([
      { command_id: 'cmd_pending', status: 'expired' },
      { command_id: 'cmd_received', status: 'received' },
    ]);
    // A result that its node reports later is stored beside the instruction's end.
    const id = one.instructions[0]?.instruction_id ?? '';
    expect(await conductor.result(id)).toMatchObject({ status: 'interrupted' });
    expect(await conductor.tick()).toMatchObject({ decision: expect.any(String) });
    expect(await rowsOf("SELECT 1 FROM renewal_jobs WHERE status = 'running'")).toEqual([]);
  });

  it('writes the end of each instruction to its journal, and audits the check', async () => {
    const { one } = await restoredInFlight();
    await check();
    const story = await rowsOf<{ kind: string; detail: string }>(
      `SELECT kind, detail FROM ${ENTRIES} WHERE instruction_id = ? ORDER BY seq, place`,
      one.instructions[0]?.instruction_id,
    );
    expect(story.at(-1)).toMatchObject({ kind: 'ended' });
    expect(JSON.parse(story.at(-1)?.detail ?? '')).toEqual({ status: 'interrupted', reason: 'restored' });
    expect(await rowsOf("SELECT role, subject_id FROM audit WHERE action LIKE '%restore-check'")).toEqual([
      { role: 'ops_admin', subject_id: '1' },
    ]);
    expect(await rowsOf(`SELECT subject_id FROM ${EVENTS} WHERE type = 'restored'`)).toEqual([{ subject_id: '1' }]);
  });

  it('does not end an instruction again that ends between its reads and its commit', async () => {
    const { one } = await restoredInFlight();
    const id = one.instructions[0]?.instruction_id ?? '';
    const found = await conductor.edge.race(
      () => check(),
      () => conductor.result(id),
      /UPDATE instructions/,
    );
    expect(found.quarantined).toEqual({ instructions: 2, renewal_jobs: 2, tasks: 0, commands: 1 });
    const ends = await rowsOf<{ detail: string }>(
      `SELECT detail FROM ${ENTRIES} WHERE instruction_id = ? AND kind = 'ended'`,
      id,
    );
    expect(ends.map(({ detail }) => JSON.parse(detail))).toMatchObject([{ status: 'succeeded' }]);
  });

  it('does not fail a job that is delivered between its reads and its commit', async () => {
    await restoredInFlight();
    const found = await conductor.edge.race(
      () => check(),
      () => rowsOf("UPDATE renewal_jobs SET status = 'done', deadline_at = NULL WHERE job_id = 'job_sent'"),
      /UPDATE instructions/,
    );
    expect(found.quarantined).toEqual({ instructions: 3, renewal_jobs: 1, tasks: 0, commands: 1 });
    expect(await rowsOf("SELECT status FROM renewal_jobs WHERE job_id = 'job_sent'")).toEqual([{ status: 'done' }]);
  });

  it('is done once: the next check finds nothing', async () => {
    await restoredInFlight();
    await check();
    expect(await check()).toMatchObject({ restored: false, quarantined: NOTHING, objects: { epoch: 1 } });
  });

  it('is detected by objects that were evicted meanwhile', async () => {
    await restoredInFlight();
    await evictDurableObject(leaseStub());
    await evictDurableObject(modeStub());
    expect(await check()).toMatchObject({ restored: true, quarantined: { instructions: 3 } });
  });

  it('continues after an interruption, under the same epoch', async () => {
    await restoredInFlight();
    const log = muteLog();
    await env.DB.exec('ALTER TABLE journal_blocks RENAME TO away');
    expect(await conductor.edge.error('POST', '/v1/system/restore-check', { body: {} })).toMatchObject({ status: 500 });
    await env.DB.exec('ALTER TABLE away RENAME TO journal_blocks');
    log.mockRestore();
    expect(await fence()).toMatchObject({ term: 2, mode_version: 3, epoch: 0 });
    expect(await check()).toMatchObject({ restored: true, objects: { epoch: 1 }, quarantined: { instructions: 3 } });
    expect(await fence()).toMatchObject({ mode_version: 3, epoch: 1 });
  });

  it('takes several calls for many rows, and its response says so', async () => {
    const goBack = await bookmark();
    await conductor.mode('pause');
    await goBack();
    const many = Array.from({ length: 501 }, (_, n) => insertCommand(`cmd_${n}`, 'pending'));
    await env.DB.batch(many);
    expect(await check()).toMatchObject({ more: true, quarantined: { commands: 500 } });
    expect(await fence()).toMatchObject({ epoch: 0 });
    expect(await check()).toMatchObject({ restored: true, more: false, quarantined: { commands: 1 } });
    expect(await fence()).toMatchObject({ epoch: 1, mode: 'paused' });
  });

  it('can be forced when the numbers do not show a restore', async () => {
    await conductor.bring(conductor.message({ instructions: instructionsOf(EXEC) }));
    const goBack = await bookmark();
    await goBack();
    expect(await check()).toMatchObject({ restored: false });
    expect(await check({ force: true })).toMatchObject({ restored: true, quarantined: { instructions: 1 } });
    expect(await fence()).toMatchObject({ epoch: 1, mode_version: 1 });
  });

  it('does not take a lagging fence for a restored one', async () => {
    const log = muteLog();
    await env.DB.exec('ALTER TABLE fence RENAME TO away');
    await conductor.edge.error('POST', '/v1/system/pause', { body: {} });
    await env.DB.exec('ALTER TABLE away RENAME TO fence');
    log.mockRestore();
    expect(await check()).toMatchObject({ restored: false });
  });
});
