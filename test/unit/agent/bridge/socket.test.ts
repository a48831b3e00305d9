import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { BridgeSocket } from '../../../../local-agent/bridge/socket.ts';
import { CLOSE } from '../../../../schema/contracts/channel-frames.ts';
import { BRIDGE } from '../../../../schema/defaults.ts';
import { TestClock } from '../../../support/test-clock.ts';

/** Both ends of one connection: ours as a BridgeSocket, the browser's as it is. */
async function connection(frames = { perSec: 1, burst: 100 }): Promise<{ ours: BridgeSocket; theirs: WebSocket }> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const accepted = once(server, 'connection');
  const theirs = new WebSocket(`ws://127.0.0.1:${port}`);
  onTestFinished(() => theirs.terminate());
  const [ws] = await accepted;
  return { ours: new BridgeSocket(ws, new TestClock(), () => undefined, frames), theirs };
}

describe('the socket of a browser', () => {
  it('a socket whose peer does not read is terminated before it fills the memory', async () => {
    const { ours, theirs } = await connection();
    await once(theirs, 'open');
    theirs.pause();
    const closed = new Promise<void>((resolve) => ours.listen({ onFrame: () => undefined, onClose: resolve }));
    const token = 'x'.repeat(BRIDGE.max_buffered_bytes);
    expect(ours.send({ type: 'paired', token })).toBe(true);
    let sent = 0;
    while (sent < 10 && ours.send({ type: 'paired', token })) sent += 1;
    expect(sent).toBeLessThan(10);
    await closed;
    expect(ours.send({ type: 'paired', token: 'late' })).toBe(false);
  });

  it('a socket takes no frame after it was closed', async () => {
    const { ours, theirs } = await connection();
    await once(theirs, 'open');
    const frames: unknown[] = [];
    const closed = new Promise<void>((resolve) =>
      ours.listen({ onFrame: (json) => frames.push(json), onClose: resolve }),
    );
    ours.close(4401, 'no');
    theirs.send('{}');
    await closed;
    expect(frames).toEqual([]);
  });

  it('a socket whose peer sends too many frames is closed with 4429', async () => {
    const { ours, theirs } = await connection({ perSec: 1, burst: 3 });
    await once(theirs, 'open');
    const frames: unknown[] = [];
    ours.listen({ onFrame: (json) => frames.push(json), onClose: () => undefined });
    const closed = once(theirs, 'close');
    for (let n = 0; n < 10; n += 1) theirs.send(String(n));
    expect((await closed)[0]).toBe(CLOSE.too_fast);
    expect(frames).toEqual([0, 1, 2]);
  });
});
