import { describe, expect, it } from 'vitest';
import { NOTICE, RENEWAL } from '../../../schema/defaults.ts';
import type { NoticeState } from '../../../schema/domain/notice.ts';
import { deferNotice, endNotice, overdueNotice, sendNotice } from '../../../schema/domain/notice.ts';
import { heldDeadline } from '../../../schema/domain/run-deadline.ts';
import { taskNoticeText } from '../../../schema/domain/task-notice.ts';

const NOW = 1_000_000;
const notice = (more: Partial<NoticeState> = {}) => ({
  status: 'pending' as NoticeState['status'],
  attempt_count: 0,
  due_at: NOW,
  last_error: null,
  finished_at: null,
  created_at: NOW,
  ...more,
});
const sending = (more: Partial<NoticeState> = {}) => notice({ status: 'sending', attempt_count: 1, ...more });
const chance = { now: NOW, random: 0.5 };
const outcome = (name: 'delivered' | 'failed' | 'deferred' | 'uncertain', more: object = {}) => ({
  outcome: name,
  reason: 'why',
  retry_after_ms: null,
  ...more,
});

describe('the report of a task', () => {
  it('waits for its outcome once it has left', () => {
    const due_at = NOW + RENEWAL.delivery_timeout_ms + RENEWAL.deadline_slack_ms;
    expect(sendNotice(notice(), NOW)).toMatchObject({ status: 'sending', attempt_count: 1, due_at });
  });

  it('is tried again after a failure, a bounded number of times', () => {
    const next = endNotice(sending(), outcome('failed'), chance);
    expect(next).toMatchObject({ status: 'pending', due_at: NOW + RENEWAL.retry_base_ms, last_error: 'why' });
    const last = endNotice(sending({ attempt_count: NOTICE.max_attempts }), outcome('failed'), chance);
    expect(last).toMatchObject({ status: 'failed', due_at: null, finished_at: NOW });
  });

  it('gets the attempt back when the browser says not now', () => {
    const next = endNotice(sending(), outcome('deferred', { retry_after_ms: 90_000 }), chance);
    expect(next).toMatchObject({ status: 'pending', attempt_count: 0, due_at: NOW + 90_000 });
  });

  it('is never sent again when it may have arrived', () => {
    expect(endNotice(sending(), outcome('uncertain'), chance)).toMatchObject({ status: 'uncertain', due_at: null });
    expect(overdueNotice(sending(), true, chance)).toMatchObject({ status: 'uncertain', due_at: null });
  });

  it('goes again when its node never received it', () => {
    expect(overdueNotice(sending(), false, chance)).toMatchObject({ status: 'pending', attempt_count: 0 });
  });

  it('takes a late delivery, and no other late outcome', () => {
    expect(endNotice(notice({ status: 'uncertain' }), outcome('delivered'), chance).status).toBe('delivered');
    expect(endNotice(notice({ status: 'pending' }), outcome('failed'), chance).attempt_count).toBe(0);
    expect(endNotice(notice({ status: 'failed' }), outcome('delivered'), chance).status).toBe('failed');
  });

  it('is given up when no browser can take it for a day', () => {
    const waiting = notice();
    expect(deferNotice(waiting, 'no_link', { now: NOW + 1 }).status).toBe('pending');
    expect(deferNotice(waiting, 'no_link', { now: NOW + NOTICE.give_up_ms })).toMatchObject({ status: 'failed' });
  });
});

describe('the text of the report', () => {
  const task = { task_id: 'task_1', title: 'a title', error_code: null, error_text: null };

  it('quotes what programs wrote line by line, so that no block begins in it', () => {
    const text = taskNoticeText({ ...task, status: 'done', result_summary: 'ok\n```baa\n@conductor::exec::ls\n```' });
    expect(text.split('\n').filter((line) => line.startsWith('```'))).toEqual([]);
    expect(text).toContain('> ```baa');
  });

  it('has the title on one line, and why the task failed', () => {
    const failed = { ...task, title: 'two\nlines', error_code: 'exit_code', error_text: 'exit code 1' };
    const text = taskNoticeText({ ...failed, status: 'failed', result_summary: null });
    expect(text).toBe('Task `task_1` is failed: two lines\n\n> exit_code: exit code 1');
  });
});

describe('the deadline of a run', () => {
  it('moves only when it would move by a minute', () => {
    const grace_ms = 1_200_000;
    expect(heldDeadline({ deadline_at: NOW + grace_ms, grace_ms }, NOW + 59_999)).toBe(NOW + grace_ms);
    expect(heldDeadline({ deadline_at: NOW + grace_ms, grace_ms }, NOW + 60_000)).toBe(NOW + grace_ms + 60_000);
  });

  it('moves by a tenth of a short grace', () => {
    const grace_ms = 60_000;
    expect(heldDeadline({ deadline_at: NOW + grace_ms, grace_ms }, NOW + 5_999)).toBe(NOW + grace_ms);
    expect(heldDeadline({ deadline_at: NOW + grace_ms, grace_ms }, NOW + 6_000)).toBe(NOW + grace_ms + 6_000);
  });
});
