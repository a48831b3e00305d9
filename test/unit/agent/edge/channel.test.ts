import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { ChannelDeps, PushedFrame } from '../../../../local-agent/edge/channel.ts';
import { Channel } from '../../../../local-agent/edge/channel.ts';
import { CLOSE } from '../../../../schema/contracts/channel-frames.ts';
import { CHANNEL } from '../../../../schema/defaults.ts';
import { FakeEdge, leaseResponse } from '../../../support/fake-edge.ts';
import { TestClock } from '../../../support/test-clock.ts';

let edge: FakeEdge;
beforeEach(async () => {
  edge = await FakeEdge.start();
});
afterEach(() => edge.stop());

/** A callback whose next call a test can wait for. */
function next<T>(): { call: (value: T) => void; value: Promise<T> } {
  const { promise, resolve } = Promise.withResolvers<T>();
  return { call: resolve, value: promise };
}

function setUp(over: Partial<ChannelDeps> = {}) {
  const clock = new TestClock();
  const problems: string[] = [];
  const channel = new Channel({
    url: `${edge.url.replace('http', 'ws')}/v1/controllers/node-a/channel`,
    token: 'secret',
    pingIntervalMs: 5_000,
    clock,
    random: () => 0.5,
    hello: () => ({
      type: 'hello',
      controller_id: 'node-a',
      host: 'localhost',
      role: 'primary',
      preferred: true,
      priority: 100,
      version: 'test',
      boot_id: 'boot',
      mode_version: 0,
      term: 0,
    }),
    onPong: () => undefined,
    onHelloAck: () => undefined,
    onPushed: () => undefined,
    onDuplicate: () => undefined,
    onProblem: (message) => problems.push(message),
    ...over,
  });
  onTestFinished(() => channel.stop());
  return { clock, channel, problems };
}

/** Starts the channel and greets it; resolves when it is usable. */
async function ready(channel: Channel, index = 0) {
  const connected = next<boolean>();
  const off = channel.connected.on((isConnected) => isConnected && connected.call(true));
  if (index === 0) channel.start();
  const socket = await edge.channel(index);
  await socket.frame('hello');
  socket.greet();
  await connected.value;
  off();
  return socket;
}

describe('the channel', () => {
  it('the channel sends its token in a header and identifies itself in the hello', async () => {
    const { channel } = setUp();
    const socket = await ready(channel);
    expect(socket.headers.authorization).toBe('Bearer secret');
    expect(await socket.frame('hello')).toMatchObject({ controller_id: 'node-a', boot_id: 'boot' });
    expect(channel.isReady).toBe(true);
  });

  it('the channel is not usable before the edge has responded to the hello', async () => {
    const { channel } = setUp();
    channel.start();
    await (await edge.channel()).frame('hello');
    expect(channel.isReady).toBe(false);
    expect(channel.renew(1, 30, 1_000)).toBeNull();
  });

  it('the channel pings with the exact text and reports the pong', async () => {
    const pong = next<{ mode_version: number; term: number }>();
    const { clock, channel } = setUp({ onPong: pong.call });
    await ready(channel);
    edge.pong = { mode_version: 7, term: 3 };
    await clock.elapse(5_000);
    expect(await pong.value).toEqual({ mode_version: 7, term: 3 });
    expect(edge.pings).toBe(1);
  });

  it('the channel reconnects when two pings get no pong', async () => {
    const lost = next<boolean>();
    const { clock, channel } = setUp();
    await ready(channel);
    edge.sendsPongs = false;
    channel.connected.on(lost.call);
    await clock.elapse(15_000);
    expect(await lost.value).toBe(false);
    await clock.elapse(250);
    await ready(channel, 1);
    expect(channel.isReady).toBe(true);
  });

  it('the channel reconnects with full jitter when the edge cuts it, and sends hello again', async () => {
    const lost = next<boolean>();
    const { clock, channel, problems } = setUp();
    const socket = await ready(channel);
    channel.connected.on(lost.call);
    socket.socket.terminate();
    await lost.value;
    expect(edge.channels).toHaveLength(1);
    await clock.elapse(250);
    await (await edge.channel(1)).frame('hello');
    expect(problems).toEqual(['the channel to the edge was lost']);
  });

  it('the channel waits longest when another agent has replaced it', async () => {
    const lost = next<Record<string, unknown>>();
    const { channel } = setUp({ onProblem: (_, fields) => lost.call(fields) });
    const socket = await ready(channel);
    socket.socket.close(CLOSE.replaced);
    expect(await lost.value).toEqual({
      reason: 'another agent runs under the id of this node',
      retry_in_ms: CHANNEL.reconnect_max_ms / 2,
    });
  });

  it('the channel waits longer after each failed connection', async () => {
    edge.acceptsChannels = false;
    const delays: unknown[] = [];
    const failed: (() => void)[] = [];
    const { clock, channel } = setUp({
      onProblem: (_, fields) => {
        delays.push(fields.retry_in_ms);
        failed.shift()?.();
      },
    });
    const failure = () => new Promise<void>((resolve) => failed.push(resolve));
    const first = failure();
    channel.start();
    await first;
    for (const ms of [250, 500, 1_000]) {
      const again = failure();
      await clock.elapse(ms);
      await again;
    }
    expect(delays).toEqual([250, 500, 1_000, 2_000]);
  });

  it('the channel is alive for two ping intervals after a pong or a frame', async () => {
    const pong = next<unknown>();
    const { clock, channel } = setUp({ onPong: pong.call, pingIntervalMs: 4_000 });
    expect(channel.isAlive(clock.monotonic())).toBe(false);
    const socket = await ready(channel);
    const heardAt = clock.monotonic();
    expect([channel.isAlive(heardAt + 8_000), channel.isAlive(heardAt + 8_001)]).toEqual([true, false]);
    await clock.elapse(4_000);
    await pong.value;
    expect(channel.isAlive(heardAt + 12_000)).toBe(true);
    const closed = next<boolean>();
    channel.connected.on(closed.call);
    socket.socket.terminate();
    await closed.value;
    expect(channel.isAlive(clock.monotonic())).toBe(false);
  });

  it('the channel is alive for nine seconds at the longest, however rare its pings are', async () => {
    const { clock, channel } = setUp({ pingIntervalMs: 60_000 });
    await ready(channel);
    const heardAt = clock.monotonic();
    expect([channel.isAlive(heardAt + 9_000), channel.isAlive(heardAt + 9_001)]).toEqual([true, false]);
  });

  it('the channel carries a renewal and its response', async () => {
    const { channel } = setUp();
    const socket = await ready(channel);
    const renewal = channel.renew(4, 30, 5_000);
    expect(await socket.frame('lease.renew')).toEqual({ type: 'lease.renew', term: 4, ttl_sec: 30 });
    socket.send({ type: 'lease.result', ...leaseResponse({ term: 4 }) });
    expect(await renewal).toMatchObject({ term: 4, is_leader: true });
  });

  it('the channel drops its socket when a renewal gets no response', async () => {
    const { clock, channel } = setUp();
    await ready(channel);
    const failure = channel.renew(4, 30, 5_000)?.catch((error: Error) => error.message);
    await clock.elapse(5_000);
    expect(await failure).toMatch(/a renewal got no response/);
    expect(channel.isReady).toBe(false);
  });

  it('the channel responds with an error to a frame that it cannot read, and stays open', async () => {
    const pushed = next<PushedFrame>();
    const { channel } = setUp({ onPushed: pushed.call });
    const socket = await ready(channel);
    socket.socket.send(JSON.stringify({ type: 'from.the.future', x: 1 }));
    expect(await socket.frame('error')).toEqual({ type: 'error', re: 'from.the.future', code: 'invalid_request' });
    socket.send({ type: 'mode.changed', mode: 'paused', mode_version: 2 });
    expect(await pushed.value).toEqual({ type: 'mode.changed', mode: 'paused', mode_version: 2 });
  });

  it('a stopped channel leaves no timer and no socket', async () => {
    const { clock, channel } = setUp();
    const socket = await ready(channel);
    const closed = next<number>();
    socket.socket.on('close', closed.call);
    channel.stop();
    expect(await closed.value).toBe(1000);
    expect(clock.pendingTimers).toBe(0);
  });
});
