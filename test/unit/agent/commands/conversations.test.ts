import { describe, expect, it } from 'vitest';
import { runCli } from '../../../../local-agent/commands/main.ts';
import { RENEWAL_SETTINGS } from '../../../../schema/defaults.ts';
import { commandWorld } from '../../../support/command-deps.ts';

const AT = Date.parse('2026-11-21T22:00:00Z');
const detail = {
  local_conversation_id: 'lc_1',
  platform: 'chatgpt',
  remote_conversation_id: 'r',
  automation_status: 'auto',
  last_non_paused_automation_status: 'auto',
  pause_reason: null,
  paused_at: null,
  title: 'A chat',
  last_message_id: null,
  last_message_at: null,
  created_at: 1,
  updated_at: 1,
  active_link: null,
  limits: RENEWAL_SETTINGS,
  counters: {
    renewals_in_row: 2,
    renewals_without_effect: 1,
    repeated_renewals: 1,
    renewals_today: 3,
    cooldown_until: null,
  },
  next_renewal: { due: false, at: AT, reason: 'quiet_hours' },
};

describe('conversations', () => {
  it('show says when the next renewal is due and why not now', async () => {
    const world = commandWorld(() => detail);
    expect(await runCli(['conversations', 'show', 'lc_1'], world.deps)).toBe(0);
    expect(world.stdout()).toMatch(/next renewal +not due: quiet_hours, until 2026-11-21 22:00:00/);
    expect(world.stdout()).toMatch(/today +3 of 200/);
  });

  it('limits reads a scope, and sets it when told what', async () => {
    const answer = { scope: 'platform', settings: { max_per_day: 5 }, effective: RENEWAL_SETTINGS };
    const world = commandWorld(() => answer);
    expect(await runCli(['conversations', 'limits', '--platform', 'claude'], world.deps)).toBe(0);
    const set = ['conversations', 'limits', '--platform', 'claude', '--set', '{"max_per_day":5}'];
    expect(await runCli(set, world.deps)).toBe(0);
    expect(world.calls).toMatchObject([
      { method: 'GET', path: '/v1/renewal/settings?platform=claude' },
      {
        method: 'PUT',
        path: '/v1/renewal/settings',
        body: { platform: 'claude', settings: { max_per_day: 5 } },
      },
    ]);
  });

  it.each(['{', '{"max_per_day":0}', '{"unheard_of":1}'])('limits refuses --set %s before it asks', async (set) => {
    const world = commandWorld(() => ({}));
    expect(await runCli(['conversations', 'limits', '--set', set], world.deps)).toBe(2);
    expect(world.stderr()).toMatch('--set');
    expect(world.calls).toEqual([]);
  });
});
