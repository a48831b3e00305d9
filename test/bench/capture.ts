/**
 * From the last byte of an answer, written by the site's server, to its final message at the agent: the extension, for
 * answers with a block and without, beside a bare filter that passes the same bytes on, and beside the page that draws the
 * answer, which the second opinion on blocks waits for. One after the other in the same Firefox, a new one for each round.
 *
 * What is ours is measured for each answer by itself: from the time at which the last of what its message waits for was
 * there. That is the last byte, as late as a bare filter has it; for an answer with a block, the answer on the page; and where
 * a reading of the conversation confirms the text, the response to it.
 */
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { FirefoxTab } from '../support/sites/firefox-tab.ts';
import { answerOf, PART_MS } from './firefox/answers.ts';
import { BareReceiver } from './firefox/bare-extension.ts';
import { noteShown, shown, shownAt, typeAndClick } from './firefox/page-scripts.ts';
import { FirefoxScene } from './firefox/scene.ts';
import type { Staged } from './firefox/stage.ts';
import { stagedSites } from './firefox/subjects.ts';
import type { Benchmark } from './harness/benchmark.ts';
import { withCleanup } from './harness/cleanup.ts';
import type { Goal, Section } from './harness/report.ts';
import { figure } from './harness/report.ts';
import { percentile } from './harness/stats.ts';

const GOAL_MS = 50;
/** A filter has seen the end when nothing more comes for this long. */
const QUIET_MS = 100;
/** A new conversation after so many, as a fake page draws all of it again at each change. */
const ANSWERS_OF_A_CHAT = 5;
const WHO = ['page', 'filter', 'plain', 'ours'] as const;
type Who = (typeof WHO)[number];
const LABELS: Record<Who, string> = {
  ours: 'the extension, answers with a block (ours)',
  plain: 'the extension, answers without a block (ours)',
  filter: 'a bare filter (floor)',
  page: 'the page shows the answer (floor of the second opinion)',
};
const ORDER: readonly Who[] = ['ours', 'plain', 'filter', 'page'];
const SHARES = [0.5, 0.9, 0.99, 1];

/** One answer; all times in milliseconds after the last byte that the server wrote of it. */
interface Answer {
  /** Of the last byte at the filter's receiver, of the message at the agent, or of the answer on the page. */
  ms: number;
  /** When the page showed it, while our extension was there. */
  shownMs?: number;
  /** When the server had responded to the reading that confirms its text; 0 without one. */
  readMs?: number;
}
type Samples = Record<Who, Answer[]>;

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

  async of(who: Who, staged: Staged, count: number): Promise<Answer[]> {
    if (who === 'page') return await this.#page(staged, count);
    if (who === 'filter') return await this.#filter(staged, count);
    return await this.#ours(staged, count, who === 'ours');
  }

  async #ours(staged: Staged, count: number, hasBlock: boolean): Promise<Answer[]> {
    return await this.#slice({ staged, count, hasBlock }, async (ask, mark, tab) => {
      const { agent, stage } = this.#scene;
      const stored = new Promise<{ at: number; readAt: number }>((resolve) => {
        const stop = agent.stored.on(({ raw_text }) => {
          if (!raw_text.includes(mark)) return;
          stop();
          resolve({ at: performance.now(), readAt: stage.readAt });
        });
      });
      await noteShown(tab, staged, mark);
      await ask();
      const { at, readAt } = await stored;
      const shownMs = (await shownAt(tab)) - stage.wroteAtUnix;
      return { ms: at - stage.wroteAt, shownMs, readMs: Math.max(0, readAt - stage.wroteAt) };
    });
  }

  async #filter(staged: Staged, count: number): Promise<Answer[]> {
    const { firefox, folder, stage } = this.#scene;
    const path = join(folder, 'bare');
    this.#bare.build(path, [staged.stream.pattern]);
    const connected = this.#bare.connected();
    const id = await firefox.install(path);
    await connected;
    const samples = await this.#slice({ staged, count }, async (ask, mark, tab) => {
      await ask();
      await shown(tab, staged, mark);
      await this.#quiet();
      return { ms: this.#bare.receivedAt - stage.wroteAt };
    });
    await firefox.bidi.uninstallExtension(id);
    return samples;
  }

  /** When a script in the page sees the whole answer, without any extension. */
  async #page(staged: Staged, count: number): Promise<Answer[]> {
    return await this.#slice({ staged, count }, async (ask, mark, tab) => {
      await noteShown(tab, staged, mark);
      await ask();
      return { ms: (await shownAt(tab)) - this.#scene.stage.wroteAtUnix };
    });
  }

  /** Resolves when the bare filter has sent all that the server has written. */
  async #quiet(): Promise<void> {
    const { stage } = this.#scene;
    while (this.#bare.receivedBytes < stage.wroteBytes || performance.now() - stage.wroteAt < QUIET_MS) {
      await setTimeout(QUIET_MS / 2);
    }
  }

  /** That many measured answers; the first one of each chat is not measured. */
  async #slice(
    { staged, count, hasBlock = true }: { staged: Staged; count: number; hasBlock?: boolean },
    measure: (ask: () => Promise<void>, mark: string, tab: FirefoxTab) => Promise<Answer>,
  ): Promise<Answer[]> {
    const { firefox, stage } = this.#scene;
    stage.show(staged);
    this.#bare.receivedBytes = 0;
    const tab = await firefox.openTab(staged.chat.newChatUrl);
    const next = async () => {
      this.#turns += 1;
      const question = `question ${this.#turns}`;
      const mark = `end of answer ${this.#turns} of ${this.#name}.`;
      staged.chat.assistantSays(answerOf(mark, { hasBlock }), PART_MS);
      const sample = await measure(() => typeAndClick(tab, staged, question), mark, tab);
      await shown(tab, staged, mark);
      return sample;
    };
    const samples: Answer[] = [];
    while (samples.length < count) {
      if (samples.length > 0) await tab.open(staged.chat.newChatUrl);
      await next();
      const left = Math.min(ANSWERS_OF_A_CHAT, count - samples.length);
      for (let n = 0; n < left; n += 1) samples.push(await next());
    }
    await tab.close();
    return samples;
  }
}

const times = (answers: readonly Answer[]) => answers.map(({ ms }) => ms);

/** How long each message took after the last of what it waits for. */
function own(answers: readonly Answer[], filterMs: number, hasBlock: boolean): number[] {
  return answers.map(({ ms, shownMs = 0, readMs = 0 }) => ms - Math.max(filterMs, readMs, hasBlock ? shownMs : 0));
}

function section(name: string, samples: Samples, loads: readonly number[]): Section {
  const filterMs = percentile(times(samples.filter), 0.5);
  const reads = [...samples.ours, ...samples.plain].map(({ readMs = 0 }) => readMs).filter((ms) => ms > 0);
  const shown = samples.ours.map(({ shownMs = Number.NaN }) => shownMs);
  const ownOurs = own(samples.ours, filterMs, true);
  const ownPlain = own(samples.plain, filterMs, false);
  const p99 = (who: Who) => percentile(times(samples[who]), 0.99);
  const goal = (text: string, reached: number): Goal => ({ text, reached, is: 'at most', wanted: GOAL_MS });
  const above = (text: string, who: Who, floor: Who) => goal(`${text}, ms`, p99(who) - p99(floor));
  const row = (label: string, values: readonly number[]) => [
    label,
    ...SHARES.map((share) => figure(percentile(values, share))),
  ];
  return {
    title: `${name}: last byte of an answer → agent, ${samples.ours.length} answers each`,
    head: ['ms', 'p50', 'p90', 'p99', 'most'],
    rows: [
      ...ORDER.map((who) => row(LABELS[who], times(samples[who]))),
      row('the page shows the answer, with the extension', shown),
      ...(reads.length > 0 ? [row('the site has responded to the reading that confirms the text', reads)] : []),
      row('ours alone, with a block: after the filter, the page and the reading', ownOurs),
      row('ours alone, without a block: after the filter and the reading', ownPlain),
    ],
    goals: [
      goal('with a block: p99 of what is ours alone, ms', percentile(ownOurs, 0.99)),
      goal('without a block: p99 of what is ours alone, ms', percentile(ownPlain, 0.99)),
      above('with a block: p99 above that of the filter', 'ours', 'filter'),
      above('without a block: p99 above that of the filter', 'plain', 'filter'),
    ],
    notes: [`load while it was measured: ${figure(Math.min(...loads))} to ${figure(Math.max(...loads))}`],
  };
}

export const capture: Benchmark = {
  name: 'capture',
  what: 'from the last byte of an answer to the agent, in a real Firefox, beside a bare filter',
  run: ({ quick }) =>
    withCleanup(async (cleanup) => {
      const bare = cleanup.add(new BareReceiver(), (one) => one.close());
      const sites = stagedSites().map((staged) => ({
        staged,
        samples: { page: [], filter: [], plain: [], ours: [] } as Samples,
        loads: [] as number[],
      }));
      for (let round = 0; round < (quick ? 1 : 4); round += 1) {
        // A new Firefox for each round, without ours until its turn comes.
        await withCleanup(async (ofRound) => {
          const scene = await FirefoxScene.start(ofRound);
          const measured = new Capture(scene, bare, `round ${round}`);
          for (const who of WHO) {
            if (who === 'plain') await scene.installOurs();
            for (const { staged, samples, loads } of sites) {
              samples[who].push(...(await measured.of(who, staged, quick ? 1 : 20)));
              loads.push(loadavg()[0] ?? 0);
            }
          }
        });
      }
      return {
        sections: sites.map(({ staged, samples, loads }) => section(staged.chat.name, samples, loads)),
        absent: [],
      };
    }),
};
