import { describe, expect, it } from 'vitest';
import { runCli } from '../../../../local-agent/commands/main.ts';
import { commandWorld } from '../../../support/command-deps.ts';

const SETTINGS = {
  address_origin: 'https://ntfy.sh',
  format: 'ntfy',
  language: 'en',
  has_secret: true,
  quiet_hours: { from: '22:00', to: '07:00' },
  time_zone: 'Europe/Berlin',
  page_origin: 'https://conductor.example.com',
  updated_at: 0,
};
const SENT = {
  notice_id: 'ntc_1',
  cause: 'approval',
  object_id: 'ins_1',
  state: 'failed',
  attempt_count: 5,
  last_error: 'http_500',
  due_at: null,
  created_at: Date.parse('2026-11-26T12:00:00Z'),
  sent_at: 0,
  accepted_at: null,
  ended_at: null,
};
const NOTICES = { settings: SETTINGS, waiting: 0, sent: [SENT] };

describe('notices', () => {
  it('show prints where notices are sent and the outcome of each', async () => {
    const world = commandWorld(() => NOTICES);
    expect(await runCli(['notices', 'show'], world.deps)).toBe(0);
    expect(world.stdout()).toMatch(/quiet hours +22:00–07:00 Europe\/Berlin/);
    expect(world.stdout()).toMatch(/2026-11-26 12:00:00 UTC +approval +ins_1 +failed +5 +http_500/);
  });

  it('set sends what is named, and asks for the secret', async () => {
    const world = commandWorld(() => NOTICES, { readSecret: async () => 'tk_1\n' });
    const options = ['--address', 'https://ntfy.sh/x', '--format', 'ntfy', '--secret', '--quiet-hours', '22:00-07:00'];
    expect(await runCli(['notices', 'set', ...options], world.deps)).toBe(0);
    expect(world.calls[0]).toMatchObject({ method: 'PUT', path: '/v1/notices' });
    expect(world.calls[0]?.body).toEqual({
      address: 'https://ntfy.sh/x',
      format: 'ntfy',
      secret: 'tk_1',
      quiet_hours: { from: '22:00', to: '07:00' },
    });
  });

  it.each([
    [['--off', '--no-secret'], { address: null, secret: null }],
    [['--quiet-hours', 'none'], { quiet_hours: null }],
    [['--address', '-'], { address: 'typed' }],
  ])('set %j sends exactly that', async (options, body) => {
    const world = commandWorld(() => NOTICES, { readSecret: async () => 'typed' });
    expect(await runCli(['notices', 'set', ...options], world.deps)).toBe(0);
    expect(world.calls[0]?.body).toEqual(body);
  });

  it.each([[[]], [['--quiet-hours', 'at night']], [['--time-zone', 'Mars/Olympus']], [['--format', 'morse']]])(
    'set %j is a usage error that names the option, and sends nothing',
    async (options) => {
      const world = commandWorld(() => NOTICES);
      expect(await runCli(['notices', 'set', ...options], world.deps)).toBe(2);
      expect(world.calls).toEqual([]);
      expect(world.stderr()).toMatch(/--quiet-hours|time_zone|--address|--format/);
    },
  );

  it.each([
    [{ state: 'accepted', error: null }, 0, /accepted the test notice/],
    [{ state: 'failed', error: 'timeout' }, 1, /did not accept the test notice: timeout/],
  ])('test ends with its outcome', async (outcome, code, text) => {
    const world = commandWorld(() => outcome);
    expect(await runCli(['notices', 'test'], world.deps)).toBe(code);
    expect(world.stdout() + world.stderr()).toMatch(text);
  });
});
