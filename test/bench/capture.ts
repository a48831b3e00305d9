/**
 * From the last byte of an answer, written by the site's server, to its final message at the agent: the extension beside
 * a bare filter that passes the same bytes on, and beside the page that draws the answer, which the second opinion waits
 * for. One after the other in the same Firefox, a new one for each round.
 */
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { FirefoxTab } from '../support/sites/firefox-tab.ts';
import { answerOf } from './firefox/answers.ts';
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
/** A filter has seen the end when nothing more comes for this long. */
const QUIET_MS = 100;
const WHO = ['page', 'filter', 'ours'] as const;
const SHARES = [0.5, 0.9, 0.99, 1];

interface Samples {
  ours: number[];
  filter: number[];
  page: number[];
}

class Capture {
  readonly #scene: FirefoxScene;
  readonly #bare: BareReceiver;
  readonly #name: string;
  #turns = 0;

  /** `name`: of all its answers. */
  constructor(scene: FirefoxScene, bare: BareReceiver, name: string) {
    this.#scene = scene;
    this.#bare = bare;
    this.#name = name;
  }

  async ours(staged: Staged, count: number): Promise<number[]> {
    return await this.#slice(staged, count, async (ask, mark) => {
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
  }

  async filter(staged: Staged, count: number): Promise<number[]> {
    const { firefox, folder, stage } = this.#scene;
    const path = join(folder, 'bare');
    this.#bare.build(path, [staged.stream.pattern]);
    const connected = this.#bare.connected();
    const id = await firefox.install(path);
    await connected;
    const samples = await this.#slice(staged, count, async (ask, mark, tab) => {
      await ask();
      await shown(tab, staged, mark);
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
      const mark = `end of answer ${this.#turns} of ${this.#name}.`;
      staged.chat.assistantSays(answerOf(mark));
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
      const sites = stagedSites().map((staged) => ({ staged, samples: { page: [], filter: [], ours: [] } as Samples }));
      for (let round = 0; round < (quick ? 1 : 5); round += 1) {
        // A new Firefox for each round, without ours until its turn comes.
        await withCleanup(async (ofRound) => {
          const scene = await FirefoxScene.start(ofRound);
          const measured = new Capture(scene, bare, `round ${round}`);
          for (const who of WHO) {
            if (who === 'ours') await scene.installOurs();
            for (const { staged, samples } of sites) {
              samples[who].push(...(await measured[who](staged, quick ? 1 : 20)));
            }
          }
        });
      }
      return { sections: sites.map(({ staged, samples }) => section(staged.chat.name, samples)), absent: [] };
    }),
};
