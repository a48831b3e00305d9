/**
 * Ten browsers with a thousand conversations each before one agent: real sockets, frames and disk, time that runs
 * faster. A burst as after a long sleep must leave at the policy's pace, and every conversation must have its turn.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { buildBridgeSide, buildBrowserSide } from '../../local-agent/agent.ts';
import type { DeliveryManager } from '../../local-agent/delivery/manager.ts';
import { SystemView } from '../../local-agent/edge/system-view.ts';
import { sha256Hex } from '../../local-agent/lib/hash.ts';
import type { Store } from '../../local-agent/store/store.ts';
import { openStore } from '../../local-agent/store/store.ts';
import { DELIVERY } from '../../schema/defaults.ts';
import { ORIGIN } from '../support/test-browser.ts';
import type { Received } from './fleet/browsers.ts';
import { Browsers, TOKEN } from './fleet/browsers.ts';
import type { Job } from './fleet/edge.ts';
import { DueJobs } from './fleet/edge.ts';
import { FastClock } from './fleet/fast-clock.ts';
import type { Benchmark, BenchOptions } from './harness/benchmark.ts';
import type { Cleanup } from './harness/cleanup.ts';
import { withCleanup } from './harness/cleanup.ts';
import type { Section } from './harness/report.ts';
import { figure } from './harness/report.ts';
import { percentile } from './harness/stats.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
/** Of what the policy lets through, in the even run. */
const EVEN_LOAD = 0.5;

interface Size {
  speed: number;
  clients: number;
  conversations: number;
}

interface Agent {
  store: Store;
  delivery: DeliveryManager;
  clock: FastClock;
  browsers: Browsers;
  clientIds: string[];
}

async function startAgent(cleanup: Cleanup, { speed, clients }: Size): Promise<Agent> {
  const clock = new FastClock(speed);
  const path = join(cleanup.folder(), 'agent.sqlite');
  const store = cleanup.add(openStore(path, { now: () => clock.now(), newOutboxId: () => 'bench' }), (one) =>
    one.close(),
  );
  const clientIds = Array.from({ length: clients }, (_, n) => `firefox-${n + 1}`);
  for (const client_id of clientIds) {
    store.pairings.put({ client_id, origin: ORIGIN, token_hash: sha256Hex(TOKEN), created_at: clock.now() });
  }
  const silent = { info: () => undefined, warn: () => undefined, error: console.error };
  const deps = {
    store,
    nodeId: 'bench-main',
    edge: { call: () => Promise.reject(new Error('there is no edge here')) },
    system: new SystemView(),
    clock,
    random: Math.random,
    log: silent,
    activityLimit: 50,
  };
  const side = buildBrowserSide(deps);
  const messages = { prepare: () => () => undefined };
  const { bridge, openLocalApi } = buildBridgeSide(side, {
    ...deps,
    messages,
    sharedToken: null,
    status: () => ({}),
    env: {},
  });
  const api = cleanup.add(await openLocalApi('http://127.0.0.1:0'), async (one) => {
    side.delivery.stop();
    bridge.stop();
    await one.close();
  });
  side.delivery.start();
  const browsers = cleanup.add(new Browsers(clock), (one) => one.close());
  await browsers.connect(api.url, clientIds);
  return { store, delivery: side.delivery, clock, browsers, clientIds };
}

const StartSchema = z.object({ client_id: z.string(), at: z.number() });

/** Notes each start by the agent's own clock: the sockets would add what the machine is busy with. */
function noteStarts({ db }: Store): () => z.infer<typeof StartSchema>[] {
  db.exec(`CREATE TEMP TABLE starts (client_id TEXT, at INTEGER);
    CREATE TEMP TRIGGER note_start AFTER UPDATE OF state ON deliveries WHEN NEW.state = 'sending'
    BEGIN INSERT INTO starts VALUES (NEW.client_id, NEW.updated_at); END`);
  return () =>
    db
      .prepare('SELECT client_id, at FROM starts ORDER BY rowid')
      .all()
      .map((row) => StartSchema.parse(row));
}

/** How often two starts of one browser were nearer than the policy allows, or a minute held too many. */
function paceBroken(starts: readonly z.infer<typeof StartSchema>[], clientIds: readonly string[]): number {
  let broken = 0;
  for (const clientId of clientIds) {
    const times = starts.filter(({ client_id }) => client_id === clientId).map(({ at }) => at);
    for (const [index, at] of times.entries()) {
      const before = times[index - 1];
      if (before !== undefined && at - before < DELIVERY.min_spacing_ms) broken += 1;
      const first = times[index - DELIVERY.rate_max];
      if (first !== undefined && at - first < DELIVERY.rate_window_ms) broken += 1;
    }
  }
  return broken;
}

async function run(title: string, size: Size, dueIn: (index: number, count: number) => number): Promise<Section> {
  return withCleanup(async (cleanup) => {
    const agent = await startAgent(cleanup, size);
    const { clock, browsers, clientIds } = agent;
    const starts = noteStarts(agent.store);
    const start = clock.now();
    const count = size.clients * size.conversations;
    const jobs = Array.from({ length: count }, (_, index): Job => {
      const clientId = clientIds[index % clientIds.length] ?? '';
      return { id: `job-${index}`, clientId, dueAt: start + dueIn(index, count) };
    });
    const edge = new DueJobs(agent, jobs);
    await edge.run();
    return section(title, { jobs, edge, received: browsers.received, starts: starts(), clientIds });
  });
}

interface Outcome {
  jobs: readonly Job[];
  edge: DueJobs;
  received: readonly Received[];
  starts: readonly z.infer<typeof StartSchema>[];
  clientIds: readonly string[];
}

function section(title: string, { jobs, edge, received, starts, clientIds }: Outcome): Section {
  const dueAt = new Map(jobs.map((job) => [job.id, job.dueAt]));
  const lateSec = received.map(({ conversation, at }) => (at - (dueAt.get(conversation) ?? at)) / SECOND_MS);
  const times = received.map(({ at }) => at);
  const minutes = (Math.max(...times) - Math.min(...times)) / MINUTE_MS;
  const ends = clientIds.map((clientId) =>
    Math.max(...received.filter((one) => one.clientId === clientId).map(({ at }) => at)),
  );
  const spreadSec = (Math.max(...ends) - Math.min(...ends)) / SECOND_MS;
  const served = new Set(received.map(({ conversation }) => conversation)).size;
  const others = [...edge.outcomes].filter(([outcome]) => outcome !== 'delivered');
  const most = clientIds.length * DELIVERY.rate_max;
  return {
    title,
    head: ['', 'simulated'],
    rows: [
      ['conversations with their one delivery', `${served} of ${jobs.length}`],
      ['deliveries a minute (the policy lets through)', `${figure(received.length / minutes)} (${most})`],
      [
        'late, s: p50 / p90 / p99 / most',
        [0.5, 0.9, 0.99, 1].map((part) => figure(percentile(lateSec, part))).join(' / '),
      ],
      ['between the first browser to end and the last, s', figure(spreadSec)],
      ['commands for each delivery', figure(edge.commands / received.length)],
      ['other outcomes', others.map(([outcome, n]) => `${outcome} ${n}`).join(', ') || 'none'],
    ],
    goals: [
      { text: 'conversations without a delivery', reached: jobs.length - served, is: 'at most', wanted: 0 },
      { text: 'deliveries too many', reached: received.length - served, is: 'at most', wanted: 0 },
      { text: 'starts against the pace', reached: paceBroken(starts, clientIds), is: 'at most', wanted: 0 },
    ],
    notes: [],
  };
}

function burstOf({ quick }: BenchOptions): Size {
  return quick ? { speed: 40, clients: 3, conversations: 8 } : { speed: 20, clients: 10, conversations: 1_000 };
}

/** Slower, so that what a commit takes does not pass for lateness. */
function evenOf({ quick }: BenchOptions): Size {
  return quick ? { speed: 40, clients: 3, conversations: 2 } : { speed: 8, clients: 10, conversations: 60 };
}

export const fleet: Benchmark = {
  name: 'fleet',
  what: 'many conversations on many browsers before one agent, by the pace of the delivery policy',
  async run(options) {
    const even = evenOf(options);
    const mostAMs = (even.clients * DELIVERY.rate_max) / DELIVERY.rate_window_ms;
    return {
      sections: [
        await run('All due at once, as after a long sleep', burstOf(options), () => 0),
        await run('Due evenly, at half of what the policy lets through', even, (n) => n / (mostAMs * EVEN_LOAD)),
      ],
      absent: [],
    };
  },
};
