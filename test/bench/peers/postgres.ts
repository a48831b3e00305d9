/** PostgreSQL with its defaults, so with a synchronous commit; a lease is a row, changed by prepared statements. */
import { execFileSync } from 'node:child_process';
import { chownSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Cleanup } from '../harness/cleanup.ts';
import type { PeerStart } from './peer.ts';
import { CONTENDER, expectAnswer, HOLDER, LEASE_MS } from './peer.ts';
import type { Identity } from './server-process.ts';
import { findProgram, openSocket, startServer, whenReady } from './server-process.ts';

export const POSTGRES_USER = 'bench';
const SETUP =
  'CREATE TABLE lease (name text PRIMARY KEY, holder text NOT NULL, term bigint NOT NULL, expires_at timestamptz NOT NULL)';
const INTERVAL = "clock_timestamp() + $3::int * interval '1 ms'";
const STATEMENTS = {
  renew: `UPDATE lease SET expires_at = ${INTERVAL} WHERE name = $1 AND holder = $2 AND expires_at > clock_timestamp()`,
  acquire: `UPDATE lease SET holder = $2, term = term + 1, expires_at = ${INTERVAL} WHERE name = $1 AND expires_at <= clock_timestamp()`,
  release: "UPDATE lease SET expires_at = 'epoch' WHERE name = $1 AND holder = $2 AND $3::int > 0",
} as const;

const text = (value: string): Buffer => Buffer.from(`${value}\0`);
const int16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
};
const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
function message(type: string, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}
const SYNC = message('S');

/** As much of the PostgreSQL protocol, version 3, as one question at a time needs. */
class PostgresConnection {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #tag = '';
  #error = '';
  #waiting: { resolve(tag: string): void; reject(error: Error): void } | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (data) => this.#take(data));
    socket.on('error', (error) => this.#waiting?.reject(error));
    socket.on('close', () => this.#waiting?.reject(new Error('PostgreSQL closed the connection')));
  }

  /** Resolves with the tag of the command that was completed, such as `UPDATE 1`. */
  send(bytes: Buffer): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(bytes);
    });
  }

  start(): Promise<string> {
    const body = Buffer.concat([
      int32(196_608),
      text('user'),
      text(POSTGRES_USER),
      text('database'),
      text('postgres'),
      text(''),
    ]);
    return this.send(Buffer.concat([int32(body.length + 4), body]));
  }

  prepare(name: string, sql: string): Promise<string> {
    return this.send(Buffer.concat([message('P', text(name), text(sql), int16(0)), SYNC]));
  }

  execute(name: string, values: string[]): Promise<string> {
    const bound = values.flatMap((value) => [int32(Buffer.byteLength(value)), Buffer.from(value)]);
    const bind = message('B', text(''), text(name), int16(0), int16(values.length), ...bound, int16(0));
    return this.send(Buffer.concat([bind, message('E', text(''), int32(0)), SYNC]));
  }

  #take(data: Buffer): void {
    this.#received = this.#received.length === 0 ? data : Buffer.concat([this.#received, data]);
    while (this.#received.length >= 5) {
      const length = 1 + this.#received.readInt32BE(1);
      if (this.#received.length < length) return;
      this.#message(String.fromCharCode(this.#received[0] ?? 0), this.#received.subarray(5, length));
      this.#received = this.#received.subarray(length);
    }
  }

  #message(type: string, body: Buffer): void {
    if (type === 'C') this.#tag = body.toString('utf8', 0, body.length - 1);
    else if (type === 'E') this.#error = body.toString('utf8').replaceAll('\0', ' ');
    else if (type === 'Z') {
      if (this.#error) this.#waiting?.reject(new Error(this.#error));
      else this.#waiting?.resolve(this.#tag);
      this.#error = '';
    }
    if (type === 'E' && this.#error.startsWith('SFATAL')) this.#waiting?.reject(new Error(this.#error));
  }
}

/** PostgreSQL refuses to run as root: then it runs as the system's user for it. */
function identity(): Identity | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

async function open(folder: string, cleanup: Cleanup): Promise<PostgresConnection> {
  const connection = new PostgresConnection(await openSocket({ path: join(folder, '.s.PGSQL.5432') }, cleanup));
  await connection.start();
  return connection;
}

async function prepared(folder: string, cleanup: Cleanup): Promise<PostgresConnection> {
  const connection = await open(folder, cleanup);
  for (const [name, sql] of Object.entries(STATEMENTS)) await connection.prepare(name, sql);
  return connection;
}

/** A server over a folder of its own, reached by a socket in it, with a first connection; or why there is none. */
export async function startPostgresServer(
  cleanup: Cleanup,
): Promise<{ folder: string; first: PostgresConnection } | { absent: string }> {
  const [program, initdb] = [findProgram('postgres'), findProgram('initdb')];
  if (program === null || initdb === null) return { absent: 'there is no postgres (Debian: postgresql)' };
  const folder = cleanup.folder();
  const who = identity();
  if (who) chownSync(folder, who.uid, who.gid);
  const data = join(folder, 'data');
  execFileSync(initdb, ['-D', data, '-U', POSTGRES_USER, '-A', 'trust', '--no-sync', '-E', 'UTF8'], {
    stdio: 'ignore',
    ...who,
  });
  const server = startServer(cleanup, program, ['-D', data, '-k', folder, '-c', 'listen_addresses='], who);
  return { folder, first: await whenReady(server, () => open(folder, cleanup)) };
}

export const startPostgres: PeerStart = async (cleanup, lanes) => {
  const server = await startPostgresServer(cleanup);
  if ('absent' in server) return { absent: `PostgreSQL: ${server.absent}` };
  const { folder, first } = server;
  await first.send(message('Q', text(SETUP)));
  const rows = ['held', 'free'].flatMap((kind) =>
    Array.from({ length: lanes }, (_, lane) => `('${kind}/${lane}', '', 0, 'epoch')`),
  );
  await first.send(message('Q', text(`INSERT INTO lease VALUES ${rows.join(', ')}`)));
  const connections = await Promise.all(Array.from({ length: lanes }, () => prepared(folder, cleanup)));
  const run = async (lane: number, row: string, name: keyof typeof STATEMENTS, holder: string, wanted: boolean) => {
    const tag = await connections[lane]?.execute(name, [`${row}/${lane}`, holder, String(LEASE_MS)]);
    expectAnswer(tag === 'UPDATE 1', wanted, `PostgreSQL ${name}`);
  };
  for (let lane = 0; lane < lanes; lane++) await run(lane, 'held', 'acquire', HOLDER, true);
  return {
    name: 'PostgreSQL row',
    renew: (lane) => run(lane, 'held', 'renew', HOLDER, true),
    refused: (lane) => run(lane, 'held', 'acquire', CONTENDER, false),
    acquireAndRelease: async (lane) => {
      await run(lane, 'free', 'acquire', HOLDER, true);
      await run(lane, 'free', 'release', HOLDER, true);
    },
  };
};
