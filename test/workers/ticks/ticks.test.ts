import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { timedJobs } from '../../../durable-objects/stubs.ts';
import type { TickResponse } from '../../../schema/contracts/ticks.ts';
import type { Runner } from '../../../workers/timed-jobs/job.ts';
import { MORE } from '../../../workers/timed-jobs/job.ts';
import { RUNNERS } from '../../../workers/timed-jobs/registry.ts';
import { runTick } from '../../../workers/timed-jobs/run-tick.ts';
import { withoutFence } from '../objects/support.ts';
import { Conductor, entriesOf } from '../support/conductor.ts';
import { rowsOf } from '../support/edge.ts';

const conductor = new Conductor();
const { edge } = conductor;

const runner = (name: string, ordinary: boolean, run: () => Promise<string>): Runner => ({
  name,
  ordinary,
  queries: { base: 0 },
  run,
});
const reaper = runner('a.reaper', false, async () => 'ok');
const worker = runner('a.worker', true, async () => 'ok');
const quiet = { random: () => 0.5, log: () => undefined };

describe('a tick', () => {
  it('without a leader skips the ordinary jobs and runs the reapers', async () => {
    const { decision, batch_id } = await conductor.tick({ runners: [reaper, worker] });
    expect(decision).toBe('skipped_not_leader');
    expect(await entriesOf(batch_id)).toEqual([
      'timed-jobs.framework tick_started running',
      'a.reaper runner_started running',
      'a.reaper runner_completed ok',
      'a.worker runner_skipped skipped_not_leader',
      'timed-jobs.framework tick_completed skipped_not_leader',
    ]);
  });

  it('with a leader runs all jobs, and one that throws fails alone', async () => {
    await conductor.lead();
    const broken = runner('a.broken', true, () => Promise.reject(new Error('no luck')));
    const { decision, batch_id } = await conductor.tick({ runners: [broken, worker] });
    expect(decision).toBe('completed_with_failures');
    expect(await entriesOf(batch_id)).toEqual([
      'timed-jobs.framework tick_started running',
      'a.broken runner_started running',
      'a.broken runner_failed failed',
      'a.worker runner_started running',
      'a.worker runner_completed ok',
      'timed-jobs.framework tick_completed completed_with_failures',
    ]);
    expect((await conductor.tick({ runners: [worker] })).decision).toBe('scheduled');
  });

  it('of a paused system skips the ordinary jobs', async () => {
    await conductor.mode('pause');
    const { decision, batch_id } = await conductor.tick({ runners: [worker] });
    expect(decision).toBe('skipped_system_paused');
    expect(await entriesOf(batch_id)).toContain('a.worker runner_skipped skipped_system_paused');
    await conductor.mode('resume');
  });

  it('fails without running a job while D1 is behind the system mode', async () => {
    let runs = 0;
    const counted = runner('a.counted', false, async () => `run ${++runs}`);
    await withoutFence(async () => {
      expect((await edge.error('POST', '/v1/system/drain', { body: {} })).error).toBe('database_unavailable');
      const { decision, batch_id } = await conductor.tick({ runners: [counted] });
      expect(decision).toBe('failed');
      expect(await entriesOf(batch_id)).toEqual(['timed-jobs.framework tick_failed failed']);
    });
    expect(runs).toBe(0);
    await conductor.mode('resume');
    expect((await conductor.tick({ runners: [counted] })).decision).toBe('scheduled');
    expect(runs).toBe(1);
  });

  it('without jobs logs only that', async () => {
    const { decision, batch_id } = await conductor.tick({ runners: [] });
    expect(decision).toBe('skipped_no_runners');
    expect(await entriesOf(batch_id)).toEqual(['timed-jobs.framework tick_skipped_no_runners skipped_no_runners']);
  });

  it('that finds another one running is skipped, and keeps the lock of the other one', async () => {
    let inner: TickResponse | undefined;
    const nosy = runner('a.nosy', true, async () => {
      inner = await conductor.tick({ runners: [worker] });
      return 'ok';
    });
    expect((await conductor.tick({ runners: [nosy] })).decision).toBe('scheduled');
    expect(inner?.decision).toBe('skipped_busy');
    expect(await entriesOf(inner?.batch_id ?? '')).toEqual(['timed-jobs.framework tick_skipped_busy skipped_busy']);
    expect((await timedJobs(env).read()).locked_until).toBeNull();
  });

  it('of the cron runs once for each scheduled time', async () => {
    const request = { trigger: 'cron', scheduledTime: edge.now, now: edge.now } as const;
    const deps = { ...quiet, runners: [worker] };
    const decisions = [await runTick(env, request, deps), await runTick(env, request, deps)];
    expect(decisions.map((one) => one.decision)).toEqual(['scheduled', 'skipped_busy']);
  });

  it('with nothing to do stores one short row', async () => {
    const { batch_id } = await conductor.tick({ runners: RUNNERS });
    expect(await entriesOf(batch_id)).toEqual([
      'renewal.projector scan_completed idle',
      'renewal.dispatcher scan_completed idle',
      'timed-jobs.framework tick_completed scheduled',
    ]);
  });
});

describe('the next due time of ticks', () => {
  const armed = async () => (await timedJobs(env).read()).next_due_at;

  it('is the end of the quiet period of the next message of an auto conversation, and none when nothing is due', async () => {
    await conductor.tick();
    expect(await armed()).toBeNull();
    const manual = await conductor.bring(conductor.message({ remote_conversation_id: 'due-1' }));
    expect(await armed()).toBeNull();
    await conductor.automation(manual.local_conversation_id, 'auto');
    expect(await armed()).toBe(edge.now);
    await conductor.tick();
    expect(await armed()).toBe(edge.now + 10_000);
  });

  it('is the deadline of a running job, and none while the system is paused', async () => {
    edge.now += 10_000;
    await conductor.tick();
    expect(await armed()).toBe(edge.now + 30_000);
    await conductor.mode('pause');
    await conductor.tick();
    expect(await armed()).toBeNull();
    await conductor.mode('resume');
    expect(await armed()).toBe(edge.now);
  });

  it('is not hidden by many jobs of conversations that are not auto', async () => {
    const { local_conversation_id } = await conductor.bring(conductor.message({ remote_conversation_id: 'shown' }));
    await conductor.automation(local_conversation_id, 'auto');
    edge.now += 10_000;
    await conductor.tick();
    const due_at = edge.now + 5_000;
    await rowsOf("UPDATE renewal_jobs SET status = 'done', deadline_at = NULL, next_attempt_at = NULL");
    await rowsOf(
      "UPDATE renewal_jobs SET status = 'pending', next_attempt_at = ? WHERE local_conversation_id = ?",
      due_at,
      local_conversation_id,
    );
    await rowsOf(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
       INSERT INTO renewal_jobs (job_id, local_conversation_id, message_id, status, payload, payload_kind,
         attempt_count, max_attempts, next_attempt_at, created_at, updated_at)
       SELECT 'job_m' || i, ?, 'msg_m' || i, 'pending', '{}', 'json', 0, 3, ?, 0, 0 FROM n`,
      (await conductor.bring(conductor.message({ remote_conversation_id: 'by-hand' }))).local_conversation_id,
      edge.now + 1_000,
    );
    await conductor.tick();
    expect(await armed()).toBe(due_at);
    await rowsOf("DELETE FROM renewal_jobs WHERE status = 'pending'");
  });

  it('is ten seconds away after a tick that could do nothing about what is due', async () => {
    const { local_conversation_id } = await conductor.bring(conductor.message({ remote_conversation_id: 'stuck' }));
    await conductor.automation(local_conversation_id, 'auto');
    edge.now += 10_000;
    await conductor.tick({ runners: [worker] });
    expect(await armed()).toBe(edge.now + 10_000);
    // One that does something about it is followed by what is due next.
    await conductor.tick();
    expect(await armed()).toBe(edge.now + 30_000);
  });

  it('is now when a reaper had to stop, also while the system is paused', async () => {
    const more = runner('a.reaper', false, async () => MORE);
    await conductor.mode('pause');
    await conductor.tick({ runners: [more] });
    expect(await armed()).toBe(edge.now);
    await conductor.tick({ runners: [reaper] });
    expect(await armed()).toBeNull();
    await conductor.mode('resume');
  });
});

describe('the tick log over HTTP', () => {
  it('lists the tick that an operator started, also in order after a number', async () => {
    const response = await edge.data<TickResponse>('POST', '/v1/timed-jobs/tick', { body: {} });
    expect(response.decision).toBe('scheduled');
    const newest = await edge.data<{ items: { tick_seq: number; batch_id: string }[] }>(
      'GET',
      '/v1/timed-jobs/ticks?limit=2',
    );
    expect(newest.items[0]?.batch_id).toBe(response.batch_id);
    const after = newest.items[1]?.tick_seq ?? 0;
    const later = await edge.data<{ items: { tick_seq: number }[] }>('GET', `/v1/timed-jobs/ticks?after=${after}`, {
      token: await conductor.token(),
    });
    expect(later.items.map((tick) => tick.tick_seq)).toEqual([newest.items[0]?.tick_seq]);
  });
});

describe('ticks that fail to start or to end', () => {
  const stub = () => env.TIMED_JOBS.getByName('global');
  const alarmAt = () => runInDurableObject(stub(), (_object, state) => state.storage.getAlarm());

  it('a lost alarm is set again by the next cron tick', async () => {
    await conductor
      .bring(conductor.message({ remote_conversation_id: 'lost-alarm' }))
      .then((message) => conductor.automation(message.local_conversation_id, 'auto'));
    await runInDurableObject(stub(), (_object, state) => state.storage.deleteAlarm());
    expect(await alarmAt()).toBeNull();
    await runTick(env, { trigger: 'cron', scheduledTime: edge.now + 1, now: edge.now }, quiet);
    expect(await alarmAt()).toBe(edge.now + 10_000);
  });

  it('ticks that begin at once do the work once', async () => {
    edge.now += 10_000;
    const cron = { trigger: 'cron', scheduledTime: edge.now, now: edge.now } as const;
    const alarm = { trigger: 'alarm', scheduledTime: null, now: edge.now } as const;
    const answers = await Promise.all([cron, cron, alarm].map((request) => runTick(env, request, quiet)));
    expect(answers.map((one) => one.decision).sort()).toEqual(['scheduled', 'skipped_busy', 'skipped_busy']);
  });

  it('a tick that has used its time leaves the other jobs to the next one, which is due now', async () => {
    const { batch_id } = await runTick(
      env,
      { trigger: 'manual', scheduledTime: null, now: edge.now },
      { ...quiet, runners: [reaper, worker], budget_ms: -1 },
    );
    expect(await entriesOf(batch_id)).toEqual([
      'timed-jobs.framework tick_started running',
      'a.reaper runner_skipped out_of_time',
      'a.worker runner_skipped out_of_time',
      'timed-jobs.framework tick_completed scheduled',
    ]);
    expect((await timedJobs(env).read()).next_due_at).toBe(edge.now);
  });
});
