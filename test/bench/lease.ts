/**
 * Lease operations: ours over the channel and by HTTP, the leases one would write otherwise on the same platform, and
 * the databases that people use for it. Only the leader renews, over one socket; so 16 at once are 16 renewals on their
 * way over that socket, for the minimal object too. The databases get 16 connections and a lease for each.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { request } from 'undici';
import { startLease } from './edge/lease-ways.ts';
import { startMinimal } from './edge/runtime.ts';
import { AskingSocket } from './harness/asking-socket.ts';
import type { Benchmark, BenchOptions } from './harness/benchmark.ts';
import { paceOf } from './harness/benchmark.ts';
import type { Cleanup } from './harness/cleanup.ts';
import { withCleanup } from './harness/cleanup.ts';
import type { Measured, Role, Subject } from './harness/measure.ts';
import { interleave } from './harness/measure.ts';
import type { Goal, Section } from './harness/report.ts';
import { comparison, speedGoals } from './harness/report.ts';
import { startEtcd } from './peers/etcd.ts';
import type { LeasePeer } from './peers/peer.ts';
import { CONTENDER, expectAnswer, HOLDER, LEASE_MS } from './peers/peer.ts';
import { startPostgres } from './peers/postgres.ts';
import { startRedis } from './peers/redis.ts';

const LANES = 16;
const OURS = 'the channel';
const OURS_HTTP = 'HTTP';
const NAIVE = 'D1, SELECT then UPDATE';
const ONE_STATEMENT = 'D1, one statement';
const EACH = 'minimal object, a commit for each';
const TURN = 'minimal object, a commit for a turn';
const SQLITE = 'SQLite in this process, synced';

interface Contestant extends LeasePeer {
  role: Role;
}

/** A TTL that is never the same twice in a row: a row that is written as it was is not written. */
function ttls(fromMs: number): () => number {
  let asked = 0;
  return () => fromMs + (asked++ % 1_000);
}

function d1(url: string, name: string, path: string): Contestant & { take(): Promise<void> } {
  const ttl = ttls(LEASE_MS);
  const ask = async (op: string, holder: string, wanted: boolean): Promise<void> => {
    const body = JSON.stringify({ op, holder, ttl_ms: ttl() });
    const response = await request(`${url}${path}`, { method: 'POST', body });
    const { ok } = (await response.body.json()) as { ok: boolean };
    expectAnswer(ok, wanted, `${name}: ${op}`);
  };
  return {
    name,
    role: 'peer',
    take: () => ask('acquire', HOLDER, true),
    renew: () => ask('renew', HOLDER, true),
    refused: () => ask('acquire', CONTENDER, false),
    acquireAndRelease: async () => {
      await ask('release', HOLDER, true);
      await ask('acquire', HOLDER, true);
    },
  };
}

async function minimalObject(cleanup: Cleanup, url: string, name: string, path: string): Promise<Contestant> {
  const open = async (): Promise<AskingSocket> =>
    cleanup.add(await AskingSocket.open(`${url.replace('http', 'ws')}${path}`), (socket) => socket.close());
  const holder = await open();
  const contenders = await Promise.all(Array.from({ length: LANES }, open));
  const ttl = ttls(LEASE_MS);
  const ask = async (socket: AskingSocket | undefined, op: string, who: string, wanted: boolean): Promise<void> => {
    const answer = await socket?.ask(JSON.stringify({ op, holder: who, ttl_ms: ttl() }));
    expectAnswer(answer?.startsWith('{"ok":true') ?? false, wanted, `${name}: ${op}`);
  };
  await ask(holder, 'acquire', HOLDER, true);
  return {
    name,
    role: name === TURN ? 'floor' : 'peer',
    renew: () => ask(holder, 'renew', HOLDER, true),
    refused: (lane) => ask(contenders[lane], 'acquire', CONTENDER, false),
    acquireAndRelease: async () => {
      await ask(holder, 'release', HOLDER, true);
      await ask(holder, 'acquire', HOLDER, true);
    },
  };
}

/** What the disk and SQLite allow: no network, no runtime, no rules. */
function inProcess(folder: string): Contestant {
  const db = new DatabaseSync(join(folder, 'lease.sqlite'));
  db.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE lease (id INTEGER PRIMARY KEY, holder, expires_at)',
  );
  db.exec(`INSERT INTO lease VALUES (1, '${HOLDER}', 0)`);
  const update = db.prepare('UPDATE lease SET expires_at = ?1 WHERE id = 1 AND holder = ?2');
  const select = db.prepare('SELECT holder FROM lease WHERE id = 1');
  const ttl = ttls(LEASE_MS);
  const write = async (): Promise<void> => void update.run(Date.now() + ttl(), HOLDER);
  return {
    name: SQLITE,
    role: 'floor',
    renew: write,
    refused: async () => void select.get(),
    acquireAndRelease: async () => {
      await write();
      await write();
    },
  };
}

type Operation = 'renew' | 'refused' | 'acquireAndRelease';

function measure(all: readonly Contestant[], operation: Operation, options: BenchOptions, lanes: number) {
  const subjects = all.map((one): Subject => ({ name: one.name, role: one.role, run: (lane) => one[operation](lane) }));
  return interleave(subjects, paceOf(options), lanes);
}

function latencyGoals(measured: readonly Measured[]): Goal[] {
  const ours = measured.find(({ name }) => name === OURS);
  const postgres = measured.find(({ name }) => name === 'PostgreSQL row');
  if (!ours) return [];
  const own: Goal = { text: 'p99 ÷ own p50', reached: ours.p99Ms / ours.p50Ms, is: 'at most', wanted: 3 };
  if (!postgres) return [own];
  return [own, { text: 'p99 ÷ that of PostgreSQL', reached: ours.p99Ms / postgres.p99Ms, is: 'at most', wanted: 1 }];
}

async function sections(options: BenchOptions, all: readonly Contestant[], byHttp: Contestant): Promise<Section[]> {
  const unit = 'ops/s';
  const one = await measure([...all, byHttp], 'renew', options, 1);
  const many = await measure([...all, byHttp], 'renew', options, LANES);
  const refused = await measure([...all, byHttp], 'refused', options, LANES);
  const [, ...others] = all;
  const turns = await measure([byHttp, ...others], 'acquireAndRelease', options, 1);
  return [
    comparison('Renew, one at a time', one, {
      unit,
      goals: speedGoals(one, OURS, [
        [4, NAIVE],
        [2, 'etcd transaction'],
        [0.8, 'PostgreSQL row'],
        [0.75, SQLITE],
      ]),
    }),
    comparison(`Renew, ${LANES} at once`, many, {
      unit,
      goals: [
        ...speedGoals(many, OURS, [
          [10, NAIVE],
          [2.5, 'etcd transaction'],
          [0.9, 'PostgreSQL row'],
          [0.8, TURN],
        ]),
        ...latencyGoals(many),
      ],
      notes: ['Redis answers from memory on one thread and stays ahead.'],
    }),
    comparison(`Refused acquire, ${LANES} contenders`, refused, {
      unit,
      goals: speedGoals(refused, OURS, [
        [3, 'PostgreSQL row'],
        [0.8, TURN],
      ]),
      notes: ['Ours over the channel is a renewal by a node that does not hold the lease; the answer is the same.'],
    }),
    comparison('Acquire and release, one at a time', turns, {
      unit,
      goals: speedGoals(turns, OURS_HTTP, [
        [2, NAIVE],
        [1.8, 'etcd transaction'],
        [0.8, TURN],
      ]),
      notes: [
        'Two requests. Ours is by HTTP, as that is how a node acquires; each acquire is a new term, so it also raises the',
        'fence in D1, writes the history of terms, and is announced to every socket. No other here does any of that.',
      ],
    }),
  ];
}

export const lease: Benchmark = {
  name: 'lease',
  what: 'renew, refused acquire, acquire and release',
  run: (options) =>
    withCleanup(async (cleanup) => {
      const ours = await startLease(cleanup, LANES);
      const { url } = await startMinimal(cleanup);
      const peers = [];
      for (const start of [startEtcd, startPostgres, startRedis]) peers.push(await start(cleanup, LANES));
      const naive = d1(url, NAIVE, '/d1/naive');
      await naive.take();
      const all: Contestant[] = [
        { ...ours.overChannel, name: OURS, role: 'ours' },
        naive,
        d1(url, ONE_STATEMENT, '/d1/one'),
        await minimalObject(cleanup, url, EACH, '/object/each'),
        await minimalObject(cleanup, url, TURN, '/object/turn'),
        inProcess(cleanup.folder()),
        ...peers.flatMap((peer): Contestant[] => ('absent' in peer ? [] : [{ ...peer, role: 'peer' }])),
      ];
      return {
        sections: await sections(options, all, { ...ours.overHttp, name: OURS_HTTP, role: 'ours' }),
        absent: peers.flatMap((peer) => ('absent' in peer ? [peer.absent] : [])),
      };
    }),
};
