/** What the report of a task's end does when it is due, and what its outcome means. It is never knowingly sent twice. */
import type { DeliveryResult } from '../contracts/renewal.ts';
import type { NoticeStatus } from '../contracts/tasks.ts';
import { NOTICE, RENEWAL } from '../defaults.ts';
import { mayNoticeBecome, moveNotice } from './notice-machine.ts';
import { RENEWAL_BACKOFF, retryDelayMs } from './retry.ts';

export interface NoticeState {
  status: NoticeStatus;
  attempt_count: number;
  due_at: number | null;
  last_error: string | null;
  finished_at: number | null;
}

interface Chance {
  now: number;
  /** A number in [0, 1). */
  random: number;
}

/** It leaves for a browser. */
export function sendNotice(notice: NoticeState, now: number): NoticeState {
  const due_at = now + RENEWAL.delivery_timeout_ms + RENEWAL.deadline_slack_ms;
  const attempt_count = notice.attempt_count + 1;
  return { ...notice, status: moveNotice(notice.status, 'sending'), attempt_count, due_at };
}

/** No browser can take it now. It waits for one, but not for ever: `created_at` in Unix milliseconds. */
export function deferNotice(
  notice: NoticeState & { created_at: number },
  reason: string,
  { now }: Pick<Chance, 'now'>,
): NoticeState {
  if (now - notice.created_at >= NOTICE.give_up_ms) return failed(notice, reason, now);
  const status = moveNotice(notice.status, 'pending');
  return { ...stateOf(notice), status, due_at: now + NOTICE.recheck_ms, last_error: reason };
}

/** The conversation is gone. */
export function dropNotice(notice: NoticeState, reason: string, now: number): NoticeState {
  return failed(notice, reason, now);
}

/** What the node reports; the notice as it is when the outcome changes nothing. */
export function endNotice(
  notice: NoticeState & { created_at: number },
  { outcome, reason, retry_after_ms }: Pick<DeliveryResult, 'outcome' | 'reason' | 'retry_after_ms'>,
  { now, random }: Chance,
): NoticeState {
  if (outcome === 'delivered') {
    if (!mayNoticeBecome(notice.status, 'delivered')) return stateOf(notice);
    return {
      ...stateOf(notice),
      status: moveNotice(notice.status, 'delivered'),
      due_at: null,
      last_error: null,
      finished_at: now,
    };
  }
  if (notice.status !== 'sending') return stateOf(notice);
  switch (outcome) {
    case 'uncertain':
      return uncertain(notice, reason ?? outcome, now);
    case 'deferred': {
      const uncounted = { ...notice, attempt_count: Math.max(0, notice.attempt_count - 1) };
      const waited = deferNotice(uncounted, reason ?? outcome, { now });
      const until = now + Math.max(retry_after_ms ?? 0, RENEWAL.retry_base_ms);
      return waited.due_at === null ? waited : { ...waited, due_at: until };
    }
    case 'failed': {
      if (notice.attempt_count >= NOTICE.max_attempts) return failed(notice, reason ?? outcome, now);
      const due_at = now + retryDelayMs(notice.attempt_count, RENEWAL_BACKOFF, random);
      return { ...stateOf(notice), status: moveNotice(notice.status, 'pending'), due_at, last_error: reason };
    }
    default:
      return outcome satisfies never;
  }
}

/** No outcome came in time. A command that its node never received was not sent, and goes again. */
export function overdueNotice(
  notice: NoticeState & { created_at: number },
  isReceived: boolean,
  { now }: Pick<Chance, 'now'>,
): NoticeState {
  if (isReceived) return uncertain(notice, 'no_outcome', now);
  return deferNotice({ ...notice, attempt_count: Math.max(0, notice.attempt_count - 1) }, 'not_received', { now });
}

function uncertain(notice: NoticeState, reason: string, now: number): NoticeState {
  return {
    ...stateOf(notice),
    status: moveNotice(notice.status, 'uncertain'),
    due_at: null,
    last_error: reason,
    finished_at: now,
  };
}

function failed(notice: NoticeState, reason: string, now: number): NoticeState {
  return {
    ...stateOf(notice),
    status: moveNotice(notice.status, 'failed'),
    due_at: null,
    last_error: reason,
    finished_at: now,
  };
}

function stateOf({ status, attempt_count, due_at, last_error, finished_at }: NoticeState): NoticeState {
  return { status, attempt_count, due_at, last_error, finished_at };
}
