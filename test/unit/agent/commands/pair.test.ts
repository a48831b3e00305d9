import { describe, expect, it } from 'vitest';
import { runCli } from '../../../../local-agent/commands/main.ts';
import type { CommandCall } from '../../../support/command-deps.ts';
import { commandWorld } from '../../../support/command-deps.ts';

const ORIGIN = 'moz-extension://01234567-89ab-cdef-0123-456789abcdef';
const created = {
  token_id: 'tok_1',
  role: 'browser_admin',
  subject: 'firefox-1',
  controller_id: null,
  created_by: 'op',
  created_at: 0,
  expires_at: null,
  revoked_at: null,
  last_used_at: null,
  token: 'baa_client_secret_0001',
};

/** Responds as edge and agent; each read of the pairing window gets the next state. */
function system(windows: unknown[] = []) {
  return ({ method, path }: CommandCall): unknown => {
    if (path === '/v1/tokens') return created;
    if (path === '/v1/pairings') return { origin: ORIGIN, client_id: 'firefox-1', waiting_browser_told: true };
    if (path === '/v1/pairing' && method === 'POST') return { code: '12345678', expires_in_ms: 300_000 };
    return windows.shift();
  };
}

describe('pair --origin', () => {
  it('pair creates the browser’s token and passes it to the agent', async () => {
    const world = commandWorld(system());
    const code = await runCli(['pair', '--origin', ORIGIN, '--client-id', 'firefox-1', '--json'], world.deps);
    expect(code).toBe(0);
    expect(JSON.parse(world.stdout())).toMatchObject({ token: created.token });
    expect(world.calls).toEqual([
      {
        base: 'http://edge',
        token: 'operator',
        method: 'POST',
        path: '/v1/tokens',
        body: { role: 'browser_admin', subject: 'firefox-1' },
      },
      {
        base: 'http://127.0.0.1:4317',
        token: 'node',
        method: 'POST',
        path: '/v1/pairings',
        body: { origin: ORIGIN, client_id: 'firefox-1', token: created.token },
      },
    ]);
  });

  it.each([
    [['--origin', 'https://evil.example', '--client-id', 'c'], /--origin/],
    [['--origin', ORIGIN], /--client-id/],
  ])('pair refuses %j before it creates a token', async (argv, message) => {
    const world = commandWorld(system());
    expect(await runCli(['pair', ...argv], world.deps)).toBe(2);
    expect(world.stderr()).toMatch(message);
    expect(world.calls).toEqual([]);
  });
});

describe('pair with a code', () => {
  const open = { state: 'open', expires_in_ms: 200_000, tries_left: 5 };

  it('pair shows the code, waits for the browser, then creates the token', async () => {
    const claimed = { state: 'claimed', expires_in_ms: 100_000, origin: ORIGIN, client_id: 'firefox-1' };
    const world = commandWorld(system([open, claimed]));
    expect(await runCli(['pair'], world.deps)).toBe(0);
    expect(world.stdout()).toMatch('12345678');
    expect(world.calls.map(({ path }) => path.split('?')[0])).toEqual([
      '/v1/pairing',
      '/v1/pairing',
      '/v1/pairing',
      '/v1/tokens',
      '/v1/pairings',
    ]);
  });

  it('pair creates no token when no browser sends the code', async () => {
    const world = commandWorld(system([open, { state: 'closed' }]));
    expect(await runCli(['pair'], world.deps)).toBe(1);
    expect(world.calls.some(({ path }) => path === '/v1/tokens')).toBe(false);
  });

  it('pair --json prints only the result on standard output', async () => {
    const claimed = { state: 'claimed', expires_in_ms: 100_000, origin: ORIGIN, client_id: 'firefox-1' };
    const world = commandWorld(system([claimed]));
    await runCli(['pair', '--json'], world.deps);
    expect(JSON.parse(world.stdout())).toMatchObject({ client_id: 'firefox-1' });
    expect(world.stderr()).toMatch('12345678');
  });
});
