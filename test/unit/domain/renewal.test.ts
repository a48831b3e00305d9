import { describe, expect, it } from 'vitest';
import type { JobState } from '../../../schema/domain/job-machine.ts';
import { completeJob } from '../../../schema/domain/job-machine.ts';
import type { DeliveryResponse, DispatchFacts } from '../../../schema/domain/renewal.ts';
import { decideDispatch, decideOutcome, decideOverdue } from '../../../schema/domain/renewal.ts';
import { link } from './renewal-fixture.ts';

const NOW = 1_000_000;
const job: JobState = {
  status: 'pending',
  attempt_count: 0,
  max_attempts: 3,
  next_attempt_at: NOW,
  deadline_at: null,
  last_attempt_at: null,
  last_error: null,
  started_at: null,
  finished_at: null,
};
const running: JobState = {
  ...job,
  status: 'running',
  attempt_count: 1,
  last_attempt_at: NOW,
  deadline_at: NOW + 30_000,
};

describe('a due job', () => {
  const facts: DispatchFacts = {
    conversation: { automation_status: 'auto' },
    newest: true,
    ask_pending: false,
    breaker: null,
    hold: null,
    link,
    unusable: null,
    payload: { text: 'go on' },
    interval_ms: 10_000,
    now: NOW,
    random: 0.5,
  };
  const decide = (more: Partial<DispatchFacts>, state = job) => decideDispatch(state, { ...facts, ...more });

  it('is sent with a deadline', () => {
    const { send, step } = decide({});
    expect(send).toBe('go on');
    expect(step.next).toMatchObject({
      status: 'running',
      attempt_count: 1,
      deadline_at: NOW + 30_000,
      started_at: NOW,
    });
  });

  it.each(['manual', 'paused'] as const)(
    'of a %s conversation is deferred without counting an attempt',
    (automation_status) => {
      const { send, step } = decide({ conversation: { automation_status }, newest: false, link: null });
      expect(send).toBeNull();
      expect(step).toMatchObject({ stage: 'job_deferred', result: `automation_${automation_status}` });
      expect(step.next).toMatchObject({ status: 'pending', attempt_count: 0, next_attempt_at: NOW + 10_000 });
      const slow = decide({ conversation: { automation_status }, interval_ms: 60_000 });
      expect(slow.step.next.next_attempt_at).toBe(NOW + 60_000);
    },
  );

  it.each([
    ['missing_local_conversation', { conversation: null }, 'failed', 1],
    ['superseded', { newest: false }, 'canceled', 0],
    ['missing_active_link', { link: null }, 'pending', 1],
    ['route_unavailable', { link: { ...link, target_kind: 'x' } }, 'pending', 1],
    ['invalid_payload', { payload: { error: 'invalid_payload' } }, 'failed', 1],
  ] as const)('ends or waits with the reason %s', (reason, more, status, attempts) => {
    const { step } = decide(more);
    expect(step.result).toBe(reason);
    expect(step.next).toMatchObject({ status, attempt_count: attempts, last_error: reason });
  });

  it.each([
    ['quiet_hours', { hold: { reason: 'quiet_hours', until: NOW + 5_000 } }, NOW + 5_000],
    ['max_in_a_row', { hold: { reason: 'max_in_a_row', until: null } }, NOW + 3_600_000],
    ['signed_out', { unusable: 'signed_out' }, NOW + 300_000],
    ['node_unreachable', { unusable: 'node_unreachable' }, NOW + 300_000],
  ] as const)('waits for %s without counting an attempt', (reason, more, next_attempt_at) => {
    const { send, step, pauses } = decide(more);
    expect([send, pauses]).toEqual([null, null]);
    expect(step).toMatchObject({ stage: 'job_deferred', result: reason });
    expect(step.next).toMatchObject({ status: 'pending', attempt_count: 0, next_attempt_at, last_error: reason });
  });

  it('of a conversation that has tripped a breaker pauses it and waits', () => {
    const { send, step, pauses } = decide({ breaker: 'no_progress' });
    expect([send, pauses]).toEqual([null, 'no_progress']);
    expect(step.next).toMatchObject({ status: 'pending', attempt_count: 0 });
  });

  it('without a link fails at its last attempt', () => {
    const { step } = decide({ link: null }, { ...job, attempt_count: 2 });
    expect(step).toMatchObject({ stage: 'job_failed', next: { status: 'failed', attempt_count: 3 } });
  });
});

describe('the outcome of a delivery', () => {
  const result = (outcome: 'delivered' | 'failed' | 'deferred' | 'uncertain', more = {}): DeliveryResponse => ({
    outcome,
    reason: null,
    method: null,
    ...more,
  });
  const decide = (response: DeliveryResponse, state = running) =>
    decideOutcome(state, response, { now: NOW, random: 0.5 });

  it('"delivered" completes the job', () => {
    expect(decide(result('delivered'))?.step).toMatchObject({
      stage: 'job_completed',
      next: { status: 'done', finished_at: NOW },
    });
  });

  it('"delivered" completes a job that had been given up', () => {
    const failed = { ...running, status: 'failed', finished_at: 1, last_error: 'delivery_unknown' } as const;
    expect(completeJob(failed, NOW).next).toMatchObject({ status: 'done', last_error: null, finished_at: NOW });
  });

  it.each([
    ['signed_out', { http_status: 401 }, null],
    ['signed_out', { http_status: 403 }, null],
    ['account_changed', { reason: 'account_changed' }, null],
    ['security_challenge', { reason: 'security_challenge', http_status: 403 }, 'security_challenge'],
  ] as const)('%s stops the browser, and the job waits also at its last attempt', (stops, more, pauses) => {
    const outcome = decide(result('failed', more), { ...running, attempt_count: 3 });
    expect(outcome).toMatchObject({ stops, pauses });
    expect(outcome?.step.next).toMatchObject({ status: 'pending', attempt_count: 3, max_attempts: 4 });
  });

  it('"deferred" by a stopped browser stops it at the edge too, and does not count the attempt', () => {
    const outcome = decide(result('deferred', { reason: 'signed_out', retry_after_ms: 300_000 }));
    expect(outcome).toMatchObject({ stops: 'signed_out', pauses: null });
    expect(outcome?.step.next).toMatchObject({ attempt_count: 0, next_attempt_at: NOW + 300_000 });
  });

  it('"deferred" because the page shows a limit holds the conversation until the limit ends', () => {
    const outcome = decide(result('deferred', { reason: 'rate_limited', retry_after_ms: 900_000 }));
    expect(outcome).toMatchObject({ limited_until: NOW + 900_000, pauses: null, stops: null });
    expect(decide(result('deferred', { reason: 'draft_in_composer' }))).toMatchObject({ limited_until: null });
  });

  it('of a rate-limited delivery pauses the conversation when the attempts are used up', () => {
    const limited = result('failed', { http_status: 429, retry_after_ms: 60_000 });
    expect(decide(limited)).toMatchObject({ pauses: null, limited_until: NOW + 60_000 });
    const last = decide(limited, { ...running, attempt_count: 3 });
    expect(last).toMatchObject({ pauses: 'rate_limited', step: { next: { status: 'failed' } } });
    expect(decide(result('failed', { http_status: 500 }))).toMatchObject({ stops: null, limited_until: null });
  });

  it('that names a pause delays the next attempt beyond the backoff', () => {
    expect(decide(result('failed', { retry_after_ms: 900_000 }))?.step.next.next_attempt_at).toBe(NOW + 900_000);
    expect(decide(result('failed', { retry_after_ms: 1 }))?.step.next.next_attempt_at).toBe(NOW + 30_000);
  });

  it('"uncertain" and "in_flight" decide nothing', () => {
    expect(decide(result('uncertain'))).toBeNull();
    expect(decide({ outcome: 'in_flight' })).toBeNull();
  });

  it('that is overdue is queried for ten minutes', () => {
    expect(decideOverdue(running, NOW + 30_000)).toMatchObject({ ask: true, next: { deadline_at: NOW + 60_000 } });
    expect(decideOverdue(running, NOW + 590_000)).toMatchObject({ ask: true, next: { deadline_at: NOW + 600_000 } });
    expect(decideOverdue(running, NOW + 600_000)).toMatchObject({ ask: false, step: { result: 'delivery_unknown' } });
  });
});
