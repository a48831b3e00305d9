import { describe, expect, it } from 'vitest';
import { JOB_STATUSES } from '../../../schema/contracts/renewal.ts';
import { completeJob, redriveJob, redriveLinkedJob } from '../../../schema/domain/job-machine.ts';
import { failedJob, link } from './renewal-fixture.ts';

const NOW = 1_000_000;

describe('a redriven job', () => {
  it('has all its attempts again, and counts them on', () => {
    const { next, event } = redriveJob(failedJob, NOW);
    expect(next).toMatchObject({ status: 'pending', attempt_count: 3, max_attempts: 6, next_attempt_at: NOW });
    expect(next).toMatchObject({ last_error: null, started_at: null, finished_at: null });
    expect(event).toEqual({ topic: 'renewal', type: 'job_redriven', subject_id: 'job_1' });
  });

  it.each(JOB_STATUSES.filter((status) => status !== 'failed' && status !== 'pending' && status !== 'running'))(
    'was never %s before',
    (status) => {
      expect(() => redriveJob({ ...failedJob, status }, NOW)).toThrow(`the renewal job is ${status}`);
    },
  );
});

describe('a link that a browser shows redrives a job', () => {
  const seen = { link, newest: true };

  it('that failed because no browser could be reached', () => {
    for (const last_error of ['no_active_client', 'missing_active_link', 'route_unavailable']) {
      expect(redriveLinkedJob({ ...failedJob, last_error }, seen, NOW)?.next.status).toBe('pending');
    }
  });

  it.each([
    ['that failed for another reason', { last_error: 'delivery_failed' }, seen],
    ['that has not failed', { status: 'pending' as const }, seen],
    ['that was redriven before', { max_attempts: 6 }, seen],
    ['whose message is not the newest', {}, { link, newest: false }],
    [
      'by a link without a tab',
      {},
      { link: { ...link, target_id: '', target_payload: { ...link.target_payload, tab_id: 0 } }, newest: true },
    ],
  ])('but not one %s', (_name, job, facts) => {
    expect(redriveLinkedJob({ ...failedJob, ...job }, facts, NOW)).toBeNull();
  });
});

it('a job that was given up is done when its delivery becomes known', () => {
  expect(completeJob(failedJob, NOW).next).toMatchObject({ status: 'done', last_error: null, finished_at: NOW });
  expect(() => completeJob({ ...failedJob, status: 'canceled' }, NOW)).toThrow('canceled');
});
