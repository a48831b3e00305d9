/**
 * The first load of the status page on a phone, signed in, beside two pages that people know: each in a new container of
 * the same Firefox, so with an empty cache, through the same slow network, one after the other in each round.
 */
import { loadavg } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import type { SignInLink } from '../../schema/contracts/tokens.ts';
import { Cluster } from '../support/cluster.ts';
import { Firefox } from '../support/sites/open-firefox.ts';
import type { Benchmark } from './harness/benchmark.ts';
import type { Cleanup } from './harness/cleanup.ts';
import { withCleanup } from './harness/cleanup.ts';
import type { Section } from './harness/report.ts';
import { figure } from './harness/report.ts';
import { median } from './harness/stats.ts';
import { KNOWN_PAGES } from './pages/known-pages.ts';
import { PHONE } from './pages/phone-network.ts';
import type { ServedPage } from './pages/served-page.ts';
import { edgePage } from './pages/served-page.ts';

const GOAL_KB = 100;
const GOAL_MS = 1_000;
const SCREEN = { width: 375, height: 812 };
/** A page has loaded when it has requested nothing for this long. */
const QUIET_MS = 1_500;

interface Loaded {
  bytes: number;
  requests: number;
  paintMs: number;
  contentMs: number;
}

/** The page, in a container of its own. */
async function load(firefox: Firefox, { url, content, signInUrl }: ServedPage): Promise<Loaded> {
  const container = await firefox.newContainer();
  const tab = await firefox.openTab((await signInUrl?.()) ?? 'about:blank', { container });
  await tab.setViewport(SCREEN.width, SCREEN.height);
  await tab.activate();
  await tab.open(url);
  const contentMs = await tab.until(
    (selector) => (document.querySelector(selector) === null ? 0 : performance.now()),
    content,
  );
  const state = () =>
    tab.evaluate(() => {
      const [page] = performance.getEntriesByType('navigation');
      const files = performance.getEntriesByType('resource');
      const all = [page, ...files] as PerformanceResourceTiming[];
      const [paint] = performance.getEntriesByName('first-contentful-paint');
      return {
        bytes: all.reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0),
        requests: all.length,
        paintMs: paint?.startTime ?? 0,
      };
    });
  let before = await state();
  for (;;) {
    await setTimeout(QUIET_MS);
    const after = await state();
    if (after.requests === before.requests && after.paintMs > 0) break;
    before = after;
  }
  await tab.close();
  return { ...before, contentMs };
}

function section(pages: readonly ServedPage[], loads: ReadonlyMap<ServedPage, readonly Loaded[]>): Section {
  const of = (page: ServedPage | undefined, what: keyof Loaded) =>
    median((page ? (loads.get(page) ?? []) : []).map((one) => one[what]));
  const kb = (page: ServedPage | undefined) => of(page, 'bytes') / 1_024;
  const [ours] = pages;
  return {
    title: `The first load on a phone: ${PHONE.downBitsPerSecond / 1e6} Mbit/s down, ${PHONE.roundTripMs} ms round trip`,
    head: ['', 'compressed KB', 'requests', 'first contentful paint, ms', 'its content is there, ms'],
    rows: pages.map((page) => [
      page === ours ? `${page.name} (ours)` : page.name,
      figure(kb(page)),
      figure(of(page, 'requests')),
      figure(of(page, 'paintMs')),
      figure(of(page, 'contentMs')),
    ]),
    goals: [
      { text: 'compressed KB of the first load', reached: kb(ours), is: 'at most', wanted: GOAL_KB },
      { text: 'ms until the first contentful paint', reached: of(ours, 'paintMs'), is: 'at most', wanted: GOAL_MS },
    ],
    notes: [`load while it was measured: ${figure(loadavg()[0] ?? 0)}`],
  };
}

/** Ours first, then the known ones that are installed, and why others are absent. */
async function openPages(cleanup: Cleanup): Promise<{ pages: ServedPage[]; absent: string[] }> {
  const cluster = cleanup.add(await Cluster.start(), (one) => one.stop());
  const { edgeUrl } = cluster.stack;
  const signInUrl = async () => (await cluster.call<SignInLink>('POST', '/v1/session/links', {})).sign_in_url;
  const ours = { name: 'the status page, signed in', content: '#due-next', signInUrl };
  const pages = [await edgePage(cleanup, edgeUrl, ours)];
  const absent: string[] = [];
  for (const open of KNOWN_PAGES) {
    const page = await open(cleanup);
    if ('absent' in page) absent.push(page.absent);
    else pages.push(page);
  }
  return { pages, absent };
}

export const pageLoad: Benchmark = {
  name: 'page-load',
  what: 'the first load of the status page on a phone, in a real Firefox, beside pages that people know',
  run: ({ quick }) =>
    withCleanup(async (cleanup) => {
      const { pages, absent } = await openPages(cleanup);
      // No chat site is needed: the port leads nowhere.
      const firefox = cleanup.add(await Firefox.start({ port: 1 }), (one) => one.close());
      const loads = new Map<ServedPage, Loaded[]>(pages.map((page) => [page, []]));
      for (let round = 0; round < (quick ? 1 : 5); round += 1) {
        for (const [page, loaded] of loads) loaded.push(await load(firefox, page));
      }
      return { sections: [section(pages, loads)], absent };
    }),
};
