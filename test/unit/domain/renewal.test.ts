import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeliveryAnswer, DispatchFacts, JobState, ProjectionFacts } from '../../../schema/domain/renewal.ts';
import {
  decideDispatch,
  decideOutcome,
  decideOverdue,
  payloadText,
  redriven,
  renewalPayload,
  skipReason,
} from '../../../schema/domain/renewal.ts';

const NOW = 1_000_000;
const link = {
  target_kind: 'browser.proxy_delivery',
  target_id: 'tab:17',
  target_payload: {
    client_id: 'c',
    conversation_id: 'r',
    organization_id: null,
    page_url: 'https://chatgpt.com/c/r',
    page_title: null,
    tab_id: 17,
    shell_page: false,
  },
};
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

describe('why a message becomes no job', () => {
  const facts: ProjectionFacts = {
    automation_status: 'auto',
    link,
    has_job: false,
    newest: true,
    instruction_pending: false,
    cooldown_until: null,
    now: NOW,
  };
  it.each([
    [null, {}],
    ['automation_manual', { automation_status: 'manual' }],
    ['automation_paused', { automation_status: 'paused' }],
    ['missing_active_link', { link: null }],
    ['route_unavailable', { link: { ...link, target_kind: 'other' } }],
    ['route_unavailable', { link: { ...link, target_payload: { ...link.target_payload, shell_page: true } } }],
    [
      'route_unavailable',
      { link: { ...link, target_id: 'tab:0', target_payload: { ...link.target_payload, tab_id: null } } },
    ],
    [null, { link: { ...link, target_payload: { ...link.target_payload, tab_id: null } } }],
    ['duplicate_job', { has_job: true }],
    ['superseded', { newest: false }],
    ['instruction_pending', { instruction_pending: true }],
    ['cooldown', { cooldown_until: NOW + 1 }],
    [null, { cooldown_until: NOW }],
  ] as const)('%s', (reason, more) => {
    expect(skipReason({ ...facts, ...more })).toBe(reason);
  });
});

describe('the payload', () => {
  it('is a summary of 200 characters and the address', () => {
    const { text } = renewalPayload({ message_id: 'm', raw_text: `${'word '.repeat(100)}` }, 'https://x/c/1');
    expect(text).toContain(`${'word '.repeat(40)}…`);
    expect(text.endsWith('https://x/c/1')).toBe(true);
  });

  it.each([
    ['[]', 'json', null, { error: 'invalid_payload' }],
    ['nonsense', 'json', null, { error: 'invalid_payload' }],
    ['{}', 'json', null, { error: 'missing_payload_text' }],
    ['{"text":" "}', 'json', null, { error: 'missing_payload_text' }],
    ['{"text":"go on"}', 'json', null, { text: 'go on' }],
    ['go on', 'text', null, { text: 'go on' }],
    ['', 'text', ' ', { error: 'missing_payload_text' }],
  ] as const)('%s as %s', (payload, payload_kind, payload_text, expected) => {
    expect(payloadText({ payload, payload_kind, payload_text })).toEqual(expected);
  });
});

describe('a due job', () => {
  const facts: DispatchFacts = {
    conversation: { automation_status: 'auto' },
    newest: true,
    link,
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

  it.each(['manual', 'paused'] as const)('of a %s conversation is put off without counting', (automation_status) => {
    const { send, step } = decide({ conversation: { automation_status }, newest: false, link: null });
    expect(send).toBeNull();
    expect(step).toMatchObject({ stage: 'job_deferred', result: `automation_${automation_status}` });
    expect(step.next).toMatchObject({ status: 'pending', attempt_count: 0, next_attempt_at: NOW + 10_000 });
    const slow = decide({ conversation: { automation_status }, interval_ms: 60_000 });
    expect(slow.step.next.next_attempt_at).toBe(NOW + 60_000);
  });

  it.each([
    ['missing_local_conversation', { conversation: null }, 'failed', 1],
    ['superseded', { newest: false }, 'canceled', 0],
    ['missing_active_link', { link: null }, 'pending', 1],
    ['route_unavailable', { link: { ...link, target_kind: 'x' } }, 'pending', 1],
    ['invalid_payload', { payload: { error: 'invalid_payload' } }, 'failed', 1],
  ] as const)('ends or waits with %s', (reason, more, status, attempts) => {
    const { step } = decide(more);
    expect(step.result).toBe(reason);
    expect(step.next).toMatchObject({ status, attempt_count: attempts, last_error: reason });
  });

  it('without a link fails with its last attempt', () => {
    const { step } = decide({ link: null }, { ...job, attempt_count: 2 });
    expect(step).toMatchObject({ stage: 'job_failed', next: { status: 'failed', attempt_count: 3 } });
  });
});

describe('the outcome of a delivery', () => {
  const result = (outcome: 'delivered' | 'failed' | 'deferred' | 'uncertain', more = {}): DeliveryAnswer => ({
    outcome,
    reason: null,
    method: null,
    ...more,
  });
  const decide = (answer: DeliveryAnswer, state = running) => decideOutcome(state, answer, { now: NOW, random: 0.5 });

  it('delivered is done', () => {
    expect(decide(result('delivered'))).toMatchObject({
      stage: 'job_completed',
      next: { status: 'done', finished_at: NOW },
    });
  });

  it('a platform that names its time is waited for, beyond the backoff', () => {
    expect(decide(result('failed', { retry_after_ms: 900_000 }))?.next.next_attempt_at).toBe(NOW + 900_000);
    expect(decide(result('failed', { retry_after_ms: 1 }))?.next.next_attempt_at).toBe(NOW + 30_000);
  });

  it('uncertain and in flight decide nothing', () => {
    expect(decide(result('uncertain'))).toBeNull();
    expect(decide({ outcome: 'in_flight' })).toBeNull();
  });

  it('overdue is asked about for ten minutes and no longer', () => {
    expect(decideOverdue(running, NOW + 30_000)).toMatchObject({ ask: true, next: { deadline_at: NOW + 60_000 } });
    expect(decideOverdue(running, NOW + 590_000)).toMatchObject({ ask: true, next: { deadline_at: NOW + 600_000 } });
    expect(decideOverdue(running, NOW + 600_000)).toMatchObject({ ask: false, step: { result: 'delivery_unknown' } });
  });

  it('whatever comes, a job is attempted at most so often as it may, and ends', () => {
    const answers = fc.constantFrom<DeliveryAnswer>(
      result('failed'),
      result('uncertain'),
      { outcome: 'unknown' },
      { outcome: 'in_flight' },
    );
    fc.assert(
      fc.property(fc.infiniteStream(answers), (stream) => {
        let state = redriven({ ...job, status: 'failed', attempt_count: 3 }, NOW);
        let now = NOW;
        let sends = 0;
        for (let turn = 0; state.status === 'pending' || state.status === 'running'; turn += 1) {
          expect(turn).toBeLessThan(200);
          if (state.status === 'pending') {
            now = Math.max(now, state.next_attempt_at ?? now);
            const facts = {
              conversation: { automation_status: 'auto' as const },
              newest: true,
              link,
              interval_ms: 0,
              random: 0,
            };
            const { send, step } = decideDispatch(state, { ...facts, payload: { text: 'x' }, now });
            if (send !== null) sends += 1;
            state = step.next;
            continue;
          }
          const step = decideOutcome(state, stream.next().value, { now, random: 0 });
          if (step !== null) {
            state = step.next;
            continue;
          }
          now = state.deadline_at ?? now;
          const overdue = decideOverdue(state, now);
          state = overdue.ask ? overdue.next : overdue.step.next;
        }
        expect(state.status).toBe('failed');
        expect(sends).toBeLessThanOrEqual(3);
        expect(state.finished_at).not.toBeNull();
      }),
      { numRuns: 200 },
    );
  });
});
