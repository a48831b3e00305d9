import { describe, expect, it } from 'vitest';
import { ensurePaired, untilConnected } from '../../../../local-agent/commands/firefox-pairing.ts';
import { EdgeError } from '../../../../local-agent/edge/http-client.ts';
import type { Identity } from '../../../../local-agent/firefox/profile.ts';
import type { CommandCall } from '../../../support/command-deps.ts';
import { commandWorld } from '../../../support/command-deps.ts';

const UUID = '3f1b7c1e-5a0e-4c39-9d3b-0b8f6a2d4c11';
const NEW: Identity = { client_id: 'firefox-1', uuid: UUID, token: null, prefs: [] };
const PAIRED: Identity = { ...NEW, token: { token_id: 'tok_old', secret: 'baa_the_old_secret' } };
const created = {
  token_id: 'tok_new',
  role: 'browser_admin',
  subject: 'firefox-1',
  controller_id: null,
  created_by: 'op',
  created_at: 0,
  expires_at: null,
  revoked_at: null,
  last_used_at: null,
  token: 'baa_the_new_secret',
};
const pinned = { origin: `moz-extension://${UUID}`, client_id: 'firefox-1', waiting_browser_told: false };

/** Edge and agent; `pin` decides what the agent says of a token. */
function world(pin: (token: string) => void = () => undefined) {
  const { deps, calls, err } = commandWorld(({ path, body }: CommandCall) => {
    if (path === '/v1/tokens') return created;
    if (path !== '/v1/pairings') return {};
    pin((body as { token: string }).token);
    return pinned;
  });
  const pairing = {
    agent: deps.connect('agent', 'node'),
    withOperator: <T>(use: (edge: ReturnType<typeof deps.connect>) => Promise<T>) =>
      use(deps.connect('edge', 'operator')),
    warn: deps.warn,
  };
  return { pairing, err, lines: () => calls.map(({ base, method, path }) => `${base} ${method} ${path}`) };
}

const refuse = (code: string, status: number) => (token: string) => {
  if (token === 'baa_the_old_secret') throw new EdgeError('status', status, code, 'no');
};

describe('the pairing of conductor firefox', () => {
  it('a new browser gets a token, which is pinned with its origin', async () => {
    const { pairing, lines } = world();
    const { token } = await ensurePaired(NEW, pairing);
    expect(token).toEqual({ token_id: 'tok_new', secret: 'baa_the_new_secret' });
    expect(lines()).toEqual(['edge POST /v1/tokens', 'agent POST /v1/pairings']);
  });

  it('a token that is still accepted is kept, and the operator’s token is not needed', async () => {
    const { pairing, lines } = world();
    expect((await ensurePaired(PAIRED, pairing)).token).toEqual(PAIRED.token);
    expect(lines()).toEqual(['agent POST /v1/pairings']);
  });

  it('a token that was revoked is replaced by one new token, and revoked for good', async () => {
    const { pairing, lines, err } = world(refuse('forbidden', 403));
    expect((await ensurePaired(PAIRED, pairing)).token.token_id).toBe('tok_new');
    expect(lines()).toEqual([
      'agent POST /v1/pairings',
      'edge POST /v1/tokens',
      'agent POST /v1/pairings',
      'edge DELETE /v1/tokens/tok_old',
    ]);
    expect(err).toEqual(['the pairing of firefox-1 was revoked or is gone; pairing it again']);
  });

  it('the earlier pairing is used when the edge cannot be asked', async () => {
    const { pairing, lines } = world(refuse('edge_unreachable', 503));
    expect((await ensurePaired(PAIRED, pairing)).token).toEqual(PAIRED.token);
    expect(lines()).toEqual(['agent POST /v1/pairings']);
  });

  it('a token that cannot be pinned is revoked, so that none is left over', async () => {
    const { pairing, lines } = world(() => {
      throw new EdgeError('status', 409, 'conflict', 'another browser');
    });
    await expect(ensurePaired(NEW, pairing)).rejects.toMatchObject({ code: 'conflict' });
    expect(lines().at(-1)).toBe('edge DELETE /v1/tokens/tok_new');
  });
});

describe('waiting for the extension', () => {
  const agentWith = (statuses: unknown[]) =>
    commandWorld(() => {
      const next = statuses.shift();
      if (next instanceof Error) throw next;
      return { clients: [{ client_id: 'firefox-2', connected: true }, ...(next === undefined ? [] : [next])] };
    }).deps.connect('agent', 'node');

  it('ends when the agent has that browser as connected, and outlives a restart of the agent', async () => {
    const agent = agentWith([
      { client_id: 'firefox-1', connected: false },
      new EdgeError('network', 0, 'network', 'refused'),
      { client_id: 'firefox-1', connected: true },
    ]);
    expect(await untilConnected(agent, 'firefox-1', { limitMs: 10_000, isOver: () => false })).toBe(true);
  });

  it('ends without success when Firefox has ended, or the time is over', async () => {
    expect(await untilConnected(agentWith([]), 'firefox-1', { limitMs: 10_000, isOver: () => true })).toBe(false);
    expect(await untilConnected(agentWith([]), 'firefox-1', { limitMs: 1, isOver: () => false })).toBe(false);
  });
});
