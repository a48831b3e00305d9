/**
 * Conversations as rows, and the one way to change their automation: load, `changeConversation`, and the parts of a
 * plan that store it. Setting `auto` makes the conversation's newest message and its waiting jobs due at once.
 */
import type { SQL } from 'drizzle-orm';
import { and, desc, eq, sql } from 'drizzle-orm';
import { nodeHub, timedJobs } from '../../durable-objects/stubs.ts';
import { STOP_REASONS } from '../../schema/contracts/clients.ts';
import type { PauseReason } from '../../schema/contracts/conversations.ts';
import { PAUSE_REASONS } from '../../schema/contracts/conversations.ts';
import { HOLD_REASONS } from '../../schema/contracts/renewal-settings.ts';
import type { ConversationChange } from '../../schema/domain/conversation.ts';
import { CONVERSATION_STATE, changeConversation, conversationEffects } from '../../schema/domain/conversation.ts';
import type { ConversationRow, LinkRow } from '../../schema/tables/index.ts';
import { conversation_links, local_conversations } from '../../schema/tables/index.ts';
import { insertEventsFrom } from '../db/events.ts';
import { guardThat } from '../db/guards.ts';
import type { Database, Statement } from '../db/open.ts';
import type { Plan } from '../db/plan.ts';
import { projectAgain } from './projection-marks.ts';

export async function findConversation(db: Database, id: string): Promise<ConversationRow | undefined> {
  return db.select().from(local_conversations).where(eq(local_conversations.local_conversation_id, id)).get();
}

/** The newest active link of that conversation, whichever client has it. */
export async function newestLink(db: Database, id: string): Promise<LinkRow | undefined> {
  return db
    .select()
    .from(conversation_links)
    .where(and(eq(conversation_links.local_conversation_id, id), sql`is_active = 1`))
    .orderBy(desc(conversation_links.observed_at))
    .limit(1)
    .get();
}

/** An SQL condition: that node has, or had, the conversation open in one of its browsers. */
export function linkedTo(nodeId: string): SQL {
  return sql`EXISTS (SELECT 1 FROM conversation_links AS l WHERE l.is_active = 1
    AND l.local_conversation_id = ${local_conversations.local_conversation_id} AND l.controller_id = ${nodeId})`;
}

/** The plan that stores the columns in which `next` differs from `read`; an empty one when they are the same object. */
export function storeConversation(
  env: Env,
  db: Database,
  read: ConversationRow,
  next: ConversationRow,
  now: number,
): Plan {
  if (next === read) return {};
  const id = read.local_conversation_id;
  const { events, notifies_nodes, renews_now } = conversationEffects(read, next);
  return {
    guards: [guardStatus(db, read)],
    statements: [
      db
        .update(local_conversations)
        .set({ ...differences(read, next), updated_at: now })
        .where(eq(local_conversations.local_conversation_id, id)),
      ...(renews_now ? [projectAgain(db, id, now), dueNow(db, id, now)] : []),
    ],
    events,
    after: async () => {
      if (notifies_nodes) await tellNodes(env, db, id);
      if (renews_now) await timedJobs(env).due(now);
    },
  };
}

function differences(read: ConversationRow, next: ConversationRow): Partial<ConversationRow> {
  const was = new Map<string, unknown>(Object.entries(read));
  return Object.fromEntries(Object.entries(next).filter(([name, value]) => value !== was.get(name)));
}

/** The same for one change, as a person, a chat or a breaker asks for it. */
export function applyChange(
  env: Env,
  db: Database,
  read: ConversationRow,
  change: ConversationChange,
  now: number,
): { plan: Plan; next: ConversationRow } {
  const next = changeConversation(read, change, now);
  return { plan: storeConversation(env, db, read, next, now), next };
}

/** The state that a decision about the conversation relies upon must still be what was read. */
export function guardStatus(db: Database, read: ConversationRow): Statement {
  const unchanged = CONVERSATION_STATE.map((name) => sql`${local_conversations[name]} IS ${read[name]}`);
  return guardThat(
    db,
    sql`EXISTS (SELECT 1 FROM local_conversations
      WHERE local_conversation_id = ${read.local_conversation_id} AND ${sql.join(unchanged, sql` AND `)})`,
  );
}

/** Reasons for which a job waits that a person's change of the automation may have ended. */
const WAITS = sql.join(
  ['automation_manual', 'automation_paused', ...PAUSE_REASONS, ...HOLD_REASONS].map((reason) => sql`${reason}`),
  sql`, `,
);

/** Jobs that waited for nothing but this conversation's automation. */
function dueNow(db: Database, id: string, now: number): Statement {
  return db.run(sql`UPDATE renewal_jobs SET next_attempt_at = ${now}, updated_at = ${now}
    WHERE local_conversation_id = ${id} AND status = 'pending' AND next_attempt_at > ${now}
      AND last_error IN (${WAITS})`);
}

/** Jobs that waited for that client to be resumed. */
export function dueWithClient(db: Database, clientId: string, now: number): Statement {
  const reasons = sql.join(
    STOP_REASONS.map((reason) => sql`${reason}`),
    sql`, `,
  );
  return db.run(sql`UPDATE renewal_jobs SET next_attempt_at = ${now}, updated_at = ${now}
    WHERE status = 'pending' AND next_attempt_at > ${now} AND last_error IN (${reasons})
      AND local_conversation_id IN (SELECT local_conversation_id FROM conversation_links
        WHERE client_id = ${clientId} AND is_active = 1)`);
}

export interface BreakerPause {
  local_conversation_id: string;
  reason: PauseReason;
}

/** Breakers of many conversations at once: those that are still `auto` are paused, and an event says so. */
export function pauseConversations(db: Database, pauses: readonly BreakerPause[], now: number): Statement[] {
  if (pauses.length === 0) return [];
  const json = JSON.stringify(pauses);
  return [
    db.run(sql`UPDATE local_conversations SET automation_status = 'paused', last_non_paused_automation_status = 'auto',
        pause_reason = o.reason, paused_at = ${now}, updated_at = ${now}
      FROM (SELECT value->>'local_conversation_id' AS id, value->>'reason' AS reason FROM json_each(${json})) AS o
      WHERE local_conversation_id = o.id AND automation_status = 'auto'`),
    insertEventsFrom(
      db,
      sql`json_object('topic', 'conversations', 'type', 'automation_changed', 'subject_id', c.local_conversation_id,
        'data', json_object('automation_status', 'paused', 'pause_reason', c.pause_reason))`,
      sql`json_each(${json}) AS o JOIN local_conversations AS c
        ON c.local_conversation_id = o.value->>'local_conversation_id' AND c.paused_at = ${now}`,
      now,
    ),
  ];
}

/** Tells the nodes that have it open to read the conversation again. */
export async function tellNodes(env: Env, db: Database, id: string): Promise<void> {
  const rows = await db
    .selectDistinct({ controller_id: conversation_links.controller_id })
    .from(conversation_links)
    .where(and(eq(conversation_links.local_conversation_id, id), sql`is_active = 1`));
  await Promise.all(
    rows.map(({ controller_id }) =>
      nodeHub(env, controller_id).push(controller_id, { type: 'changed', topic: 'conversations', ids: [id] }),
    ),
  );
}
