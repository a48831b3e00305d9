import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RenewalJob } from '../../../schema/contracts/renewal.ts';
import type { Tick } from '../../../schema/contracts/ticks.ts';
import { openDatabase } from '../../../workers/db/open.ts';
import { readProjectable } from '../../../workers/renewal/projectable-reads.ts';
import { RUNNERS } from '../../../workers/timed-jobs/registry.ts';
import { entriesOf } from '../support/conductor.ts';
import { rowsOf } from '../support/edge.ts';
import { Renewals } from './support.ts';

// Scenarios of the specification, under the names that it gives them.
const renewals = new Renewals();
const { edge } = renewals;
const framework = (stage: string, result: string) => `timed-jobs.framework ${stage} ${result}`;

describe('without a leader', () => {
  it('ConductorTimedJobs keeps standby runners idle', async () => {
    const { message_id } = await renewals.settled();
    const { decision, batch_id } = await renewals.tick();
    expect(decision).toBe('skipped_not_leader');
    const entries = await entriesOf(batch_id);
    expect(entries).toContain('renewal.projector runner_skipped skipped_not_leader');
    expect(entries).toContain('renewal.dispatcher runner_skipped skipped_not_leader');
    expect(entries.at(-1)).toBe(framework('tick_completed', 'skipped_not_leader'));
    expect(await renewals.skipReason(message_id)).toBeNull();
  });
});

describe('with a leader', () => {
  beforeAll(() => renewals.lead());

  it('ConductorTimedJobs runs registered runners on leader ticks', async () => {
    expect(RUNNERS.map((one) => one.name)).toEqual(expect.arrayContaining(['renewal.projector', 'renewal.dispatcher']));
    const { decision, batch_id } = await renewals.tick();
    expect(decision).toBe('scheduled');
    const entries = await entriesOf(batch_id);
    expect(entries).toContain('renewal.projector message_projected ok');
    expect(entries).toContain('renewal.dispatcher scan_completed ok');
    expect(entries.at(-1)).toBe(framework('tick_completed', 'scheduled'));
  });

  it('ConductorRuntime skips timed-jobs ticks while system automation is paused', async () => {
    await renewals.mode('pause');
    const { batch_id } = await renewals.tick();
    const entries = await entriesOf(batch_id);
    expect(entries).toContain('renewal.projector runner_skipped skipped_system_paused');
    expect(entries).toContain('renewal.dispatcher runner_skipped skipped_system_paused');
    expect(entries.at(-1)).toBe(framework('tick_completed', 'skipped_system_paused'));
    await renewals.mode('resume');
  });

  it('renewal dispatcher sends due pending jobs through browser.proxy_delivery and marks them done', async () => {
    const { message_id, job, command } = await renewals.sent();
    expect(command.body).toMatchObject({ target: { tab_id: 17 }, message_text: job.payload_text });
    await renewals.respond(command, 'delivered', { method: 'replay', http_status: 200 });
    expect(await renewals.jobOf(message_id)).toMatchObject({
      status: 'done',
      attempt_count: 1,
      last_error: null,
      next_attempt_at: null,
      finished_at: edge.now,
      target_snapshot: { target: { kind: 'browser.proxy_delivery' } },
    });
    const entries = await entriesOf(job.batch_id ?? '');
    expect(entries).toContain('renewal.dispatcher job_attempt_started attempt_started');
    expect(entries).toContain('renewal.dispatcher job_completed attempt_succeeded');
  });

  it.each([
    ['delivered', 'job_completed', 200],
    ['failed', 'job_retry_scheduled', 500],
  ] as const)('the tick log names method and status of a renewal that was %s', async (outcome, stage, http_status) => {
    const { job, command } = await renewals.sent();
    await renewals.respond(command, outcome, { method: 'dom', http_status });
    const ticks = await edge.data<{ items: Tick[] }>('GET', '/v1/timed-jobs/ticks');
    const entries = ticks.items.flatMap((tick) => tick.entries);
    const entry = entries.find((one) => one.stage === stage && one.job_id === job.job_id);
    expect(entry).toMatchObject({ outcome, method: 'dom', http_status });
  });

  it('renewal dispatcher defers paused jobs and retries transient proxy failures until failed', async () => {
    const paused = await renewals.settled();
    const retried = await renewals.settled();
    await renewals.project();
    await renewals.automation(paused.local_conversation_id, 'paused');
    await rowsOf('UPDATE renewal_jobs SET max_attempts = 2 WHERE message_id = ?', retried.message_id);
    const { batch_id } = await renewals.tick();
    expect(await renewals.jobOf(paused.message_id)).toMatchObject({
      status: 'pending',
      attempt_count: 0,
      next_attempt_at: edge.now + 10_000,
    });
    expect(await entriesOf(batch_id)).toContain('renewal.dispatcher job_deferred automation_paused');
    const refuse = async () => {
      const job = await renewals.jobOf(retried.message_id);
      await renewals.respond(await renewals.commandOf(job), 'failed', { reason: 'no_active_client' });
      return renewals.jobOf(retried.message_id);
    };
    const first = await refuse();
    expect(first).toMatchObject({ status: 'pending', attempt_count: 1, last_error: 'no_active_client' });
    expect((first.next_attempt_at ?? 0) - edge.now).toBeGreaterThanOrEqual(24_000);
    expect((first.next_attempt_at ?? 0) - edge.now).toBeLessThanOrEqual(36_000);
    expect(await entriesOf(first.batch_id ?? '')).toContain('renewal.dispatcher job_retry_scheduled no_active_client');
    edge.now = first.next_attempt_at ?? edge.now;
    await renewals.tick();
    expect(await refuse()).toMatchObject({
      status: 'failed',
      attempt_count: 2,
      last_error: 'no_active_client',
      next_attempt_at: null,
    });
  });

  it('ConductorRuntime exposes renewal jobs APIs', async () => {
    const { message_id, local_conversation_id } = await renewals.settled();
    await renewals.project();
    const query = `status=pending&local_conversation_id=${local_conversation_id}`;
    const { items } = await edge.data<{ items: RenewalJob[] }>('GET', `/v1/renewal/jobs?${query}`);
    const [listed] = items;
    expect(items).toHaveLength(1);
    expect(listed).toMatchObject({ message_id, local_conversation_id, payload_kind: 'json', log_path: null });
    expect(await edge.data('GET', `/v1/renewal/jobs/${listed?.job_id}`)).toEqual(listed);
    const { links } = { links: await edge.data<{ items: unknown[] }>('GET', `/v1/renewal/links?${query.slice(15)}`) };
    expect(links.items).toHaveLength(1);
  });

  it('ConductorRuntime registers renewal projector, projects auto messages once, and keeps cursor across restart', async () => {
    const { message_id } = await renewals.settled();
    const manual = await renewals.settled('manual');
    await renewals.project();
    // A new process continues from the stored cursor.
    const { cursor, next } = await readProjectable(openDatabase(env.DB), {
      now: edge.now,
      settledBy: edge.now,
      limit: 10,
    });
    expect(cursor).toBeGreaterThan(0);
    expect(next).toEqual([]);
    await renewals.project();
    await renewals.project();
    expect(await rowsOf('SELECT 1 FROM renewal_jobs WHERE message_id = ?', message_id)).toHaveLength(1);
    expect(await renewals.skipReason(manual.message_id)).toBe('automation_manual');
  });

  it('the tick log names a projected and a skipped message with the reason', async () => {
    const projected = await renewals.settled();
    const skipped = await renewals.settled('paused');
    const { batch_id } = await renewals.project();
    const { items } = await edge.data<{ items: Tick[] }>('GET', `/v1/timed-jobs/ticks?batch_id=${batch_id}`);
    const entries = items.flatMap((tick) => tick.entries).filter((entry) => 'message_id' in entry);
    expect(entries).toEqual([
      expect.objectContaining({ stage: 'message_projected', result: 'ok', message_id: projected.message_id }),
      expect.objectContaining({
        stage: 'message_skipped',
        result: 'automation_paused',
        message_id: skipped.message_id,
        local_conversation_id: skipped.local_conversation_id,
      }),
    ]);
  });

  it('ticks can be filtered by decision and trigger', async () => {
    const skipped = await edge.data<{ items: Tick[] }>(
      'GET',
      '/v1/timed-jobs/ticks?decision=skipped_system_paused&trigger=manual',
    );
    expect(skipped.items.length).toBeGreaterThan(0);
    expect(new Set(skipped.items.map((tick) => tick.decision))).toEqual(new Set(['skipped_system_paused']));
    const cron = await edge.data<{ items: Tick[] }>('GET', '/v1/timed-jobs/ticks?trigger=cron');
    expect(cron.items).toEqual([]);
    expect((await edge.error('GET', '/v1/timed-jobs/ticks?decision=maybe')).error).toBe('invalid_request');
  });
});
