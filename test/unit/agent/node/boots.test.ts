import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { startAgent } from '../../../../local-agent/agent.ts';
import { resolveConfig } from '../../../../local-agent/config/resolve.ts';
import { createEdgeClient } from '../../../../local-agent/edge/http-client.ts';
import { systemClock } from '../../../../local-agent/lib/clock.ts';
import { makeRoot } from '../../../../local-agent/node/folders.ts';
import { CLOSE } from '../../../../schema/contracts/channel-frames.ts';
import { FakeEdge } from '../../../support/fake-edge.ts';
import { serveStartUp } from '../../../support/lease-edge.ts';
import { tempDir } from '../../../support/temp-dir.ts';

let edge: FakeEdge;
beforeEach(async () => {
  edge = serveStartUp(await FakeEdge.start());
});
afterEach(() => edge.stop());

async function start(root: string, bootId: string) {
  const logged: string[] = [];
  const env = {
    BAA_ROOT: root,
    BAA_NODE_ID: 'node-a',
    BAA_CONTROL_API_BASE: edge.url,
    BAA_CONDUCTOR_LOCAL_API: 'http://127.0.0.1:0',
    BAA_SHARED_TOKEN: 'node-token',
  };
  const { config } = resolveConfig({ flags: {}, env, readFile: () => null });
  makeRoot(config);
  const agent = await startAgent(
    config,
    {
      clock: systemClock,
      random: () => 0,
      newOutboxId: () => 'box',
      newBootId: () => bootId,
      newTemporaryName: () => 'tmp',
      version: '1.2.3',
      pid: 1,
      env: {},
      log: pino({ level: 'error' }, { write: (line: string) => void logged.push(line) }),
      connect: (baseUrl, token, caller) => createEdgeClient({ baseUrl, token, now: systemClock.now, ...caller }),
    },
    { warnings: [], once: false },
  );
  let isStopped = false;
  const stop = async () => {
    if (!isStopped) await agent.stop();
    isStopped = true;
  };
  onTestFinished(stop);
  return { agent, stop, logged };
}

describe('the boot of an agent', () => {
  it('is named in its requests and its hello, with the one before it that the edge has admitted', async () => {
    const root = tempDir();
    const first = await start(root, 'first');
    expect(await (await edge.channel(0)).frame('hello')).toMatchObject({ boot_id: 'first', previous_boot_id: null });
    await first.stop();
    await start(root, 'second');
    expect(await (await edge.channel(1)).frame('hello')).toMatchObject({
      boot_id: 'second',
      previous_boot_id: 'first',
    });
    const boots = edge.requests
      .filter(({ path }) => path.endsWith('heartbeat'))
      .map(({ headers }) => [headers['x-baa-boot-id'], headers['x-baa-previous-boot-id']]);
    expect(boots[0]).toEqual(['first', undefined]);
    expect(boots.at(-1)).toEqual(['second', 'first']);
  });

  it('that the edge has refused is not the one that the next process names', async () => {
    const root = tempDir();
    edge.on('POST', /heartbeat|acquire/, () => ({ error: 'duplicate_node' }));
    const refused = await start(root, 'refused');
    await refused.stop();
    serveStartUp(edge);
    await start(root, 'next');
    expect(await (await edge.channel(1)).frame('hello')).toMatchObject({ boot_id: 'next', previous_boot_id: null });
  });
});

describe('an agent that the edge refuses because another one is its node', () => {
  it('says so with what to do, takes no work, and takes work once it is admitted', async () => {
    edge.on('POST', /heartbeat|acquire/, () => ({ error: 'duplicate_node' }));
    const { agent, logged } = await start(tempDir(), 'second');
    const [register] = agent.snapshot().checklist;
    expect(register?.status).toBe('failed');
    expect(agent.snapshot().checklist.at(-1)?.note).toContain(
      'takes no work: another agent runs under the id of this node',
    );
    expect(logged.join('')).toContain('another agent runs under the node id node-a; stop it');
    expect(agent.snapshot().warnings).toEqual([expect.stringMatching(/^another agent runs under the node id node-a/)]);
    const channel = await edge.channel();
    await channel.frame('hello');
    channel.socket.close(CLOSE.duplicate, 'another agent');
    expect(agent.snapshot().loops.scheduler).toBe(false);
    serveStartUp(edge);
    const again = await edge.channel(1);
    await again.frame('hello');
    again.greet();
    await expect.poll(() => agent.snapshot().loops.scheduler).toBe(true);
    expect(agent.snapshot().warnings).toEqual([]);
  });
});
