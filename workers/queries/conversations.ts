/**
 * Conversations as rows, and the one way to change their automation: load, `changeConversation`, and the parts of a
 * plan that store it. Setting `auto` makes the conversation's newest message and its waiting jobs due at once.
 */
import type { SQL } from 'drizzle-orm';
import { and, desc, eq, sql } from 'drizzle-orm';
import { nodeHub, timedJobs } from '../../durable-objects/stubs.ts';
import type { ConversationChange } from '../../schema/domain/conversation.ts';
import { changeConversation } from '../../schema/domain/conversation.ts';
import { conversation_links, local_conversations } from '../../schema/tables/index.ts';
import type { EventDraft } from '../commit.ts';
import type { Database, Statement } from '../db.ts';
import { guardThat } from '../guards.ts';
import { projectAgain } from './projection-marks.ts';

export type ConversationRow = typeof local_conversations.$inferSelect;
export type LinkRow = typeof conversation_links.$inferSelect;

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
export function linkedTo(controllerId: string): SQL {
  return sql`EXISTS (SELECT 1 FROM conversation_links AS l WHERE l.is_active = 1
    AND l.local_conversation_id = ${local_conversations.local_conversation_id} AND l.controller_id = ${controllerId})`;
}

export interface PlanParts {
  guards: Statement[];
  statements: Statement[];
  events: EventDraft[];
  after: () => Promise<unknown>;
}

/** Parts of a plan that make `next` of the conversation as it was read; nothing at all when they are the same. */
export function storeConversation(
  env: Env,
  db: Database,
  read: ConversationRow,
  next: ConversationRow,
  now: number,
): PlanParts {
  if (next === read) return { guards: [], statements: [], events: [], after: async () => undefined };
  const id = read.local_conversation_id;
  const turned = next.automation_status !== read.automation_status;
  const becameAuto = turned && next.automation_status === 'auto';
  const { automation_status, last_non_paused_automation_status, pause_reason, paused_at } = next;
  const { execution_failures, repeated_messages } = next;
  return {
    guards: [guardStatus(db, read)],
    statements: [
      db
        .update(local_conversations)
        .set({
          automation_status,
          last_non_paused_automation_status,
          pause_reason,
          paused_at,
          execution_failures,
          repeated_messages,
          updated_at: now,
        })
        .where(eq(local_conversations.local_conversation_id, id)),
      ...(becameAuto ? [projectAgain(db, id, now), dueNow(db, id, now)] : []),
    ],
    events: turned
      ? [
          {
            topic: 'conversations',
            type: 'automation_changed',
            subject_id: id,
            data: { automation_status, pause_reason },
          },
        ]
      : [],
    after: async () => {
      if (turned) await tellNodes(env, db, id);
      if (becameAuto) await timedJobs(env).due(now);
    },
  };
}

/** The same for one change, as a person, a chat or a breaker asks for it. */
export function applyChange(
  env: Env,
  db: Database,
  read: ConversationRow,
  change: ConversationChange,
  now: number,
): PlanParts & { next: ConversationRow } {
  const next = changeConversation(read, change, now);
  return { ...storeConversation(env, db, read, next, now), next };
}

/** The conversation's automation must still be what was read. */
export function guardStatus(db: Database, read: ConversationRow): Statement {
  return guardThat(
    db,
    sql`EXISTS (SELECT 1 FROM local_conversations WHERE local_conversation_id = ${read.local_conversation_id}
      AND automation_status = ${read.automation_status})`,
  );
}

/** Jobs that waited for nothing but this conversation's automation. */
function dueNow(db: Database, id: string, now: number): Statement {
  return db.run(sql`UPDATE renewal_jobs SET next_attempt_at = ${now}, updated_at = ${now}
    WHERE local_conversation_id = ${id} AND status = 'pending' AND next_attempt_at > ${now}
      AND last_error IN ('automation_manual', 'automation_paused')`);
}

/** Tells the nodes that have it open to read the conversation again. */
async function tellNodes(env: Env, db: Database, id: string): Promise<void> {
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
