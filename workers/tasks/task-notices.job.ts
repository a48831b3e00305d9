/** `tasks.notices`: sends the reports of ended tasks that are due, and ends those whose outcome never came. */
import { commit } from '../db/commit.ts';
import { reachOf } from '../nodes/presence.ts';
import type { Runner } from '../timed-jobs/job.ts';
import { MORE } from '../timed-jobs/job.ts';
import { dueNotices, planNotice } from './notices.ts';

const MAX_PER_TICK = 5;

export const taskNotices: Runner = {
  name: 'tasks.notices',
  ordinary: true,
  // The look is counted with the first notice: in a tick without room for both, the next tick looks.
  queries: { base: 0, each: 5 },
  async run(context) {
    const { env, db, now } = context;
    if (!context.hasRoom()) return MORE;
    const due = await dueNotices(db, now, MAX_PER_TICK);
    if (due.length === 0) return 'idle';
    const reach = await reachOf(
      env,
      due.flatMap(({ links }) => links),
    );
    const notifications: Promise<unknown>[] = [];
    const waitUntil = (work: Promise<unknown>) => void notifications.push(work);
    for (const [at, one] of due.entries()) {
      if (at > 0 && !context.hasRoom()) break;
      await commit({ db, now, by: null, idempotency: null, waitUntil }, async () => ({
        ...planNotice(context, one, reach),
        response: null,
      }));
    }
    await Promise.all(notifications);
    return context.hasRoom() && due.length < MAX_PER_TICK ? 'ok' : MORE;
  },
};
