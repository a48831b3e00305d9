/**
 * From the last byte of an answer, written by the site's server, to its final message at the agent: the extension beside
 * a bare filter that passes the same bytes on, and beside the page that draws the answer, which the second opinion waits
 * for. All in the same Firefox, one after the other.
 */
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { FirefoxTab } from '../support/sites/firefox-tab.ts';
import { BareReceiver } from './firefox/bare-extension.ts';
import { shown, typeAndClick } from './firefox/page-scripts.ts';
import { FirefoxScene } from './firefox/scene.ts';
import type { Staged } from './firefox/stage.ts';
import { stagedSites } from './firefox/subjects.ts';
import type { Benchmark } from './harness/benchmark.ts';
import { withCleanup } from './harness/cleanup.ts';
import type { Section } from './harness/report.ts';
import { figure } from './harness/report.ts';
import { percentile } from './harness/stats.ts';

const GOAL_MS = 50;
const PROSE =
  'The lease is renewed every five seconds; when two renewals in a row fail, the node claims nothing more. ';
const BLOCK = '```baa\n@conductor::files/read::{"path": "notes.md"}\n```';
/** A filter has seen the end when nothing more comes for this long. */
const QUIET_MS = 100;
const WHO = ['ours', 'filter', 'page'] as const;
const SHARES = [0.5, 0.9, 0.99, 1];

interface Samples {
  ours: number[];
  filter: number[];
  page: number[];
}

class Capture {
  readonly #scene: FirefoxScene;
  readonly #bare: BareReceiver;
  #turns = 0;

  constructor(scene: FirefoxScene, bare: BareReceiver) {
    this.#scene = scene;
    this.#bare = bare;
  }

  async ours(staged: Staged, count: number): Promise<number[]> {
    const remove = await this.#scene.installOurs();
    const samples = await this.#slice(staged, count, async (ask, mark) => {
      const { agent, stage } = this.#scene;
      const stored = new Promise<number>((resolve) => {
        const stop = agent.stored.on(({ raw_text }) => {
          if (!raw_text.includes(mark)) return;
          stop();
          resolve(performance.now());
        });
      });
      await ask();
      return (await stored) - stage.wroteAt;
    });
    await remove();
    return samples;
  }

  async filter(staged: Staged, count: number): Promise<number[]> {
    const { firefox, folder, stage } = this.#scene;
    const path = join(folder, 'bare');
    this.#bare.build(path, [staged.stream.pattern]);
    const connected = this.#bare.connected();
    const id = await firefox.install(path);
    await connected;
    const samples = await this.#slice(staged, count, async (ask) => {
      await ask();
      await this.#quiet();
      return this.#bare.receivedAt - stage.wroteAt;
    });
    await firefox.bidi.uninstallExtension(id);
    return samples;
  }

  /** When a script in the page sees the whole answer, without any extension. */
  async page(staged: Staged, count: number): Promise<number[]> {
    const { stage } = this.#scene;
    return await this.#slice(staged, count, async (ask, mark, tab) => {
      await ask();
      await shown(tab, staged, mark);
      return performance.now() - stage.wroteAt;
    });
  }

  /** Resolves when the bare filter has sent all that the server has written. */
  async #quiet(): Promise<void> {
    const { stage } = this.#scene;
    while (this.#bare.receivedBytes < stage.wroteBytes || performance.now() - stage.wroteAt < QUIET_MS) {
      await setTimeout(QUIET_MS / 2);
    }
  }

  /** A new chat with that many measured answers, after one that is not measured. */
  async #slice(
    staged: Staged,
    count: number,
    measure: (ask: () => Promise<void>, mark: string, tab: FirefoxTab) => Promise<number>,
  ): Promise<number[]> {
    const { firefox, stage } = this.#scene;
    stage.show(staged);
    this.#bare.receivedBytes = 0;
    const tab = await firefox.openTab(staged.chat.newChatUrl);
    const samples: number[] = [];
    for (let turn = 0; turn <= count; turn += 1) {
      this.#turns += 1;
      const question = `question ${this.#turns}`;
      const mark = `end of answer ${this.#turns}.`;
      staged.chat.assistantSays(`${PROSE.repeat(10)}\n\n${BLOCK}\n\n${mark}`);
      samples.push(await measure(() => typeAndClick(tab, staged, question), mark, tab));
      await shown(tab, staged, mark);
    }
    await tab.close();
    return samples.slice(1);
  }
}

function section(name: string, { ours, filter, page }: Samples): Section {
  const row = (title: string, values: readonly number[]) => [
    title,
    ...SHARES.map((share) => figure(percentile(values, share))),
  ];
  const above = (floor: readonly number[]) => percentile(ours, 0.99) - percentile(floor, 0.99);
  return {
    title: `${name}: last byte of an answer → agent, ${ours.length} answers each`,
    head: ['ms', 'p50', 'p90', 'p99', 'most'],
    rows: [
      row('the extension (ours)', ours),
      row('a bare filter (floor)', filter),
      row('the page shows the answer (floor of the second opinion)', page),
    ],
    goals: [
      { text: 'p99 above that of the filter, ms', reached: above(filter), is: 'at most', wanted: GOAL_MS },
      { text: 'p99 above that of the page, ms', reached: above(page), is: 'at most', wanted: GOAL_MS },
    ],
    notes: [],
  };
}

export const capture: Benchmark = {
  name: 'capture',
  what: 'from the last byte of an answer to the agent, in a real Firefox, beside a bare filter',
  run: ({ quick }) =>
    withCleanup(async (cleanup) => {
      const bare = cleanup.add(new BareReceiver(), (one) => one.close());
      const scene = await FirefoxScene.start(cleanup);
      const measured = new Capture(scene, bare);
      const sites = stagedSites().map((staged) => ({ staged, samples: { ours: [], filter: [], page: [] } as Samples }));
      for (let round = 0; round < (quick ? 1 : 5); round += 1) {
        const isEven = round % 2 === 0;
        for (const { staged, samples } of isEven ? sites : sites.toReversed()) {
          for (const who of isEven ? WHO : WHO.toReversed()) {
            samples[who].push(...(await measured[who](staged, quick ? 1 : 20)));
          }
        }
      }
      return { sections: sites.map(({ staged, samples }) => section(staged.chat.name, samples)), absent: [] };
    }),
};
