/** When and why a conversation is renewed next, with everything that decides it, read in a few queries by key. */
import { desc, eq, sql } from 'drizzle-orm';
import { automationState, leaderLease } from '../../durable-objects/stubs.ts';
import type { Link } from '../../schema/contracts/conversations.ts';
import type { NextRenewal, RenewalSettings } from '../../schema/contracts/renewal-settings.ts';
import { nextRenewal } from '../../schema/domain/next-renewal.ts';
import { renewalHold, renewalsToday, trippedBreaker } from '../../schema/domain/renewal-limits.ts';
import type { ConversationRow } from '../../schema/tables/index.ts';
import { messages, renewal_jobs } from '../../schema/tables/index.ts';
import type { Database } from '../db/open.ts';
import { instructionPending } from '../db/owes-reply.ts';
import type { Edge } from '../db/plan.ts';
import { taskPending } from '../db/task-sql.ts';
import { reachOf } from '../nodes/presence.ts';
import { settings } from '../settings.ts';
import { chooseLink } from './choose-link.ts';
import { linksOf } from './link-reads.ts';
import { readSettings } from './settings.ts';

export interface RenewalOutlook {
  /** The link that a renewal would be delivered by. */
  active_link: Link | null;
  limits: RenewalSettings;
  counters: ReturnType<typeof countersOf>;
  next_renewal: NextRenewal;
}

export async function renewalOutlook(edge: Edge, row: ConversationRow): Promise<RenewalOutlook> {
  const { env, db, now } = edge;
  const { platform, local_conversation_id } = row;
  const [{ effective }, newest, links, { mode }, lease] = await Promise.all([
    readSettings(db, { platform, local_conversation_id }),
    newestMessage(db, row),
    linksOf(db, local_conversation_id),
    automationState(env).read(),
    leaderLease(env).read(),
  ]);
  const { link, unusable } = chooseLink(links, await reachOf(env, links));
  const next_renewal = nextRenewal({
    mode,
    has_leader: lease.holder_id !== null,
    automation_status: row.automation_status,
    pause_reason: row.pause_reason,
    newest: newest?.message ?? null,
    job: newest?.job ?? null,
    task_pending: newest?.task_pending ?? false,
    ask_pending: row.open_ask !== null,
    breaker: trippedBreaker(row, effective, newest?.text_hash ?? null),
    hold: renewalHold(row, effective, now),
    link,
    unusable,
    settle_delay_ms: settings(env).settle_delay_ms,
    now,
  });
  return { active_link: link, limits: effective, counters: countersOf(row, effective, now), next_renewal };
}

function countersOf(row: ConversationRow, limits: RenewalSettings, now: number) {
  const { renewals_in_row, renewals_without_effect, repeated_renewals, cooldown_until } = row;
  const renewals_today = renewalsToday(row, limits, now);
  return { renewals_in_row, renewals_without_effect, repeated_renewals, renewals_today, cooldown_until };
}

async function newestMessage(db: Database, { last_message_id }: ConversationRow) {
  if (last_message_id === null) return null;
  const [stored, jobs] = await db.batch([
    db
      .select({
        role: messages.role,
        received_at: messages.received_at,
        text_hash: messages.text_hash,
        pending: sql<number>`${instructionPending('messages')}`,
        task_pending: sql<number>`${taskPending(sql`messages.local_conversation_id`)}`,
      })
      .from(messages)
      .where(eq(messages.message_id, last_message_id)),
    db
      .select()
      .from(renewal_jobs)
      .where(eq(renewal_jobs.message_id, last_message_id))
      .orderBy(desc(renewal_jobs.job_id))
      .limit(1),
  ]);
  const [found] = stored;
  if (found === undefined) return null;
  const { role, received_at, text_hash, pending, task_pending } = found;
  return {
    message: { role, received_at, instruction_pending: pending === 1 },
    task_pending: task_pending === 1,
    text_hash,
    job: jobs[0] ?? null,
  };
}
