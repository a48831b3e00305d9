import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runCli } from '../../../../local-agent/commands/main.ts';
import { createEdgeClient } from '../../../../local-agent/edge/http-client.ts';
import { commandWorld } from '../../../support/command-deps.ts';
import { FakeEdge, leaseResponse } from '../../../support/fake-edge.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const session = {
  token_id: 'tok_1',
  role: 'controller',
  subject: 'mini',
  controller_id: 'mini',
  via: 'token',
  expires_at: null,
};

describe('start', () => {
  it('a node id that nothing names is the one of the token', async () => {
    const edge = await FakeEdge.start();
    onTestFinished(() => edge.stop());
    edge.on('GET', /^\/v1\/session$/, () => ({ data: session }));
    edge.on('POST', /heartbeat/, () => ({ data: { controller_id: 'mini' } }));
    edge.on('POST', /acquire/, () => ({ data: leaseResponse() }));
    const world = commandWorld(() => null, {
      env: { BAA_ROOT: tempDir(), BAA_CONTROL_API_BASE: edge.url, BAA_SHARED_TOKEN: 'baa_node' },
      connect: (baseUrl, token) => createEdgeClient({ baseUrl, token, now: Date.now }),
    });
    await runCli(['start', '--run-once', '--json'], world.deps);
    expect(JSON.parse(world.stdout())).toMatchObject({ identity: { controller_id: 'mini' } });
  });

  it('says at once that the policy is broken and denies everything', async () => {
    const edge = await FakeEdge.start();
    onTestFinished(() => edge.stop());
    edge.on('GET', /^\/v1\/session$/, () => ({ data: session }));
    edge.on('POST', /heartbeat/, () => ({ data: { controller_id: 'mini' } }));
    edge.on('POST', /acquire/, () => ({ data: leaseResponse() }));
    const root = tempDir();
    writeFileSync(join(root, 'policy.json'), '{"mode": "enforc');
    const world = commandWorld(() => null, {
      env: { BAA_ROOT: root, BAA_CONTROL_API_BASE: edge.url, BAA_SHARED_TOKEN: 'baa_node' },
      connect: (baseUrl, token) => createEdgeClient({ baseUrl, token, now: Date.now }),
    });
    await runCli(['start', '--run-once'], world.deps);
    expect(world.stderr().match(/warning: .*policy\.json.*it is not JSON/g)).toHaveLength(1);
  });

  it('the name alone on a terminal shows the help and starts nothing', async () => {
    const world = commandWorld(() => null, { isTerminal: true });
    expect(await runCli([], world.deps)).toBe(0);
    expect(world.stdout()).toMatch(/Usage: conductor/);
    expect(world.calls).toEqual([]);
  });
});
