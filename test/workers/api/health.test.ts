/** `GET /v1/system/health`: what `conductor doctor` learns from the edge. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SystemHealth } from '../../../schema/contracts/health.ts';
import { freshEdge } from '../objects/support.ts';
import { Conductor, EXEC, instructionsOf } from '../support/conductor.ts';
import { rowsOf } from '../support/edge.ts';

const MINUTE_MS = 60_000;
let conductor: Conductor;
beforeEach(async () => {
  await freshEdge();
  conductor = new Conductor();
  await conductor.token();
});

const health = () => conductor.edge.data<SystemHealth>('GET', '/v1/system/health');

describe('the health of a system', () => {
  it('a healthy one has all migrations, objects that respond, and nothing overdue', async () => {
    await conductor.mode('pause');
    await conductor.mode('resume');
    await conductor.bring(conductor.message({ instructions: instructionsOf(EXEC) }));
    const { migrations, objects, fence, overdue } = await health();
    expect(migrations).toContain('0000_init.sql');
    expect(objects.map(({ name, problem }) => [name, problem])).toEqual([
      ['LeaderLease', null],
      ['AutomationState', null],
      ['TimedJobs', null],
      ['NodeHub', null],
    ]);
    expect(fence).toMatchObject({ is_behind: false });
    expect(overdue).toEqual([]);
  });

  it('the edge says what time it is, by which a host compares its clock', async () => {
    const response = await conductor.edge.fetch('/healthz');
    expect(Date.parse(response.headers.get('date') ?? '')).toBe(Math.floor(conductor.edge.now / 1_000) * 1_000);
  });

  it('a claim is overdue five minutes after its deadline, and at once when it has none', async () => {
    const { instructions } = await conductor.bring(conductor.message({ instructions: instructionsOf(EXEC) }));
    const id = instructions[0]?.instruction_id;
    const [row] = await rowsOf<{ claim_expires_at: number }>('SELECT claim_expires_at FROM instructions');
    const deadline_at = row?.claim_expires_at ?? 0;
    conductor.edge.now = deadline_at + 4 * MINUTE_MS;
    expect((await health()).overdue).toEqual([]);
    conductor.edge.now = deadline_at + 5 * MINUTE_MS;
    expect((await health()).overdue).toEqual([{ kind: 'instruction', id, status: 'claimed', deadline_at }]);
    conductor.edge.now = deadline_at - MINUTE_MS;
    await env.DB.exec('UPDATE instructions SET claim_expires_at = NULL');
    expect((await health()).overdue).toEqual([{ kind: 'instruction', id, status: 'claimed', deadline_at: null }]);
  });

  it('renewals, runs, commands and replies without a live deadline are listed too', async () => {
    const past = conductor.edge.now - 10 * MINUTE_MS;
    await conductor.bring(conductor.message({ instructions: instructionsOf(EXEC) }));
    await env.DB.batch([
      env.DB.prepare('UPDATE messages SET reply_due_at = ?').bind(past),
      env.DB.prepare(
        `INSERT INTO renewal_jobs (job_id, local_conversation_id, message_id, status, payload, payload_kind,
          attempt_count, max_attempts, deadline_at, created_at, updated_at) VALUES ('job', 'lc', 'm', 'running', 'x', 'text', 1, 3, ?, 1, 1)`,
      ).bind(past),
      env.DB.prepare(
        `INSERT INTO commands (command_id, controller_id, kind, body, status, created_at, expires_at)
         VALUES ('cmd', 'mini-main', 'delivery.query', '{}', 'pending', 1, ?)`,
      ).bind(past),
      env.DB.prepare(
        `INSERT INTO runs (run_id, task_id, step_id, attempt, status, controller_id, claim_key, grace_ms, deadline_at,
          checkpoint_seq, log, created_at) VALUES ('run', 't', 's', 1, 'running', 'mini-main', 'k', 1, NULL, 0, '{}', 1)`,
      ),
    ]);
    const found = (await health()).overdue?.map(({ kind, id }) => [kind, id]);
    expect(found).toEqual([
      ['reply', expect.stringMatching(/^msg_/)],
      ['renewal_job', 'job'],
      ['run', 'run'],
      ['command', 'cmd'],
    ]);
  });
});

describe('the health of a system that is not well', () => {
  it('a database that was restored to an earlier point is behind its objects', async () => {
    const [before] = await rowsOf<{ mode_version: number }>('SELECT mode_version FROM fence');
    await conductor.mode('pause');
    await env.DB.prepare('UPDATE fence SET mode_version = ?').bind(before?.mode_version).run();
    expect((await health()).fence).toMatchObject({ is_behind: true, d1: { mode_version: before?.mode_version } });
  });

  it('a database without a part of its tables still gives the other parts', async () => {
    await env.DB.exec('ALTER TABLE runs RENAME TO runs_away');
    try {
      const { overdue, objects, migrations } = await health();
      expect([overdue, objects.length, migrations?.length]).toEqual([null, 4, expect.any(Number)]);
    } finally {
      await env.DB.exec('ALTER TABLE runs_away RENAME TO runs');
    }
  });
});
