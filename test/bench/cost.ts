/** What the platform counts for each operation, for an hour of idle nodes under one leader, and what a month costs. */
import { LEASE } from '../../schema/defaults.ts';
import { outboxPost } from './cost/bench-message.ts';
import { idleRequests } from './cost/idle-requests.ts';
import { messageLives } from './cost/message-life.ts';
import { measureOperations, OPERATIONS } from './cost/operations.ts';
import { DAYS, dollarsPerMillion, freeShare, HOURS, paidMonth } from './cost/prices.ts';
import type { Counts } from './edge/counted.ts';
import { addCounts, COUNTED, CountedEdge, scaleCounts } from './edge/counted.ts';
import type { Benchmark } from './harness/benchmark.ts';
import { withCleanup } from './harness/cleanup.ts';
import type { Section } from './harness/report.ts';
import { figure } from './harness/report.ts';

const HOUR_MS = 3_600_000;
const MINUTES = 60;
const MINUTE_MS = HOUR_MS / MINUTES;
const PINGS_A_MINUTE = 12;
/** Assumed: deployments, restarts and broken connections together. */
const RECONNECTS_A_DAY = 1;
const NODES = [2, 10_000] as const;

const head = COUNTED.map((name) => name.replaceAll('_', ' '));
const cells = (counts: Counts): string[] => COUNTED.map((name) => figure(counts[name]));

/** One leader and one standby with nothing to do, for that share of an hour: everything they and the clock do, in turn. */
async function idleHour(edge: CountedEdge, minutes: number): Promise<Counts> {
  const { conductor, channel, term } = edge;
  const idle = await conductor.node('idle');
  const standby = await conductor.channel(idle);
  const renewals = HOUR_MS / MINUTES / LEASE.renew_interval_ms;
  const timed = [
    ...idleRequests(term).map((request) => ({ ...request, node: edge.leader })),
    ...idleRequests(null).map((request) => ({ ...request, node: idle })),
  ];
  const counts = await edge.costOf(async () => {
    for (let minute = 0; minute < minutes; minute++) {
      for (let renewal = 0; renewal < renewals; renewal++) await conductor.renew(channel, term);
      for (let ping = 0; ping < PINGS_A_MINUTE; ping++) await Promise.all([channel.ask('ping'), standby.ask('ping')]);
      await edge.cron();
      for (const { everyMs, send, node } of timed) {
        if ((minute * MINUTE_MS) % everyMs === 0) await send(conductor, node, minute);
      }
    }
  });
  return scaleCounts(counts, MINUTES / minutes);
}

/** One more standby, whose socket and pings count nothing. */
async function standbyHour(edge: CountedEdge): Promise<Counts> {
  const node = await edge.conductor.node('idle-too');
  return edge.costOf(async () => {
    for (const { everyMs, send } of idleRequests(null)) {
      for (let at = 0; at < HOUR_MS / everyMs; at++) await send(edge.conductor, node, at);
    }
  });
}

function hourSection(hour: Counts, standby: Counts, minutes: number): Section {
  return {
    title: 'An idle hour: one leader, one standby, the cron',
    head: ['', ...head],
    rows: [
      ['an hour', ...cells(hour)],
      ['each further standby', ...cells(standby)],
    ],
    goals: [],
    notes: [
      `${minutes} minutes of it were run one after the other: ${HOUR_MS / LEASE.renew_interval_ms} renewals, ${MINUTES} ticks and`,
      'and what the agents send beside them (test/bench/cost/idle-requests.ts);',
      `${2 * PINGS_A_MINUTE * MINUTES} pings an hour. Pings are answered by the platform and count nothing.`,
    ],
  };
}

function monthSection(hour: Counts, standby: Counts, perReconnect: Counts): Section {
  const months = NODES.map((nodes) => {
    const reconnects = scaleCounts(perReconnect, nodes * RECONNECTS_A_DAY * DAYS);
    const all = addCounts(hour, scaleCounts(standby, nodes - 2));
    return { nodes, counts: addCounts(scaleCounts(all, HOURS), reconnects) };
  });
  const rows = months.map(({ nodes, counts }) => {
    const { share, of } = freeShare(counts);
    const free = `${figure(share * 100)} % of ${of.replaceAll('_', ' ')}`;
    return [`${figure(nodes)} nodes`, ...cells(counts), free, `$${paidMonth(counts).toFixed(2)}`];
  });
  const [few, many] = months;
  return {
    title: 'A month of idle nodes under one leader',
    head: ['', ...head, 'most of a free daily allowance', 'a month, paid plan'],
    rows,
    goals: [
      {
        text: `${NODES[0]} nodes, share of the free plan`,
        reached: few ? freeShare(few.counts).share : Number.NaN,
        is: 'at most',
        wanted: 1,
      },
      {
        text: `${figure(NODES[1])} nodes, dollars a month`,
        reached: many ? paidMonth(many.counts) : Number.NaN,
        is: 'at most',
        wanted: 279 * 1.1,
      },
    ],
    notes: [
      `Each node is assumed to connect and to report its heartbeat and its browser ${RECONNECTS_A_DAY} time a day, and an object to work`,
      '10 ms for each event, as in the examples of the price list (test/bench/cost/prices.ts). What fits the free plan costs $0',
      'there; the price is that of the paid plan with its base of $5. Messages, people and the status page come on top.',
    ],
  };
}

export const cost: Benchmark = {
  name: 'cost',
  what: 'what the platform counts and charges',
  run: ({ quick }) =>
    withCleanup(async (cleanup) => {
      const edge = await CountedEdge.start(cleanup);
      const minutes = quick ? 1 : MINUTES;
      const hour = await idleHour(edge, minutes);
      const standby = await standbyHour(edge);
      const post = outboxPost(edge);
      const costs = await measureOperations(edge, post);
      const lives = await messageLives(edge, post);
      const operations: Section = {
        title: 'Per operation, with all that follows from it',
        head: ['', ...head, '$ a million'],
        rows: OPERATIONS.map((name) => [name, ...cells(costs[name]), dollarsPerMillion(costs[name]).toFixed(2)]),
        goals: [],
        notes: [
          'The first request of a token in a minute also writes when it was used. Dollars without what a plan includes.',
        ],
      };
      const perReconnect = addCounts(
        addCounts(costs['connect and hello'], costs['heartbeat with news']),
        costs['client state'],
      );
      return {
        sections: [operations, lives, hourSection(hour, standby, minutes), monthSection(hour, standby, perReconnect)],
        absent: [],
      };
    }),
};
