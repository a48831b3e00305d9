import { describe, expect, it } from 'vitest';
import type { NextRenewalFacts } from '../../../schema/domain/next-renewal.ts';
import { nextRenewal } from '../../../schema/domain/next-renewal.ts';

const NOW = 1_000_000;
const facts: NextRenewalFacts = {
  mode: 'running',
  has_leader: true,
  automation_status: 'auto',
  pause_reason: null,
  newest: { role: 'assistant', received_at: NOW - 10_000, instruction_pending: false },
  job: null,
  breaker: null,
  hold: null,
  link: {
    target_kind: 'browser.proxy_delivery',
    target_id: 'tab:17',
    target_payload: {
      client_id: 'c',
      conversation_id: 'r',
      page_url: 'https://chatgpt.com/c/r',
      page_title: null,
      tab_id: 17,
      shell_page: false,
    },
  },
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
    ['waits for the settle time', message({ received_at: NOW }), { due: false, at: NOW + 10_000, reason: 'settling' }],
    ['waits for a message', { newest: null }, { due: false, at: null, reason: 'no_message' }],
    ['waits for an answer', message({ role: 'user' }), { due: false, at: null, reason: 'waiting_for_answer' }],
    ['is on its way', job('running', { deadline_at: 7 }), { due: true, at: 7, reason: 'being_delivered' }],
    ['has been', job('done'), { due: false, at: null, reason: 'waiting_for_answer' }],
    ['has failed', job('failed', { last_error: 'http_500' }), { due: false, at: null, reason: 'http_500' }],
    ['was canceled', job('canceled'), { due: false, at: null, reason: 'canceled' }],
    [
      'is tried again later',
      job('pending', { next_attempt_at: NOW + 5, last_error: 'http_500' }),
      { due: false, at: NOW + 5, reason: 'http_500' },
    ],
    ['is tried now', job('pending', { next_attempt_at: NOW }), { due: true, at: NOW, reason: 'due' }],
    [
      'leaves it to the reply of an instruction',
      message({ instruction_pending: true }),
      { due: false, at: null, reason: 'instruction_pending' },
    ],
    ['stands still with the system', { mode: 'paused' }, { due: false, at: null, reason: 'system_paused' }],
    ['is not begun while draining', { mode: 'draining' }, { due: false, at: null, reason: 'system_draining' }],
    [
      'that was begun goes on while draining',
      { mode: 'draining', ...job('pending', { next_attempt_at: NOW }) },
      { due: true, at: NOW, reason: 'due' },
    ],
    ['needs a leader', { has_leader: false }, { due: false, at: null, reason: 'no_leader' }],
    ['is left to a person', { automation_status: 'manual' }, { due: false, at: null, reason: 'automation_manual' }],
    [
      'tells why it is paused',
      { automation_status: 'paused', pause_reason: 'no_progress' },
      { due: false, at: null, reason: 'no_progress' },
    ],
    ['goes in circles', { breaker: 'repeated_renewal' }, { due: false, at: null, reason: 'repeated_renewal' }],
    ['is held', { hold: { reason: 'cooldown', until: 9 } }, { due: false, at: 9, reason: 'cooldown' }],
    ['has nowhere to go', { link: null }, { due: false, at: null, reason: 'missing_active_link' }],
    ['has a stopped browser', { unusable: 'signed_out' }, { due: false, at: null, reason: 'signed_out' }],
    [
      'is open on a node that is away',
      { unusable: 'node_unreachable' },
      { due: false, at: null, reason: 'node_unreachable' },
    ],
  ] as [string, Partial<NextRenewalFacts>, object][])('%s', (_name, more, expected) => {
    expect(nextRenewal({ ...facts, ...more })).toEqual(expected);
  });
});
