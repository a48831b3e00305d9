/**
 * Whether the open status page stays true to the API while much happens: a case of status-page.test.ts. It runs for some
 * seconds, or for as many minutes as CONDUCTOR_DRIFT_MINUTES says, and compares each panel without loading the page again.
 */
import { setTimeout } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Instruction } from '../../schema/contracts/instructions.ts';
import type { RenewalJob } from '../../schema/contracts/renewal.ts';
import type { Status } from '../../schema/contracts/status.ts';
import type { TaskDetail } from '../../schema/contracts/tasks.ts';
import type { Tick } from '../../schema/contracts/ticks.ts';
import type { WaitingForPerson } from '../../schema/contracts/waiting.ts';
import { GENERAL_EN } from '../../workers/page/texts/en/general.ts';
import { PANELS_EN } from '../../workers/page/texts/en/panels.ts';
import { block } from './browser.ts';
import type { PageScene } from './page-scene.ts';
import { press, shows } from './page-tab.ts';

const MINUTE_MS = 60_000;
const MINUTES = Number(process.env.CONDUCTOR_DRIFT_MINUTES ?? 0);
const ROUND_MS = MINUTES > 0 ? MINUTE_MS : 4_000;
const GAP_MS = 500;
const CHAT = 'drift-chat';
const WORDS: Readonly<Record<string, string>> = { ...GENERAL_EN, ...PANELS_EN };

type Lines = Readonly<Record<string, readonly string[]>>;

interface Panel {
  name: string;
  /** What the API has for it. */
  api: (scene: PageScene) => Promise<Lines>;
  /** What the page shows of that. */
  page: (scene: PageScene) => Promise<Lines>;
}

async function items<T>({ cluster }: PageScene, path: string): Promise<T[]> {
  return (await cluster.call<{ items: T[] }>('GET', path)).items;
}

/** The objects that the rows of a list lead to, with the first status of each row. */
const rowsOf = async ({ tab }: PageScene): Promise<Lines> => ({
  rows: await tab.evaluate(() =>
    // The numbers of pictures are rows without a status.
    [...document.querySelectorAll('main tbody tr:has(.pill)')].map(
      (row) => `${row.querySelector('a')?.getAttribute('href')} ${row.querySelector('.pill')?.textContent}`,
    ),
  ),
});

/** The mode, and what the sections of that name lead to. */
const sectionsOf = async ({ tab }: PageScene): Promise<Lines> =>
  tab.evaluate(() => {
    const section = (title: string) =>
      [...document.querySelectorAll('main section')].find((one) => one.querySelector('h2')?.textContent === title);
    const links = (title: string) =>
      [...(section(title)?.querySelectorAll('a') ?? [])].map((link) => link.getAttribute('href') ?? '').sort();
    return {
      mode: [section('System')?.querySelector('.pill')?.textContent ?? ''],
      waits: links('Waits for you'),
      runs: links('Runs now'),
    };
  });

async function nowOf(scene: PageScene): Promise<Lines> {
  const { system } = await scene.cluster.call<Status>('GET', '/v1/status');
  const waits = await scene.cluster.call<WaitingForPerson>('GET', '/v1/status/waiting');
  const instructions = await items<Instruction>(scene, '/v1/instructions?status=running');
  const tasks = await items<TaskDetail>(scene, '/v1/tasks?status=running');
  const jobs = await items<RenewalJob>(scene, '/v1/renewal/jobs?status=running');
  return {
    mode: [WORDS[`mode_${system.mode}`] ?? ''],
    waits: [
      ...[...waits.approvals, ...waits.interrupted].map((one) => `/instructions/${one.instruction_id}`),
      ...waits.blocked.map((one) => `/tasks/${one.task_id}`),
      ...waits.stopped.map((one) => `/browsers/${one.client_id}`),
      ...waits.paused.map((one) => `/conversations/${one.local_conversation_id}`),
    ].sort(),
    runs: [
      ...instructions.map((one) => `/instructions/${one.instruction_id}`),
      ...tasks.map((one) => `/tasks/${one.task_id}`),
      ...jobs.map((one) => `/renewals/${one.job_id}`),
    ].sort(),
  };
}

const PANELS: readonly Panel[] = [
  { name: 'Now', api: nowOf, page: sectionsOf },
  {
    name: 'Tasks',
    api: async (scene) => ({
      rows: (await items<TaskDetail>(scene, '/v1/tasks?limit=25')).map(
        ({ task_id, status }) => `/tasks/${task_id} ${WORDS[`task_${status}`]}`,
      ),
    }),
    page: rowsOf,
  },
  {
    name: 'Instructions',
    api: async (scene) => ({
      rows: (await items<Instruction>(scene, '/v1/instructions?limit=25')).map(
        ({ instruction_id, status }) => `/instructions/${instruction_id} ${WORDS[`instruction_${status}`]}`,
      ),
    }),
    page: rowsOf,
  },
  {
    name: 'Ticks',
    api: async (scene) => ({
      rows: (await items<Tick>(scene, '/v1/timed-jobs/ticks?limit=25')).map(
        ({ tick_seq, decision }) => `/ticks/${tick_seq} ${WORDS[`tick_${decision}`]}`,
      ),
    }),
    page: rowsOf,
  },
];

/** Makes one thing happen; each kind in its turn, with what ends the one before. */
async function happen(scene: PageScene, n: number): Promise<void> {
  const post = (path: string, body: object = {}) => scene.cluster.call('POST', path, body);
  const exec = (program: string) =>
    scene.says(block(`@conductor::exec::${JSON.stringify({ argv: [program, `event ${n}`] })}`), CHAT);
  const kinds = [
    () => exec('printf'),
    () => scene.newTask(`Event ${n}`, { input: { script: 'echo one; echo two' } }),
    () => exec('id'),
    async () => {
      await post('/v1/system/pause');
      await post('/v1/system/resume');
    },
    () => scene.newTask(`Event ${n}`, { kind: 'review', input: { question: 'Is it good?' } }),
    async () => {
      for (const { instruction_id: id } of await items<Instruction>(scene, '/v1/instructions?status=awaiting_approval'))
        await post(`/v1/instructions/${id}/cancel`);
      for (const { task_id: id } of await items<TaskDetail>(scene, '/v1/tasks?status=blocked'))
        await post(`/v1/tasks/${id}/cancel`);
    },
    () => post('/v1/timed-jobs/tick'),
  ];
  await kinds[n % kinds.length]?.();
}

export function driftCase(sceneNow: () => PageScene): void {
  const rounds = Math.max(MINUTES, PANELS.length);
  it('shows on each panel what the API has, after many changes under the open page', {
    timeout: (rounds + 5) * MINUTE_MS,
  }, async () => {
    const scene = sceneNow();
    await scene.conversation(CHAT);
    await scene.at('/');
    await scene.tab.evaluate(() => void Object.assign(globalThis, { isSamePage: true }));
    let count = 0;
    for (let round = 0; round < rounds; round += 1) {
      const panel = PANELS[round % PANELS.length];
      if (panel === undefined) continue;
      await press(scene.tab, panel.name);
      await shows(scene.tab, new RegExp(`Live.*${panel.name}`));
      const end = Date.now() + ROUND_MS;
      while (Date.now() < end) {
        await happen(scene, count);
        count += 1;
        await setTimeout(GAP_MS);
      }
      const endedAt = Date.now();
      await expect.poll(() => compared(scene, panel)).toEqual([]);
      if (MINUTES > 0)
        process.stdout.write(`${panel.name}: true after ${count} events, ${Date.now() - endedAt} ms after the last\n`);
    }
    expect(await scene.tab.evaluate(() => 'isSamePage' in globalThis)).toBe(true);
  });
}

/** Where page and API differ. */
async function compared(scene: PageScene, { api, page }: Panel): Promise<unknown[]> {
  const [shown, had] = [await page(scene), await api(scene)];
  return Object.keys(had)
    .filter((name) => JSON.stringify(shown[name]) !== JSON.stringify(had[name]))
    .map((name) => ({ name, shown: shown[name], had: had[name] }));
}
