/**
 * `asks`: sends the questions that can leave now, and ends those whose time is over: it runs in every mode, so that none
 * waits without an end. While the system is paused nothing is sent.
 */
import { deferAsk, overdueAsk } from '../../schema/domain/ask.ts';
import { commit } from '../db/commit.ts';
import type { Edge, Plan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import { reachOf } from '../nodes/presence.ts';
import { sendCommands } from '../nodes/push.ts';
import type { Runner } from '../timed-jobs/job.ts';
import { MORE } from '../timed-jobs/job.ts';
import { dueOperations, readDueAsk } from './ask-reads.ts';
import { trySend } from './send.ts';
import { storeAsk } from './store.ts';

const MAX_PER_TICK = 5;

export const asksJob: Runner = {
  name: 'asks',
  ordinary: false,
  // The look is counted with the first ask: in a tick without room for both, the next tick looks.
  queries: { base: 0, each: 7 },
  async run(context) {
    if (!context.hasRoom()) return MORE;
    const { db, now } = context;
    const due = await dueOperations(db, now, MAX_PER_TICK);
    const notifications: Promise<unknown>[] = [];
    const waitUntil = (work: Promise<unknown>) => void notifications.push(work);
    for (const [at, operationId] of due.entries()) {
      if (at > 0 && !context.hasRoom()) break;
      await commit({ db, now, by: null, idempotency: null, waitUntil }, async () => ({
        ...(await planDue(context, operationId)),
        response: null,
      }));
    }
    await Promise.all(notifications);
    if (due.length === 0) return 'idle';
    return context.hasRoom() && due.length < MAX_PER_TICK ? 'ok' : MORE;
  },
};

async function planDue(edge: Edge, operationId: string): Promise<Plan> {
  const { env, db, now } = edge;
  const due = await readDueAsk(db, operationId);
  if (due === null || due.ask.due_at === null || due.ask.due_at > now) return {};
  const { ask, facts, isReceived } = due;
  if (ask.state === 'sent') return storeAsk(edge, ask, overdueAsk(ask, isReceived, now));
  if (facts === null) return storeAsk(edge, ask, deferAsk(ask, 'missing_local_conversation', now));
  const { next, commands, guards } = trySend(edge, ask, facts, await reachOf(env, facts.links));
  return mergePlans({ guards }, storeAsk(edge, ask, next), sendCommands(edge, commands));
}
