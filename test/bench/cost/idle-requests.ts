/** All that an agent with nothing to do sends by itself, beside renewals of the lease and pings of its channel. */
import { NODE_RUNS, NOTICE_HOURS_INTERVAL_MS, TICK_LOG } from '../../../schema/defaults.ts';
import type { BenchNode, Conductor } from '../edge/conductor.ts';

/** As a node that names two repositories, and has two coding agents beside what each has. */
const HAS = { repos: ['app', 'site'], executors: ['shell', 'test', 'merge', 'agent:claude', 'agent:codex'] };

interface IdleRequest {
  everyMs: number;
  send: (conductor: Conductor, node: BenchNode, at: number) => Promise<unknown>;
}

/** `term`: of the leader; null for a standby. */
export function idleRequests(term: number | null): readonly IdleRequest[] {
  const ticksMs = term === null ? TICK_LOG.standby_interval_ms : TICK_LOG.leader_interval_ms;
  return [
    {
      everyMs: NODE_RUNS.idle_claim_interval_ms,
      send: (conductor, { id, token }, at) =>
        conductor.call(token, 'POST', '/v1/tasks/claim', {
          controller_id: id,
          claim_key: `idle-${at}`,
          ...(term === null ? {} : { term }),
          ...HAS,
        }),
    },
    {
      everyMs: ticksMs,
      send: (conductor, { token }) => conductor.call(token, 'GET', `/v1/timed-jobs/ticks?after=0&limit=1`),
    },
    // Only with a connected browser, which each of them is taken to have.
    {
      everyMs: NOTICE_HOURS_INTERVAL_MS,
      send: (conductor, { token }) => conductor.call(token, 'GET', '/v1/notices/hours'),
    },
  ];
}
