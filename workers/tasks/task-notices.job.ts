/** `tasks.notices`: sends the reports of ended tasks that are due, and ends those whose outcome never came. */
import { commit } from '../db/commit.ts';
import { mergePlans } from '../db/plan.ts';
import { reachOf } from '../nodes/presence.ts';
import type { Runner } from '../timed-jobs/job.ts';
import { MORE } from '../timed-jobs/job.ts';
import { dueNotices, planNotice } from './notices.ts';

const MAX_PER_TICK = 3;

export const taskNotices: Runner = {
  name: 'tasks.notices',
  ordinary: true,
  /** Its read; then for each notice a guard, the notice and its command, and one row of events. */
  queries: { base: 11 },
  async run(context) {
    const { env, db, now } = context;
    const due = await dueNotices(db, now, MAX_PER_TICK);
    if (due.length === 0) return 'idle';
    const reach = await reachOf(
      env,
      due.flatMap(({ links }) => links),
    );
    const notifications: Promise<unknown>[] = [];
    const waitUntil = (work: Promise<unknown>) => void notifications.push(work);
    await commit({ db, now, by: null, idempotency: null, waitUntil }, async () => ({
      ...mergePlans(...due.map((one) => planNotice(context, one, reach))),
      response: null,
    }));
    await Promise.all(notifications);
    return due.length === MAX_PER_TICK ? MORE : 'ok';
  },
};
