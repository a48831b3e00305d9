/** What the decision about a message depends on, read in one batch, and the guards that repeat these reads. */
import { and, eq, sql } from 'drizzle-orm';
import type { IngestBody } from '../../schema/contracts/instructions.ts';
import { identityOf } from '../../schema/domain/ingest.ts';
import type { ConversationRow } from '../../schema/tables/index.ts';
import { clients, fence, instructions, local_conversations, messages } from '../../schema/tables/index.ts';
import { guardModeVersion, guardThat } from '../db/guards.ts';
import type { Database, Statement } from '../db/open.ts';
import { EXECUTING_SQL } from '../db/status-sql.ts';
import { guardNotBusy } from '../instructions/guards.ts';
import { selectWaiting } from '../instructions/waiting-approvals.ts';
import { guardStatus } from '../renewal/conversations.ts';

export type IngestReads = Awaited<ReturnType<typeof readForIngest>>;

/** The fence, the conversation, its stored messages with that identity or text, those that are executing; the browser. */
export async function readForIngest(db: Database, body: IngestBody, textHash: string) {
  const isConversation = and(
    eq(local_conversations.platform, body.platform),
    eq(local_conversations.remote_conversation_id, body.remote_conversation_id),
  );
  const conversationId = db
    .select({ id: local_conversations.local_conversation_id })
    .from(local_conversations)
    .where(isConversation);
  const identity = identityOf(body.assistant_message_id, textHash);
  const [fences, conversations, stored, executing, waiting, browsers] = await db.batch([
    db.select().from(fence).where(eq(fence.id, 1)),
    db.select().from(local_conversations).where(isConversation),
    db
      .select({
        message_id: messages.message_id,
        identity: messages.identity,
        assistant_message_id: messages.assistant_message_id,
        text_hash: messages.text_hash,
        ingest_status: messages.ingest_status,
      })
      .from(messages)
      // One search for each of the two: SQLite would read the whole conversation for a condition with OR.
      .where(
        sql`${messages.ingest_seq} IN (
          SELECT ingest_seq FROM messages WHERE local_conversation_id = (${conversationId}) AND identity = ${identity}
          UNION SELECT ingest_seq FROM messages WHERE local_conversation_id = (${conversationId}) AND text_hash = ${textHash})`,
      )
      .orderBy(messages.ingest_seq),
    db
      .selectDistinct({ message_id: instructions.message_id })
      .from(instructions)
      .where(
        sql`${instructions.local_conversation_id} = (${conversationId}) AND ${instructions.status} ${EXECUTING_SQL}`,
      ),
    selectWaiting(db, sql`(${conversationId})`, body.controller_id),
    db.select().from(clients).where(eq(clients.client_id, body.client_id)),
  ]);
  const [marks] = fences;
  if (marks === undefined) throw new Error('the fence row is missing: migrations have not been applied');
  const conversation: ConversationRow | null = conversations[0] ?? null;
  const [counts = { conversation: 0, node: 0 }] = waiting;
  return {
    fence: marks,
    conversation,
    stored,
    busy: executing.length > 0,
    waiting: counts,
    identity,
    browser: browsers[0],
  };
}

/** A conversation or identity that is new is guarded by its unique index. */
export function guardIngestReads(db: Database, loaded: IngestReads, textHash: string): Statement[] {
  const { conversation, busy } = loaded;
  const modeVersion = guardModeVersion(db, loaded.fence.mode_version);
  if (conversation === null) return [modeVersion];
  const { local_conversation_id } = conversation;
  const sameText = loaded.stored.filter((one) => one.text_hash === textHash).length;
  return [
    modeVersion,
    guardStatus(db, conversation),
    guardThat(
      db,
      sql`(SELECT count(*) FROM messages
        WHERE local_conversation_id = ${local_conversation_id} AND text_hash = ${textHash}) = ${sameText}`,
    ),
    ...(busy ? [] : [guardNotBusy(db, { local_conversation_id, message_id: null })]),
  ];
}
