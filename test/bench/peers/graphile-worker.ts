/** graphile-worker on PostgreSQL with its synchronous commit; its worker is notified of new jobs, as it comes. */
import { POSTGRES_USER, startPostgresServer } from './postgres.ts';
import type { QueuePeerStart } from './queue-peer.ts';
import { Handover, loadPeer } from './queue-peer.ts';

interface Runner {
  addJob(task: string, payload: object): Promise<unknown>;
  stop(): Promise<void>;
  events: { on(event: 'job:complete', listener: () => void): void };
}
/** As much of the packages as is used here: their own types are there only where they are installed. */
interface Client {
  on(event: 'error', listener: () => void): void;
}
interface Pool extends Client {
  on(event: 'error' | 'connect', listener: (client: Client) => void): void;
  end(): Promise<void>;
}
interface Postgres {
  Pool: new (options: object) => Pool;
}
interface GraphileWorker {
  Logger: new (factory: () => () => void) => unknown;
  run(options: object): Promise<Runner>;
}

export const startGraphileWorker: QueuePeerStart = async (cleanup) => {
  const graphile = loadPeer<GraphileWorker>('graphile-worker');
  if ('absent' in graphile) return { absent: `graphile-worker: ${graphile.absent}` };
  const postgres = loadPeer<Postgres>('pg');
  if ('absent' in postgres) return { absent: `graphile-worker's pg: ${postgres.absent}` };
  const server = await startPostgresServer(cleanup);
  if ('absent' in server) return { absent: `graphile-worker: ${server.absent}` };

  const pgPool = new postgres.Pool({ host: server.folder, user: POSTGRES_USER, database: 'postgres' });
  // The pool drops a broken connection; the query that needs it fails.
  pgPool.on('error', () => undefined);
  pgPool.on('connect', (client) => client.on('error', () => undefined));
  cleanup.add(pgPool, (pool) => pool.end());
  const handover = new Handover();
  let completed = Promise.withResolvers<void>();
  const runner = await graphile.run({
    pgPool,
    concurrency: 1,
    noHandleSignals: true,
    logger: new graphile.Logger(() => () => undefined),
    taskList: { job: async () => handover.begins() },
  });
  cleanup.add(runner, (running) => running.stop());
  runner.events.on('job:complete', () => completed.resolve());
  return {
    name: 'graphile-worker',
    pickUp: () => {
      completed = Promise.withResolvers<void>();
      return handover.pickUp(() => runner.addJob('job', {}));
    },
    settle: async () => {
      await handover.added();
      await completed.promise;
    },
  };
};
