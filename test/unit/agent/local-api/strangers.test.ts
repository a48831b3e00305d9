import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { inspect } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LogLimit } from '../../../../local-agent/lib/log-limit.ts';
import { RateLimiter } from '../../../../local-agent/lib/rate-limit.ts';
import { startLocalApi } from '../../../../local-agent/local-api/server.ts';
import { AppError } from '../../../../schema/errors.ts';
import { until } from '../../../support/until.ts';

const TOKEN = 'the-token-of-the-node';
const MAX = 4;

async function start(strangers = { max: MAX, proveMs: 60_000 }) {
  const logged: string[] = [];
  const note = (...entry: unknown[]): void => void logged.push(inspect(entry));
  const limiter = (burst: number) => new RateLimiter({ perSec: 1, burst }, () => 0);
  const api = await startLocalApi({
    address: 'http://127.0.0.1:0',
    sharedToken: TOKEN,
    routes: [{ method: 'GET', path: '/v1/status', run: () => ({}) }],
    newRequestId: () => 'req',
    failures: limiter(20),
    refusals: new LogLimit(limiter(3)),
    onUpgrade: () => {
      throw new AppError('forbidden', 'this Origin is not a paired extension');
    },
    strangers,
    log: { warn: note, error: note },
  });
  onTestFinished(() => api.close());
  return { url: api.url, port: Number(new URL(api.url).port), logged };
}

async function openSocket(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** Sends a request on a connection that stays open, and waits for its response. */
async function ask(socket: Socket, token: string): Promise<string> {
  const { localAddress, remotePort } = socket;
  const head = [`host: ${localAddress}:${remotePort}`, `authorization: Bearer ${token}`, 'connection: keep-alive'];
  socket.write(`GET /v1/status HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n`);
  const [chunk] = await once(socket, 'data');
  return String(chunk);
}

describe('connections of strangers to the local API', () => {
  it('that say nothing are closed, the oldest first, so that a caller with the token is served', async () => {
    const { port } = await start();
    const idle: Socket[] = [];
    for (let count = 0; count < 3 * MAX; count += 1) idle.push(await openSocket(port));
    await until(() => idle.filter(({ closed }) => closed).length >= 2 * MAX);
    expect(await ask(await openSocket(port), TOKEN)).toMatch(/^HTTP\/1.1 200/);
    await until(() => idle.filter(({ closed }) => closed).length === 2 * MAX + 1);
    expect(idle.slice(0, 2 * MAX + 1).every(({ closed }) => closed)).toBe(true);
  });

  it('are closed when they have not proved themselves in time, with or without requests', async () => {
    const { port } = await start({ max: 100, proveMs: 300 });
    const silent = await openSocket(port);
    const guessing = await openSocket(port);
    expect(await ask(guessing, 'a-wrong-token')).toMatch(/^HTTP\/1.1 401/);
    const proved = await openSocket(port);
    expect(await ask(proved, TOKEN)).toMatch(/^HTTP\/1.1 200/);
    await until(() => silent.closed && guessing.closed);
    expect(proved.closed).toBe(false);
  });

  it('do not close a connection that has proved itself, however many there are', async () => {
    const { port } = await start();
    const proved = await openSocket(port);
    expect(await ask(proved, TOKEN)).toMatch(/^HTTP\/1.1 200/);
    const idle: Socket[] = [];
    for (let count = 0; count < 3 * MAX; count += 1) idle.push(await openSocket(port));
    await until(() => idle.filter(({ closed }) => closed).length >= 2 * MAX);
    expect(proved.closed).toBe(false);
  });
});

describe('refused upgrades of strangers', () => {
  it('are logged without a stack, with a short Origin, and only some of them, which are counted', async () => {
    const { port, logged } = await start();
    const origin = 'x'.repeat(12_000);
    for (let count = 0; count < 20; count += 1) {
      const socket = await openSocket(port);
      const head = [`host: 127.0.0.1:${port}`, `origin: ${origin}`, 'connection: upgrade', 'upgrade: websocket'];
      socket.write(`GET /ws/firefox HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n`);
      expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1.1 403/);
    }
    expect(logged).toHaveLength(3);
    for (const line of logged) expect(line.length).toBeLessThan(400);
    expect(logged.join('')).not.toMatch(/\.ts:/);
    expect(logged[0]).toMatch(/12000 characters/);
  });
});
