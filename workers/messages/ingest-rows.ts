/** The rows that a new message becomes, and the first lines of its instructions' stories. */
import { eq } from 'drizzle-orm';
import type { IngestBody } from '../../schema/contracts/instructions.ts';
import type { DecidedInstruction, IngestDecision } from '../../schema/domain/ingest.ts';
import { instructions, local_conversations, messages } from '../../schema/tables/index.ts';
import { insertRows } from '../db/bulk.ts';
import type { JournalDraft } from '../db/journal.ts';
import type { Database, Statement } from '../db/open.ts';
import type { ConversationRow } from '../renewal/conversations.ts';
import type { IngestReads } from './ingest-reads.ts';

export type Keyed = DecidedInstruction & { instruction_id: string; dedupe_key: string };

export interface NewMessage {
  messageId: string;
  textHash: string;
  loaded: IngestReads;
  read: ConversationRow;
  decision: IngestDecision;
  keyed: Keyed[];
}

/** The message, its conversation's newest, and its instructions. */
export function insertMessage(
  { db, body, now }: { db: Database; body: IngestBody; now: number },
  fresh: NewMessage,
): Statement[] {
  const { messageId: message_id, textHash: text_hash, read, decision, keyed } = fresh;
  const { local_conversation_id } = read;
  const { controller_id } = body;
  return [
    db.insert(messages).values({
      message_id,
      local_conversation_id,
      platform: body.platform,
      remote_conversation_id: body.remote_conversation_id,
      assistant_message_id: body.assistant_message_id ?? null,
      identity: fresh.loaded.identity,
      text_hash,
      raw_text: body.raw_text,
      role: body.role,
      controller_id,
      client_id: body.client_id,
      capture: body.capture,
      block_errors: body.block_errors,
      ingest_status: decision.ingest_status,
      observed_at: body.observed_at,
      received_at: now,
    }),
    db
      .update(local_conversations)
      .set({
        last_message_id: message_id,
        last_message_at: now,
        ...(body.link.page_title === null ? {} : { title: body.link.page_title }),
        updated_at: now,
      })
      .where(eq(local_conversations.local_conversation_id, local_conversation_id)),
    ...insertRows(
      db,
      instructions,
      keyed.map((one) => ({
        instruction_id: one.instruction_id,
        dedupe_key: one.dedupe_key,
        message_id,
        local_conversation_id,
        controller_id,
        block_index: one.input.block_index,
        index: one.input.index,
        target: one.input.target,
        tool: one.input.tool,
        params: one.input.params,
        status: one.status,
        policy: one.input.policy,
        gate: one.gate,
        approval: one.input.approval ?? null,
        timeout_ms: one.timeout_ms,
        claim_expires_at: one.claim_expires_at,
        created_at: now,
        updated_at: now,
      })),
    ),
  ];
}

/** The first lines of an instruction's story: seen where, judged by which rule, and what came of that. */
export function firstLines(message_id: string, one: Keyed, body: IngestBody): JournalDraft[] {
  const { instruction_id, input, status, gate, dedupe_key } = one;
  const { source, other } = body.capture;
  const { controller_id } = body;
  const from = { chain: controller_id, message_id, controller_id, instruction_id };
  const kind = status === 'claimed' ? 'claimed' : gate === null ? null : 'gated';
  return [
    {
      ...from,
      kind: 'observed',
      // The key is a hash of the whole call: with it the chain binds what was asked, too.
      detail: { client_id: body.client_id, source, other, observed_at: body.observed_at, dedupe_key },
    },
    { ...from, kind: 'judged', detail: { ...input.policy } },
    ...(kind === null ? [] : [{ ...from, kind, detail: { status, ...(gate === null ? {} : { gate }) } } as const]),
  ];
}
