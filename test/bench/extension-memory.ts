/**
 * What the extension holds and stores while it captures a thousand answers, in a real Firefox: after garbage was
 * collected, every hundred answers. It must be flat once every list that is bounded has been in use.
 */
import { EXTENSION_ID } from '../../extension/build/manifest.ts';
import { Privileged } from '../support/sites/privileged.ts';
import { answerOf } from './firefox/answers.ts';
import { shown, typeAndClick } from './firefox/page-scripts.ts';
import { FirefoxScene } from './firefox/scene.ts';
import { chatgptStaged } from './firefox/subjects.ts';
import type { Benchmark } from './harness/benchmark.ts';
import { withCleanup } from './harness/cleanup.ts';
import type { Report } from './harness/report.ts';
import { figure } from './harness/report.ts';
import { median } from './harness/stats.ts';

/** A new conversation after so many, so that the page's own redrawing does not take most of the time. */
const ANSWERS_OF_A_CHAT = 10;
const KIB = 1_024;
/** From the median of the first half to that of the second. */
const MAX_GROWTH_KIB = 512;

interface Sample {
  answers: number;
  pageKib: number;
  processKib: number;
  storedKib: number;
  /** Of it, the bounded list of the messages that were handed on. */
  sentKib: number;
}

class Measuring {
  readonly samples: Sample[] = [];
  readonly #scene: FirefoxScene;
  readonly #privileged: Privileged;
  #answers = 0;

  constructor(scene: FirefoxScene, privileged: Privileged) {
    this.#scene = scene;
    this.#privileged = privileged;
  }

  async run(count: number, every: number): Promise<void> {
    const { firefox, stage } = this.#scene;
    const staged = chatgptStaged();
    stage.show(staged);
    const tab = await firefox.openTab(staged.chat.newChatUrl);
    while (this.#answers < count) {
      if (this.#answers % ANSWERS_OF_A_CHAT === 0) await tab.open(staged.chat.newChatUrl);
      this.#answers += 1;
      const mark = `end of answer ${this.#answers}.`;
      staged.chat.assistantSays(answerOf(mark));
      const captured = this.#captured(mark);
      await typeAndClick(tab, staged, `question ${this.#answers}`);
      await captured;
      await shown(tab, staged, mark);
      if (this.#answers % every === 0) await this.#sample();
    }
  }

  #captured(mark: string): Promise<void> {
    const { agent } = this.#scene;
    return new Promise((resolve) => {
      const stop = agent.stored.on(({ raw_text }) => {
        if (!raw_text.includes(mark)) return;
        stop();
        resolve();
      });
    });
  }

  async #sample(): Promise<void> {
    const { pageBytes, processBytes } = await this.#privileged.memory();
    const stored = await this.#privileged.storage();
    const storedChars = Object.values(stored).reduce((sum, chars) => sum + chars, 0);
    this.samples.push({
      answers: this.#answers,
      pageKib: pageBytes / KIB,
      processKib: processBytes / KIB,
      storedKib: storedChars / KIB,
      sentKib: (stored.sent ?? 0) / KIB,
    });
  }
}

function growth(samples: readonly Sample[], of: (sample: Sample) => number): number {
  const half = Math.floor(samples.length / 2);
  const values = samples.map(of);
  return median(values.slice(half)) - median(values.slice(0, half));
}

function report(samples: readonly Sample[]): Report {
  const wanted = MAX_GROWTH_KIB;
  // Warm: after the first sample.
  const warm = samples.length > 2 ? samples.slice(1) : samples;
  return {
    sections: [
      {
        title: 'after so many answers, KiB',
        head: ['answers', 'background page', 'process of extensions', 'stored', 'of it, keys of sent messages'],
        rows: samples.map(({ answers, pageKib, processKib, storedKib, sentKib }) => [
          String(answers),
          ...[pageKib, processKib, storedKib, sentKib].map(figure),
        ]),
        goals: [
          { text: 'background page: growth, KiB', reached: growth(warm, (one) => one.pageKib), is: 'at most', wanted },
          {
            text: 'stored, without the keys: growth, KiB',
            reached: growth(warm, ({ storedKib, sentKib }) => storedKib - sentKib),
            is: 'at most',
            wanted: 1,
          },
        ],
        notes: [
          'growth: median of the second half of the samples less that of the first half, without the first sample',
          'keys: of the last 2,000 messages, so that none is handed on twice; they fill up and stay',
        ],
      },
    ],
    absent: [],
  };
}

export const extensionMemory: Benchmark = {
  name: 'extension-memory',
  what: 'memory and storage of the extension while it captures a thousand answers',
  run: ({ quick }) =>
    withCleanup(async (cleanup) => {
      const scene = await FirefoxScene.start(cleanup, { systemAccess: true });
      await scene.installOurs();
      const measuring = new Measuring(scene, await Privileged.open(scene.firefox, EXTENSION_ID));
      await measuring.run(quick ? 4 : 1_200, quick ? 2 : 100);
      return report(measuring.samples);
    }),
};
