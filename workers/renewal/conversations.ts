/**
 * Stores what decisions made of conversations. The decisions are schema/domain/conversation.ts and renewal-limits.ts;
 * here they become statements, events and notifications. Setting `auto` makes the newest message and the waiting jobs of
 * the conversation due.
 */
import { eq, sql } from 'drizzle-orm';
import { timedJobs } from '../../durable-objects/stubs.ts';
import type { Conversation } from '../../schema/contracts/conversations.ts';
import { ConversationSchema } from '../../schema/contracts/conversations.ts';
import type { ConversationChange, ConversationState } from '../../schema/domain/conversation.ts';
import { CONVERSATION_STATE, changeConversation, conversationEffects } from '../../schema/domain/conversation.ts';
import type { ConversationRow } from '../../schema/tables/index.ts';
import { local_conversations } from '../../schema/tables/index.ts';
import { insertEventsWhere } from '../db/events.ts';
import { guardThat } from '../db/guards.ts';
import type { Database, Statement } from '../db/open.ts';
import type { Edge, Plan, WritePlan } from '../db/plan.ts';
import { pushChanged } from '../nodes/push.ts';
import { requireConversation } from './conversation-reads.ts';
import { nodesOf } from './link-reads.ts';
import { projectAgain } from './projection-marks.ts';
import { wakeJobsOfConversation } from './wake-jobs.ts';

/** A person's change. Throws `conversation_not_found`. */
export async function changeAutomation(
  edge: Edge,
  id: string,
  change: ConversationChange,
): Promise<WritePlan<Conversation>> {
  const read = await requireConversation(edge.db, id);
  const next = changeConversation(read, change, edge.now);
  const updated_at = next === read ? read.updated_at : edge.now;
  return {
    ...storeConversation(edge, read, next),
    subject_id: id,
    response: ConversationSchema.parse({ ...next, updated_at }),
  };
}

/** The plan that stores the columns in which `next` differs from `read`; an empty one when they are the same object. */
export function storeConversation(edge: Edge, read: ConversationRow, next: ConversationRow): Plan {
  if (next === read) return {};
  const { env, db, now } = edge;
  const id = read.local_conversation_id;
  const { events, notifies_nodes, renews_now } = conversationEffects(read, next);
  return {
    guards: [guardStatus(db, read)],
    statements: [
      db
        .update(local_conversations)
        .set({ ...differences(read, next), updated_at: now })
        .where(eq(local_conversations.local_conversation_id, id)),
      ...(renews_now ? [projectAgain(db, id, now), wakeJobsOfConversation(edge, id)] : []),
    ],
    events,
    after: async () => {
      if (notifies_nodes) await notifyNodes(edge, [id]);
      if (renews_now) await timedJobs(env).due(now);
    },
  };
}

function differences(read: ConversationRow, next: ConversationRow): Partial<ConversationRow> {
  const was = new Map<string, unknown>(Object.entries(read));
  return Object.fromEntries(Object.entries(next).filter(([name, value]) => value !== was.get(name)));
}

type StatedConversation = ConversationState & Pick<ConversationRow, 'local_conversation_id'>;

/** A conversation as it was read, and what a decision made of it. */
export interface ConversationStep {
  read: StatedConversation;
  next: StatedConversation;
}

/**
 * Statements that store many steps, each with its events and only while the conversation is still as it was read. For
 * steps that make nothing due, such as pauses.
 */
export function storeConversations(edge: Edge, steps: readonly ConversationStep[]): Statement[] {
  if (steps.length === 0) return [];
  const { db, now } = edge;
  const events = steps.flatMap(({ read, next }) => conversationEffects(read, next).events);
  return [
    updateStates(edge, steps),
    ...insertEventsWhere(
      db,
      events,
      sql`EXISTS (SELECT 1 FROM local_conversations AS c WHERE c.local_conversation_id = value->>'subject_id'
        AND c.updated_at = ${now} AND c.automation_status = value->>'$.data.automation_status')`,
      now,
    ),
  ];
}

/** Asks the nodes that have these conversations open to read them again. */
export async function notifyNodes({ env, db }: Edge, ids: readonly string[]): Promise<void> {
  const nodes = await nodesOf(db, ids);
  await Promise.all(nodes.map((node) => pushChanged(env, node.controller_id, 'conversations', node.ids)));
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

const setState = sql.raw(CONVERSATION_STATE.map((name) => `${name} = o.v->>'$.next.${name}'`).join(', '));
const isAsRead = sql.raw(
  CONVERSATION_STATE.map((name) => `local_conversations.${name} IS o.v->>'$.read.${name}'`).join(' AND '),
);

/** Sets the state of each conversation that is still as it was read. */
function updateStates({ db, now }: Edge, steps: readonly ConversationStep[]): Statement {
  const rows = steps.map(({ read, next }) => ({
    id: read.local_conversation_id,
    read: stateOf(read),
    next: stateOf(next),
  }));
  return db.run(sql`UPDATE local_conversations SET ${setState}, updated_at = ${now}
    FROM (SELECT value AS v FROM json_each(${JSON.stringify(rows)})) AS o
    WHERE local_conversations.local_conversation_id = o.v->>'$.id' AND ${isAsRead}`);
}

function stateOf(row: ConversationState): Record<string, unknown> {
  return Object.fromEntries(CONVERSATION_STATE.map((name) => [name, row[name]]));
}
