/** etcd over gRPC; a lease is a key of its holder's name, changed by transactions that compare it. */
import type { ClientHttp2Session } from 'node:http2';
import { connect } from 'node:http2';
import type { PeerStart } from './peer.ts';
import { CONTENDER, expectAnswer, HOLDER, LEASE_MS } from './peer.ts';
import { findProgram, freePort, startServer, whenReady } from './server-process.ts';

/** A field of a protocol buffer: bytes, or a small number. Messages stay below 128 bytes, lengths in one byte. */
function field(number: number, value: Buffer | string | number): Buffer {
  if (typeof value === 'number') return Buffer.from([number << 3, value]);
  const bytes = Buffer.from(value);
  if (bytes.length > 127) throw new RangeError('too long for a length in one byte');
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
}
const message = (...fields: Buffer[]): Buffer => Buffer.concat(fields);

/** Compare: the key holds that value. */
const holds = (key: string, value: string): Buffer => message(field(2, 3), field(3, key), field(7, value));
/** Compare: the key does not exist (its version is 0). */
const isFree = (key: string): Buffer => message(field(2, 0), field(3, key), field(4, 0));
/** RequestOp: put, or delete. */
const put = (key: string, value: string): Buffer => field(2, message(field(1, key), field(2, value)));
const remove = (key: string): Buffer => field(3, message(field(1, key)));
/** TxnRequest: when the comparison holds, the operations. */
const transaction = (compare: Buffer, ...operations: Buffer[]): Buffer =>
  message(field(1, compare), ...operations.map((operation) => field(2, operation)));

/** TxnResponse: whether the comparison held (field 2; the header before it is field 1). */
function succeeded(response: Buffer): boolean {
  const headerLength = response[1] ?? 0;
  return response[2 + headerLength] === 0x10 && response[3 + headerLength] === 1;
}

function call(session: ClientHttp2Session, request: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/etcdserverpb.KV/Txn',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const chunks: Buffer[] = [];
    let status = '';
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('response', (headers) => {
      status = String(headers['grpc-status'] ?? '');
    });
    stream.on('trailers', (headers) => {
      status = String(headers['grpc-status'] ?? '');
    });
    stream.on('error', reject);
    stream.on('end', () => {
      if (status === '0') resolve(Buffer.concat(chunks).subarray(5));
      else reject(new Error(`etcd answered with gRPC status ${status}`));
    });
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(request.length, 1);
    stream.end(Buffer.concat([prefix, request]));
  });
}

export const startEtcd: PeerStart = async (cleanup, lanes) => {
  const program = findProgram('etcd');
  if (program === null) return { absent: 'etcd: there is no etcd (Debian: etcd-server)' };
  const [client, peer] = [await freePort(), await freePort()].map((port) => `http://127.0.0.1:${port}`);
  if (client === undefined || peer === undefined) throw new Error('two ports are needed');
  const server = startServer(cleanup, program, [
    ...['--data-dir', cleanup.folder(), '--listen-client-urls', client, '--advertise-client-urls', client],
    ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `default=${peer}`],
    ...['--log-level', 'error'],
  ]);
  const session = await whenReady(server, async () => {
    const opened = connect(client);
    opened.on('error', () => opened.destroy());
    await call(opened, transaction(isFree('ready'), put('ready', '1')));
    return opened;
  });
  cleanup.add(session, () => session.destroy());
  const run = async (request: Buffer, wanted: boolean, what: string): Promise<void> => {
    expectAnswer(succeeded(await call(session, request)), wanted, `etcd ${what}`);
  };
  let written = 0;
  const until = (): string => String(Date.now() + LEASE_MS + (written++ % 1_000));
  const acquire = (key: string, holder: string): Buffer => transaction(isFree(key), put(key, holder));
  for (let lane = 0; lane < lanes; lane++) await run(acquire(`held/${lane}`, HOLDER), true, 'acquire');
  return {
    name: 'etcd transaction',
    renew: (lane) => run(transaction(holds(`held/${lane}`, HOLDER), put(`until/${lane}`, until())), true, 'renew'),
    refused: (lane) => run(acquire(`held/${lane}`, CONTENDER), false, 'acquire'),
    acquireAndRelease: async (lane) => {
      await run(acquire(`free/${lane}`, HOLDER), true, 'acquire');
      await run(transaction(holds(`free/${lane}`, HOLDER), remove(`free/${lane}`)), true, 'release');
    },
  };
};
