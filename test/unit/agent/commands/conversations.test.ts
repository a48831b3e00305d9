import { describe, expect, it } from 'vitest';
import { runCli } from '../../../../local-agent/commands/main.ts';
import { RENEWAL_SETTINGS } from '../../../../schema/defaults.ts';
import { commandWorld } from '../../../support/command-deps.ts';

const AT = Date.parse('2026-11-21T22:00:00Z');
const conversation = {
  local_conversation_id: 'lc_1',
  platform: 'chatgpt',
  remote_conversation_id: 'r',
  automation_status: 'auto',
  last_non_paused_automation_status: 'auto',
  pause_reason: null,
  paused_at: null,
  title: 'Plan',
  last_message_id: null,
  last_message_at: null,
  created_at: 0,
  updated_at: 0,
};
const detail = {
  ...conversation,
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
  it('list prints one row for a conversation whose title has line breaks and tabs', async () => {
    const forged = { ...conversation, title: 'Plan\nlc_2\tchatgpt\tauto' };
    const world = commandWorld(() => ({ items: [forged], next_cursor: null }));
    await runCli(['conversations', 'list'], world.deps);
    const rows = world.stdout().split('\n').slice(1);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toContain('Plan\\u{a}lc_2\\u{9}chatgpt\\u{9}auto');
  });

  it('list applies filters and prints the cursor of the next page', async () => {
    const world = commandWorld(() => ({ items: [conversation], next_cursor: 'abc' }));
    await runCli(['conversations', 'list', '--status', 'auto', '--limit', '1'], world.deps);
    expect(world.calls[0]?.path).toBe('/v1/renewal/conversations?status=auto&limit=1');
    expect(world.stdout()).toMatch(/lc_1 +chatgpt +auto/);
    expect(world.stderr()).toMatch('--cursor abc');
  });

  it.each([
    ['30', 30],
    ['always', 'always'],
    ['default', 'default'],
  ])('keep --days %s sets for how long texts are kept, and says it', async (choice, days) => {
    const world = commandWorld(() => ({ days: days === 'default' ? 90 : days, is_own: days !== 'default' }));
    expect(await runCli(['conversations', 'keep', 'lc_1', '--days', choice], world.deps)).toBe(0);
    expect(world.calls[0]).toMatchObject({ path: '/v1/renewal/conversations/lc_1/keep', body: { days } });
    const said = { 30: '30 days', always: 'always', default: '90 days, as for all conversations' }[choice];
    expect(world.stdout()).toBe(`lc_1: texts are kept: ${said}`);
  });

  it('keep takes no other number of days', async () => {
    const world = commandWorld(() => ({}));
    expect(await runCli(['conversations', 'keep', 'lc_1', '--days', '31'], world.deps)).toBe(2);
    expect(world.calls).toEqual([]);
  });

  it.each(['auto', 'manual', 'paused', 'resume'])('%s posts the change with its reason', async (name) => {
    const world = commandWorld(() => conversation);
    expect(await runCli(['conversations', name, 'lc_1', '--reason', 'why'], world.deps)).toBe(0);
    expect(world.calls[0]).toMatchObject({
      method: 'POST',
      path: `/v1/renewal/conversations/lc_1/${name}`,
      body: { reason: 'why' },
    });
  });

  it('show prints when the next renewal is due and why not now', async () => {
    const world = commandWorld(() => detail);
    expect(await runCli(['conversations', 'show', 'lc_1'], world.deps)).toBe(0);
    expect(world.stdout()).toMatch(/next renewal +not due: quiet_hours, until 2026-11-21 22:00:00/);
    expect(world.stdout()).toMatch(/today +3 of 200/);
  });

  it('limits shows the settings of a scope, and with --set replaces them', async () => {
    const response = { scope: 'platform', settings: { max_per_day: 5 }, effective: RENEWAL_SETTINGS };
    const world = commandWorld(() => response);
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

  it.each(['{', '{"max_per_day":0}', '{"unheard_of":1}'])(
    'limits refuses --set %s before it calls the edge',
    async (set) => {
      const world = commandWorld(() => ({}));
      expect(await runCli(['conversations', 'limits', '--set', set], world.deps)).toBe(2);
      expect(world.stderr()).toMatch('--set');
      expect(world.calls).toEqual([]);
    },
  );
});
