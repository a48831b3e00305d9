/** What a decision about an arriving message relies upon, read in one batch, and the guards that repeat it. */
import { and, eq, or, sql } from 'drizzle-orm';
import type { IngestBody } from '../../schema/contracts/instructions.ts';
import { identityOf } from '../../schema/domain/ingest.ts';
import type { ConversationRow } from '../../schema/tables/index.ts';
import { fence, instructions, local_conversations, messages } from '../../schema/tables/index.ts';
import { guardModeVersion, guardThat } from '../db/guards.ts';
import type { Database, Statement } from '../db/open.ts';
import { guardStatus } from '../renewal/conversations.ts';

export type IngestReads = Awaited<ReturnType<typeof readForIngest>>;

/** Fence, conversation, earlier observations with that identity or text, and who is executing there. */
export async function readForIngest(db: Database, body: IngestBody, textHash: string) {
  const conversationIs = and(
    eq(local_conversations.platform, body.platform),
    eq(local_conversations.remote_conversation_id, body.remote_conversation_id),
  );
  const itsId = db
    .select({ id: local_conversations.local_conversation_id })
    .from(local_conversations)
    .where(conversationIs);
  const identity = identityOf(body.assistant_message_id, textHash);
  const [fences, conversations, stored, executing] = await db.batch([
    db.select().from(fence).where(eq(fence.id, 1)),
    db.select().from(local_conversations).where(conversationIs),
    db
      .select({
        message_id: messages.message_id,
        identity: messages.identity,
        assistant_message_id: messages.assistant_message_id,
        text_hash: messages.text_hash,
        ingest_status: messages.ingest_status,
      })
      .from(messages)
      .where(
        and(
          sql`${messages.local_conversation_id} = (${itsId})`,
          or(eq(messages.identity, identity), eq(messages.text_hash, textHash)),
        ),
      )
      .orderBy(messages.ingest_seq),
    db
      .selectDistinct({ message_id: instructions.message_id })
      .from(instructions)
      .where(
        and(
          sql`${instructions.local_conversation_id} = (${itsId})`,
          sql`${instructions.status} IN ('claimed', 'running')`,
        ),
      ),
  ]);
  const [statuses] = fences;
  if (statuses === undefined) throw new Error('the fence row is missing: migrations have not been applied');
  const conversation: ConversationRow | null = conversations[0] ?? null;
  return { fence: statuses, conversation, stored, busy: executing.length > 0, identity };
}

/**
 * Fails the batch with `changed` when the ground has moved. A conversation or identity that is new is guarded by its
 * unique index.
 */
export function guardIngestReads(db: Database, loaded: IngestReads, textHash: string): Statement[] {
  const { conversation } = loaded;
  const guards = [guardModeVersion(db, loaded.fence.mode_version)];
  if (conversation === null) return guards;
  const id = conversation.local_conversation_id;
  const alike = loaded.stored.filter((one) => one.text_hash === textHash).length;
  guards.push(
    guardStatus(db, conversation),
    guardThat(
      db,
      sql`(SELECT count(*) FROM messages WHERE local_conversation_id = ${id} AND text_hash = ${textHash}) = ${alike}`,
    ),
  );
  if (!loaded.busy) {
    guards.push(
      guardThat(
        db,
        sql`NOT EXISTS (SELECT 1 FROM instructions
          WHERE local_conversation_id = ${id} AND status IN ('claimed', 'running'))`,
      ),
    );
  }
  return guards;
}
