/** What a person can do on the status page with renewals, tasks, ticks and notices. */
import type { Notices } from '../../../schema/contracts/notices.ts';
import type { RenewalJob } from '../../../schema/contracts/renewal.ts';
import type { TaskDetail } from '../../../schema/contracts/tasks.ts';
import type { Tick } from '../../../schema/contracts/ticks.ts';
import { until } from '../cluster.ts';
import type { PageScene } from '../page-scene.ts';
import { fillIn, press, pressAndConfirm, pressByKey } from '../page-tab.ts';
import type { ActionRow, Target } from './row.ts';
import { renewed } from './row.ts';

const FAILING = 'failing-chat';
const FAILED = { failed: true, reason: 'http_500' };
const LATER_MS = 60_000;

const jobNow = ({ cluster }: PageScene, id: string) => cluster.call<RenewalJob>('GET', `/v1/renewal/jobs/${id}`);

/** Where the page has the job of a conversation, once that has come to the status. */
async function jobThatIs(scene: PageScene, conversation: string, status: RenewalJob['status']): Promise<Target> {
  const { job_id: id } = await until(async () => {
    const list = `/v1/renewal/jobs?local_conversation_id=${conversation}`;
    const { items } = await scene.cluster.call<{ items: RenewalJob[] }>('GET', list);
    return items.find((job) => job.status === status && job.last_error !== null);
  });
  return { at: `/renewals/${id}`, id };
}

let failing = '';

/** Begins a renewal whose three attempts fail, which takes about two minutes: its case comes late. */
export async function beginFailing(scene: PageScene): Promise<void> {
  const downstream = { method: 'dom' as const, http_status: 500, seen_in_page: false, duration_ms: 5 };
  scene.deliveryTo.set(FAILING, { ...FAILED, downstream });
  failing = await renewed(scene, FAILING, 'gemini');
}

export const RETRY: ActionRow = {
  name: 'tries a renewal again that has failed',
  prepare: async (scene) => {
    const target = await jobThatIs(scene, failing, 'failed');
    scene.deliveryTo.delete(FAILING);
    return target;
  },
  act: (tab) => press(tab, 'Retry'),
  says: /The renewal is tried again with all its attempts\./,
  wrote: 'POST /v1/renewal/jobs/:job_id/retry',
  effect: jobNow,
  has: { status: 'done', attempt_count: 4 },
  shows: /Renewals.*sent.*attempt 4\s+delivered/,
};

const noticesNow = ({ cluster }: PageScene) => cluster.call<Notices>('GET', '/v1/notices');

/** The page of notices that go to the receiver of the test. */
async function withNotices({ cluster, receiver }: PageScene): Promise<Target> {
  await cluster.call('PUT', '/v1/notices', { address: receiver.url });
  return { at: '/settings', id: '' };
}

export const OF_OTHERS: readonly ActionRow[] = [
  {
    name: 'cancels a renewal that waits for its next attempt',
    prepare: async (scene) => {
      const downstream = { method: 'dom' as const, http_status: 429, seen_in_page: false, duration_ms: 5 };
      scene.deliveryTo.set('late-chat', { ...FAILED, reason: 'rate_limited', retry_after_ms: LATER_MS, downstream });
      return jobThatIs(scene, await renewed(scene, 'late-chat', 'chatgpt'), 'pending');
    },
    act: (tab) => pressAndConfirm(tab, 'Cancel'),
    says: /The renewal is canceled\./,
    wrote: 'POST /v1/renewal/jobs/:job_id/cancel',
    effect: jobNow,
    has: { status: 'canceled', last_error: 'canceled_by_person' },
    shows: /Renewals\s+.*canceled.*Time axis/,
  },
  {
    name: 'says of a step that waits for a person that it failed',
    prepare: async (scene) => {
      const id = await scene.newTask('A bad one', { kind: 'review', input: { question: 'Is it good?' } });
      await scene.taskIs(id, ({ status }) => status === 'blocked');
      return { at: `/tasks/${id}`, id };
    },
    act: async (tab) => {
      await fillIn(tab, '#note', 'it is not');
      await press(tab, 'Failed');
    },
    says: /Decided: the task continues accordingly/,
    wrote: 'POST /v1/steps/:step_id/resolve',
    effect: ({ cluster }, id) => cluster.call<TaskDetail>('GET', `/v1/tasks/${id}`),
    has: { status: 'failed', steps: [{ status: 'failed' }] },
    shows: /A bad one.*failed.*Steps on a time axis/,
  },
  {
    name: 'runs a tick now, by the keyboard alone',
    prepare: async () => ({ at: '/ticks', id: '' }),
    act: (tab) => pressByKey(tab, 'Run a tick now'),
    says: /A tick has run\./,
    wrote: 'POST /v1/timed-jobs/tick',
    effect: async ({ cluster }) =>
      (await cluster.call<{ items: Tick[] }>('GET', '/v1/timed-jobs/ticks?trigger=manual')).items[0],
    has: { trigger: 'manual' },
    shows: /done\s+a person/,
  },
  {
    name: 'sets where notices are sent, and shows of the address no more than its origin',
    prepare: async () => ({ at: '/settings', id: '' }),
    act: async (tab, { receiver }) => {
      await fillIn(tab, '#notice-address', receiver.url);
      await fillIn(tab, '#notice-quiet_hours', '22:00-07:00');
      await press(tab, 'Save', 'Hours without notices');
    },
    says: /The settings are saved\./,
    wrote: 'PUT /v1/notices',
    effect: async (scene) => {
      const { settings } = await noticesNow(scene);
      return { ...settings, isOfReceiver: settings?.address_origin === new URL(scene.receiver.url).origin };
    },
    has: { isOfReceiver: true, quiet_hours: { from: '22:00', to: '07:00' } },
    shows: /Turn off\s+Send a test/,
  },
  {
    name: 'sends a test notice, which the receiver gets',
    prepare: withNotices,
    act: (tab) => press(tab, 'Send a test'),
    says: /The receiver accepted the test\./,
    wrote: 'POST /v1/notices/test',
    effect: async ({ receiver }) => ({ taken: receiver.taken.length > 0 }),
    has: { taken: true },
    shows: /Newest notices/,
  },
  {
    name: 'turns notices off',
    prepare: withNotices,
    act: (tab) => pressAndConfirm(tab, 'Turn off'),
    says: /Notices are sent nowhere\./,
    wrote: 'PUT /v1/notices',
    effect: noticesNow,
    has: { settings: null },
    shows: /Notices\s+When something waits/,
  },
];
