/**
 * `conversations.forget`: removes the next part of the conversation that a person had forgotten first: a task, 20 messages, or
 * texts that were sent. A part continues where the one before it has ended (walks.ts). Each part is one commit, so a tick that is interrupted loses nothing, and a large conversation takes
 * several ticks. It runs in every mode.
 */
import { sql } from 'drizzle-orm';
import type { Forgotten } from '../../schema/contracts/forget.ts';
import { NOTHING_FORGOTTEN } from '../../schema/contracts/forget.ts';
import { local_conversations } from '../../schema/tables/index.ts';
import { commit } from '../db/commit.ts';
import { guardThat } from '../db/guards.ts';
import type { Edge, Plan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import type { Runner } from '../timed-jobs/job.ts';
import { MORE } from '../timed-jobs/job.ts';
import { forgetMessages } from './messages.ts';
import { forgetEnd, forgetSent, forgetTask } from './rest.ts';
import { forgetPosition } from './walks.ts';

export const conversationsForget: Runner = {
  name: 'conversations.forget',
  ordinary: false,
  // The look is counted with the part: in a tick without room for both, the next tick looks.
  queries: { base: 0, each: 17 },
  async run(context) {
    if (!context.hasRoom()) return MORE;
    const { db, now } = context;
    const row = await db
      .select({
        id: local_conversations.local_conversation_id,
        before: local_conversations.forget_before,
        forgotten: local_conversations.forgotten,
        tasksFrom: sql<number>`max(created_at, ${forgetPosition('tasks', sql`local_conversation_id`)})`,
      })
      .from(local_conversations)
      .where(sql`forget_before IS NOT NULL`)
      .orderBy(local_conversations.forget_before)
      .limit(1)
      .get();
    if (row === undefined || row.before === null) return 'idle';
    const { id, before, forgotten, tasksFrom } = row;
    await commit({ db, now, by: null, idempotency: null, waitUntil: () => undefined }, async () => ({
      ...(await planPart(context, id, { from: tasksFrom, before }, forgotten)),
      response: null,
    }));
    return MORE;
  },
};

async function planPart(
  edge: Edge,
  id: string,
  span: { from: number; before: number },
  so: Forgotten | null,
): Promise<Plan> {
  const { db } = edge;
  const { before } = span;
  const part =
    (await forgetTask(edge, id, span)) ??
    (await forgetMessages(edge, id, before)) ??
    (await forgetSent(edge, id, before));
  const { plan, removed } = part ?? (await forgetEnd(edge, id, before));
  const total = addUp(so ?? NOTHING_FORGOTTEN, removed);
  const counted: Plan = {
    guards: [
      guardThat(
        db,
        sql`EXISTS (SELECT 1 FROM local_conversations WHERE local_conversation_id = ${id} AND forget_before = ${before})`,
      ),
    ],
    statements: [
      db.run(sql`UPDATE local_conversations SET forgotten = ${JSON.stringify(total)}
        WHERE local_conversation_id = ${id}`),
    ],
    events: part !== null ? [] : [{ topic: 'conversations', type: 'forgotten', subject_id: id, data: total }],
  };
  return mergePlans(counted, plan);
}

function addUp(total: Forgotten, removed: Partial<Forgotten>): Forgotten {
  const sum = { ...NOTHING_FORGOTTEN };
  for (const name of Object.keys(sum) as (keyof Forgotten)[]) sum[name] = total[name] + (removed[name] ?? 0);
  return sum;
}
