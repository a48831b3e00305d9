import { describe, expect, it } from 'vitest';
import { runCli } from '../../../../local-agent/commands/main.ts';
import { commandWorld } from '../../../support/command-deps.ts';

const LINK = { sign_in_url: 'http://edge/v1/session/link/code', expires_at: 1_800_000_000_000 };

describe('conductor open', () => {
  it('prints the link alone on standard output, and how long it lasts beside it', async () => {
    const world = commandWorld(() => LINK);
    expect(await runCli(['open'], world.deps)).toBe(0);
    expect(world.calls).toMatchObject([
      { base: 'http://edge', token: 'operator', method: 'POST', path: '/v1/session/links' },
    ]);
    expect(world.stdout()).toBe(LINK.sign_in_url);
    expect(world.stderr()).toContain('within five minutes');
  });

  it('prints what programs need as JSON', async () => {
    const world = commandWorld(() => LINK);
    await runCli(['open', '--json'], world.deps);
    expect(JSON.parse(world.stdout())).toEqual(LINK);
  });
});
