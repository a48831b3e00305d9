import { describe, expect, it } from 'vitest';
import type { NextRenewalFacts } from '../../../schema/domain/next-renewal.ts';
import { nextRenewal } from '../../../schema/domain/next-renewal.ts';
import { link } from './renewal-fixture.ts';

const NOW = 1_000_000;
const facts: NextRenewalFacts = {
  mode: 'running',
  has_leader: true,
  automation_status: 'auto',
  pause_reason: null,
  newest: { role: 'assistant', received_at: NOW - 10_000, instruction_pending: false },
  job: null,
  task_pending: false,
  ask_pending: false,
  breaker: null,
  hold: null,
  link,
  unusable: null,
  settle_delay_ms: 10_000,
  now: NOW,
};
const job = (status: 'pending' | 'running' | 'done' | 'failed' | 'canceled', more = {}) => ({
  job: { status, next_attempt_at: null, deadline_at: null, last_error: null, ...more },
});
const message = (more: object) => ({ newest: { ...facts.newest, ...more } as NextRenewalFacts['newest'] });

describe('the next renewal', () => {
  it.each([
    ['is due once the message has settled', {}, { due: true, at: NOW, reason: 'due' }],
    [
      'waits for the quiet period of the message',
      message({ received_at: NOW }),
      { due: false, at: NOW + 10_000, reason: 'settling' },
    ],
    ['waits for a message', { newest: null }, { due: false, at: null, reason: 'no_message' }],
    [
      'waits for the assistant after a message of the user',
      message({ role: 'user' }),
      { due: false, at: null, reason: 'waiting_for_answer' },
    ],
    ['is being delivered', job('running', { deadline_at: 7 }), { due: true, at: 7, reason: 'being_delivered' }],
    ['was delivered', job('done'), { due: false, at: null, reason: 'waiting_for_answer' }],
    ['has failed', job('failed', { last_error: 'http_500' }), { due: false, at: null, reason: 'http_500' }],
    ['was canceled', job('canceled'), { due: false, at: null, reason: 'canceled' }],
    [
      'is tried again later',
      job('pending', { next_attempt_at: NOW + 5, last_error: 'http_500' }),
      { due: false, at: NOW + 5, reason: 'http_500' },
    ],
    ['is tried again now', job('pending', { next_attempt_at: NOW }), { due: true, at: NOW, reason: 'due' }],
    [
      'is not due while the reply to an instruction is expected',
      message({ instruction_pending: true }),
      { due: false, at: null, reason: 'instruction_pending' },
    ],
    [
      'is not due while the question of a person waits for its answer',
      { ask_pending: true },
      { due: false, at: null, reason: 'ask_pending' },
    ],
    [
      'is not due while a task of the chat holds its renewals',
      { task_pending: true },
      { due: false, at: null, reason: 'task_pending' },
    ],
    ['is not due while the system is paused', { mode: 'paused' }, { due: false, at: null, reason: 'system_paused' }],
    [
      'is not projected while the system drains',
      { mode: 'draining' },
      { due: false, at: null, reason: 'system_draining' },
    ],
    [
      'with a job is still due while the system drains',
      { mode: 'draining', ...job('pending', { next_attempt_at: NOW }) },
      { due: true, at: NOW, reason: 'due' },
    ],
    ['needs a leader', { has_leader: false }, { due: false, at: null, reason: 'no_leader' }],
    [
      'of a manual conversation is not due',
      { automation_status: 'manual' },
      { due: false, at: null, reason: 'automation_manual' },
    ],
    [
      'of a paused conversation names the reason of the pause',
      { automation_status: 'paused', pause_reason: 'no_progress' },
      { due: false, at: null, reason: 'no_progress' },
    ],
    ['is stopped by a breaker', { breaker: 'repeated_renewal' }, { due: false, at: null, reason: 'repeated_renewal' }],
    ['waits for a limit', { hold: { reason: 'cooldown', until: 9 } }, { due: false, at: 9, reason: 'cooldown' }],
    ['is not due without a link', { link: null }, { due: false, at: null, reason: 'missing_active_link' }],
    ['waits for a stopped browser', { unusable: 'signed_out' }, { due: false, at: null, reason: 'signed_out' }],
    [
      'waits for a node that is not in contact',
      { unusable: 'node_unreachable' },
      { due: false, at: null, reason: 'node_unreachable' },
    ],
  ] as [string, Partial<NextRenewalFacts>, object][])('%s', (_name, more, expected) => {
    expect(nextRenewal({ ...facts, ...more })).toEqual(expected);
  });
});
