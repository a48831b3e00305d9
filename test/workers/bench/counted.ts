/** The Worker as it is, with what the platform bills counted around it, and two questions of its own for the benchmarks. */
import { openDatabase } from '../../../workers/db/open.ts';
import conductor, * as classes from '../../../workers/index.ts';
import { dueJobs } from '../../../workers/renewal/due-jobs.ts';
import { countD1, countStorage, countStubs, counts, takeCounts } from './counters.ts';

type State = ConstructorParameters<typeof classes.NodeHub>[0];

function countAll(env: Env, ctx?: State): void {
  countD1(env.DB);
  countStubs(env.LEADER_LEASE);
  if (ctx) countStorage(ctx.storage);
}

export class LeaderLease extends classes.LeaderLease {
  constructor(ctx: State, env: Env) {
    countAll(env, ctx);
    super(ctx, env);
  }
}

export class AutomationState extends classes.AutomationState {
  constructor(ctx: State, env: Env) {
    countAll(env, ctx);
    super(ctx, env);
  }
}

export class TimedJobs extends classes.TimedJobs {
  constructor(ctx: State, env: Env) {
    countAll(env, ctx);
    super(ctx, env);
  }

  override alarm(): Promise<void> {
    counts.object_requests += 1;
    return super.alarm();
  }
}

export class NodeHub extends classes.NodeHub {
  constructor(ctx: State, env: Env) {
    countAll(env, ctx);
    super(ctx, env);
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    counts.socket_messages += 1;
    return super.webSocketMessage(socket, message);
  }
}

export const { EdgeBackend } = classes;

const worker: ExportedHandler<Env> = {
  async fetch(request, env, ctx) {
    const { pathname, searchParams } = new URL(request.url);
    countAll(env);
    if (pathname === '/bench/counts') return Response.json(takeCounts());
    if (pathname === '/bench/due') {
      const [now, limit] = ['now', 'limit'].map((name) => Number(searchParams.get(name)));
      const jobs = await dueJobs(openDatabase(env.DB), now ?? 0, limit ?? 0);
      return Response.json({ jobs: jobs.length });
    }
    counts.worker_requests += 1;
    if (!conductor.fetch) throw new Error('the Worker answers no requests');
    return conductor.fetch(request, env, ctx);
  },
  async scheduled(controller, env, ctx) {
    countAll(env);
    counts.worker_requests += 1;
    await conductor.scheduled?.(controller, env, ctx);
  },
};
export default worker;
