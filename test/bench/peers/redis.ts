/** Redis with an append-only file that is synced at every write; a lease is a key, its rules a Lua script. */
import type { Socket } from 'node:net';
import type { Cleanup } from '../harness/cleanup.ts';
import type { PeerStart } from './peer.ts';
import { CONTENDER, expectAnswer, HOLDER, LEASE_MS } from './peer.ts';
import { findProgram, freePort, openSocket, startServer, whenReady } from './server-process.ts';

/** KEYS[1] lease; ARGV: operation, holder, milliseconds. Answers 1 or 0. */
const SCRIPT = `
local holder = redis.call('GET', KEYS[1])
if ARGV[1] == 'acquire' then
  if holder then return 0 end
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
elseif holder ~= ARGV[2] then return 0
elseif ARGV[1] == 'renew' then redis.call('PEXPIRE', KEYS[1], ARGV[3])
else redis.call('DEL', KEYS[1]) end
return 1`;

/** As much of the Redis protocol as one question at a time needs; answers are one line, or a bulk string. */
class RedisConnection {
  readonly #socket: Socket;
  #received = '';
  #waiting: { resolve(line: string): void; reject(error: Error): void } | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1').on('data', (data: string) => this.#take(data));
    socket.on('error', (error) => this.#waiting?.reject(error));
  }

  ask(...words: string[]): Promise<string> {
    const bulk = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(`*${words.length}\r\n${bulk.join('')}`);
    });
  }

  #take(data: string): void {
    this.#received += data;
    const lines = this.#received.split('\r\n');
    const isBulk = this.#received.startsWith('$');
    if (lines.length < (isBulk ? 3 : 2)) return;
    const answer = (isBulk ? lines[1] : lines[0]) ?? '';
    this.#received = '';
    if (answer.startsWith('-')) this.#waiting?.reject(new Error(answer));
    else this.#waiting?.resolve(answer);
  }
}

async function open(port: number, cleanup: Cleanup): Promise<RedisConnection> {
  const connection = new RedisConnection(await openSocket({ port }, cleanup));
  await connection.ask('PING');
  return connection;
}

/** The port of a server over a folder of its own; or why there is none. */
export async function startRedisServer(cleanup: Cleanup): Promise<{ port: number } | { absent: string }> {
  const program = findProgram('redis-server');
  if (program === null) return { absent: 'there is no redis-server (Debian: redis-server)' };
  const port = await freePort();
  const durable = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', cleanup.folder(), ...durable];
  const server = startServer(cleanup, program, args);
  await whenReady(server, () => open(port, cleanup));
  return { port };
}

export const startRedis: PeerStart = async (cleanup, lanes) => {
  const server = await startRedisServer(cleanup);
  if ('absent' in server) return { absent: `Redis: ${server.absent}` };
  const { port } = server;
  const connections = await Promise.all(Array.from({ length: lanes }, () => open(port, cleanup)));
  const sha = (await connections[0]?.ask('SCRIPT', 'LOAD', SCRIPT)) ?? '';
  let asked = 0;
  const run = async (lane: number, key: string, operation: string, holder: string, wanted: boolean): Promise<void> => {
    asked += 1;
    const ms = String(LEASE_MS + (asked % 1_000));
    const answer = await connections[lane]?.ask('EVALSHA', sha, '1', key, operation, holder, ms);
    expectAnswer(answer === ':1', wanted, `Redis ${operation}`);
  };
  for (let lane = 0; lane < lanes; lane++) await run(lane, `held/${lane}`, 'acquire', HOLDER, true);
  return {
    name: 'Redis, Lua, AOF always',
    renew: (lane) => run(lane, `held/${lane}`, 'renew', HOLDER, true),
    refused: (lane) => run(lane, `held/${lane}`, 'acquire', CONTENDER, false),
    acquireAndRelease: async (lane) => {
      await run(lane, `free/${lane}`, 'acquire', HOLDER, true);
      await run(lane, `free/${lane}`, 'release', HOLDER, true);
    },
  };
};
