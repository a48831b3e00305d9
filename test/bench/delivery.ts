/**
 * From the agent's command to the site's server: deliveries by the extension beside a script in the page that types and
 * clicks at once, in the same tab of the same Firefox, in turn; in a visible tab and in a hidden one.
 */
import { CLIENT } from '../support/extension/bridge-agent.ts';
import type { FirefoxTab } from '../support/sites/firefox-tab.ts';
import { DeliveryDesk } from './firefox/delivery-desk.ts';
import { shown, typeAndClick } from './firefox/page-scripts.ts';
import { FirefoxScene } from './firefox/scene.ts';
import type { Staged } from './firefox/stage.ts';
import { stagedSites } from './firefox/subjects.ts';
import type { Benchmark } from './harness/benchmark.ts';
import { withCleanup } from './harness/cleanup.ts';
import type { Section } from './harness/report.ts';
import { figure } from './harness/report.ts';
import { percentile } from './harness/stats.ts';

const GOAL_MS = 1_000;
const SHARES = [0.5, 0.9, 0.99, 1];
const SUBJECTS = ['ours', 'ours, hidden', 'floor', 'floor, hidden'] as const;
type Subject = (typeof SUBJECTS)[number];
type Samples = Record<Subject, number[]>;
const LABELS: Record<Subject, string> = {
  ours: 'the extension (ours)',
  'ours, hidden': 'the extension, hidden tab (ours)',
  floor: 'a script in the page (floor)',
  'floor, hidden': 'a script in the page, hidden tab (floor)',
};

class Deliveries {
  readonly #scene: FirefoxScene;
  readonly #desk: DeliveryDesk;
  #messages = 0;

  constructor(scene: FirefoxScene) {
    this.#scene = scene;
    this.#desk = new DeliveryDesk(scene.agent);
  }

  /** That many messages by each subject into one conversation. */
  async round(staged: Staged, count: number, subjects: readonly Subject[]): Promise<Samples> {
    const { firefox, stage } = this.#scene;
    stage.show(staged);
    const tab = await firefox.openTab(staged.chat.newChatUrl);
    const other = await firefox.openTab('about:blank');
    await tab.activate();
    await this.#send(staged, tab, 'floor');
    const samples: Samples = { ours: [], 'ours, hidden': [], floor: [], 'floor, hidden': [] };
    for (const subject of subjects) {
      await (subject.endsWith('hidden') ? other : tab).activate();
      await this.#send(staged, tab, subject);
      for (let n = 0; n < count; n += 1) samples[subject].push(await this.#send(staged, tab, subject));
    }
    await other.close();
    await tab.close();
    return samples;
  }

  /** Resolves with the milliseconds from the command to the server, when the page has the answer. */
  async #send(staged: Staged, tab: FirefoxTab, subject: Subject): Promise<number> {
    const { stage, agent } = this.#scene;
    this.#messages += 1;
    const text = `message ${this.#messages}`;
    const mark = `end of answer ${this.#messages}.`;
    staged.chat.assistantSays(`Understood. ${mark}`);
    const url = await tab.url();
    const stored = new Promise<void>((resolve) => {
      const stop = agent.stored.on(({ raw_text }) => {
        if (!raw_text.includes(mark)) return;
        stop();
        resolve();
      });
    });
    const start = performance.now();
    if (subject.startsWith('floor')) await typeAndClick(tab, staged, text);
    else await this.#desk.deliver({ platform: staged.chat.platform, url, text, client_id: CLIENT.client_id });
    await shown(tab, staged, mark);
    await stored;
    if (staged.chat.received().at(-1) !== text) throw new Error(`the server has not received ${text}`);
    return stage.receivedAt - start;
  }
}

function section({ chat }: Staged, samples: Samples): Section {
  const row = (subject: Subject) => [
    LABELS[subject],
    ...SHARES.map((share) => figure(percentile(samples[subject], share))),
  ];
  const reached = percentile(samples.ours, 0.99);
  return {
    title: `${chat.name}: command → the site's server, ${samples.ours.length} messages each`,
    head: ['ms', 'p50', 'p90', 'p99', 'most'],
    rows: SUBJECTS.map(row),
    goals: [{ text: 'p99 in a visible tab, ms', reached, is: 'at most', wanted: GOAL_MS }],
    notes: [],
  };
}

export const delivery: Benchmark = {
  name: 'delivery',
  what: "from the agent's command to the site's server, in a real Firefox, beside a script in the page",
  run: ({ quick }) =>
    withCleanup(async (cleanup) => {
      const scene = await FirefoxScene.start(cleanup);
      await scene.installOurs();
      const deliveries = new Deliveries(scene);
      const sites = stagedSites().map((staged) => ({
        staged,
        samples: { ours: [], 'ours, hidden': [], floor: [], 'floor, hidden': [] } as Samples,
      }));
      for (let round = 0; round < (quick ? 1 : 5); round += 1) {
        const isEven = round % 2 === 0;
        for (const { staged, samples } of isEven ? sites : sites.toReversed()) {
          const order = isEven ? SUBJECTS : SUBJECTS.toReversed();
          const measured = await deliveries.round(staged, quick ? 1 : 20, order);
          for (const subject of SUBJECTS) samples[subject].push(...measured[subject]);
        }
      }
      return { sections: sites.map(({ staged, samples }) => section(staged, samples)), absent: [] };
    }),
};
