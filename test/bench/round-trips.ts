/**
 * From an assistant's final message to the reply, with the edge near and far: a real edge in the local runtime, a real
 * agent, a browser, and between agent and edge a proxy that delays each direction by half a round trip.
 */
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { DELIVERY } from '../../schema/defaults.ts';
import { openBrowser } from '../support/browser.ts';
import type { TestNode } from '../support/cluster.ts';
import { Cluster, until } from '../support/cluster.ts';
import type { TestBrowser } from '../support/test-browser.ts';
import type { Benchmark } from './harness/benchmark.ts';
import type { Cleanup } from './harness/cleanup.ts';
import { withCleanup } from './harness/cleanup.ts';
import type { Section } from './harness/report.ts';
import { figure } from './harness/report.ts';
import { percentile } from './harness/stats.ts';

const COUNTS = [1, 5, 10];
const ROUND_TRIPS_MS = [0, 100];
/** The reply of a message leaves within that many round trips, plus what the same takes with the edge near. */
const MAX_ROUND_TRIPS = 3;
/** So that the pace between two deliveries of one browser does not count. */
const PAUSE_MS = DELIVERY.min_spacing_ms + DELIVERY.spacing_jitter_ms;

interface Sample {
  effectMs: number;
  replyMs: number;
  requests: number;
}

class Scene {
  readonly #node: TestNode;
  readonly #browser: TestBrowser;
  #messages = 0;

  constructor(node: TestNode, browser: TestBrowser) {
    this.#node = node;
    this.#browser = browser;
  }

  static async open(cleanup: Cleanup, cluster: Cluster, roundTripMs: number): Promise<Scene> {
    const node = await cluster.node(`bench-${roundTripMs}`);
    mkdirSync(join(node.root, 'workspace'));
    node.proxy.delayMs = roundTripMs / 2;
    await node.start();
    await until(async () => (await node.snapshot()).loops.heartbeat);
    const browser = cleanup.add(await openBrowser(cluster, node), (one) => one.close());
    return new Scene(node, browser);
  }

  /** Brings a message with that many small `files/write` and takes its reply. */
  async measure(count: number): Promise<Sample> {
    this.#messages += 1;
    const id = `${this.#node.id}-${this.#messages}`;
    const paths = Array.from({ length: count }, (_, n) => `${id}-${n}.txt`);
    const lines = paths.map((path) => `@conductor::files/write::${JSON.stringify({ path, content: 'written' })}`);
    const { requests } = this.#node.proxy;
    const before = requests.length;
    const start = Date.now();
    const said = this.#browser.says(id, ['```baa', ...lines, '```'].join('\n'));
    await this.#browser.delivers();
    const replyMs = Date.now() - start;
    await said;
    // The report about the reply is the last request of the message.
    const own = await until(async () => {
      const sent = requests.slice(before).filter((one) => /^POST \/v1\/(messages|instructions)\b/.test(one));
      return sent.some((one) => one.endsWith('/reply')) && sent;
    });
    const effects = paths.map((path) => statSync(join(this.#node.root, 'workspace', path)).mtimeMs);
    return { effectMs: Math.max(...effects) - start, replyMs, requests: own.length };
  }
}

async function measureAll(scene: Scene, count: number, rounds: number): Promise<Sample> {
  const samples: Sample[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await setTimeout(PAUSE_MS);
    samples.push(await scene.measure(count));
  }
  const median = (key: keyof Sample) =>
    percentile(
      samples.map((sample) => sample[key]),
      0.5,
    );
  return { effectMs: median('effectMs'), replyMs: median('replyMs'), requests: median('requests') };
}

async function run(cleanup: Cleanup, rounds: number): Promise<Section> {
  const cluster = cleanup.add(await Cluster.start(), (one) => one.stop());
  const rows: string[][] = [];
  const goals: Section['goals'] = [];
  const near = new Map<number, number>();
  for (const roundTripMs of ROUND_TRIPS_MS) {
    const scene = await Scene.open(cleanup, cluster, roundTripMs);
    await scene.measure(1);
    for (const count of COUNTS) {
      const { effectMs, replyMs, requests } = await measureAll(scene, count, rounds);
      rows.push([String(count), String(roundTripMs), ...[effectMs, replyMs, requests].map(figure)]);
      if (roundTripMs === 0) near.set(count, replyMs);
      else {
        const reached = (replyMs - (near.get(count) ?? 0)) / roundTripMs;
        const text = `${count} instructions: round trips before the reply`;
        goals.push({ text, reached, is: 'at most', wanted: MAX_ROUND_TRIPS });
      }
    }
  }
  return {
    title: `small files/write instructions of one message, median of ${rounds}`,
    head: ['instructions', 'round trip, ms', 'last effect, ms', 'reply, ms', 'requests'],
    rows,
    goals,
    notes: ['requests: those about the message and its instructions, with the report about the reply'],
  };
}

export const roundTrips: Benchmark = {
  name: 'round-trips',
  what: 'how long a message takes with the edge near and 100 ms away',
  run: ({ quick }) => withCleanup(async (cleanup) => ({ sections: [await run(cleanup, quick ? 1 : 9)], absent: [] })),
};
