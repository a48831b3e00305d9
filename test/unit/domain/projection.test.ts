import { describe, expect, it } from 'vitest';
import type { ProjectionFacts } from '../../../schema/domain/projection.ts';
import { skipReason } from '../../../schema/domain/projection.ts';
import { link } from './renewal-fixture.ts';

const NOW = 1_000_000;

describe('a message becomes no job for the reason', () => {
  const facts: ProjectionFacts = {
    automation_status: 'auto',
    link,
    has_job: false,
    newest: true,
    instruction_pending: false,
    task_pending: false,
    ask_pending: false,
    hold: null,
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
    ['task_pending', { task_pending: true }],
    ['ask_pending', { ask_pending: true }],
    ['cooldown', { hold: { reason: 'cooldown', until: NOW + 1 } }],
    ['cooldown', { hold: { reason: 'rate_limited', until: NOW + 1 } }],
    ['limit_reached', { hold: { reason: 'quiet_hours', until: NOW + 1 } }],
    ['superseded', { newest: false, hold: { reason: 'end_date', until: null } }],
  ] as const)('%s', (reason, more) => {
    expect(skipReason({ ...facts, ...more })).toBe(reason);
  });
});
