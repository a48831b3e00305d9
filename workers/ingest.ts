/**
 * Ingest: one read, one decision, one write. Message, link, instructions and their first events are one batch, guarded
 * by the mode version and by everything the decision was made on; so of two nodes that bring the same message at once
 * one claims, and the other reads again and finds a duplicate.
 */
import { eq } from 'drizzle-orm';
import { timedJobs } from '../durable-objects/stubs.ts';
import type { IngestAnswer, IngestBody } from '../schema/contracts/instructions.ts';
import { countRepeats } from '../schema/domain/conversation.ts';
import type { DecidedInstruction, IngestDecision, Recognition } from '../schema/domain/ingest.ts';
import { decideIngest, dedupeText, executedAlike, recognize } from '../schema/domain/ingest.ts';
import { newId } from '../schema/ids.ts';
import { instructions, local_conversations, messages } from '../schema/tables/index.ts';
import type { EventDraft, WritePlan } from './commit.ts';
import type { Database, Statement } from './db.ts';
import { sha256Hex } from './hash.ts';
import { insertRows } from './queries/bulk.ts';
import type { ConversationRow } from './queries/conversations.ts';
import { storeConversation } from './queries/conversations.ts';
import type { Ground } from './queries/ingest.ts';
import { guardGround, readGround } from './queries/ingest.ts';
import type { InstructionEventDraft } from './queries/instructions.ts';
import { storeEvents, toClaimed } from './queries/instructions.ts';
import { observeLinks } from './queries/links.ts';
import { settings } from './settings.ts';

interface Arrival {
  env: Env;
  db: Database;
  body: IngestBody;
  ageMs: number;
  now: number;
}

type Keyed = DecidedInstruction & { instruction_id: string; dedupe_key: string };

/** The plan for one arriving message. */
export async function ingest(arrival: Arrival): Promise<WritePlan<IngestAnswer>> {
  const { env, db, body, now } = arrival;
  const textHash = await sha256Hex(body.raw_text);
  const ground = await readGround(db, body, textHash);
  const recognition = recognize(ground.stored, {
    assistant_message_id: body.assistant_message_id ?? null,
    text_hash: textHash,
  });
  const read = ground.conversation ?? newConversation(body, now);
  const counted = countedConversation(read, body, ground, recognition, textHash, now);
  const decision = decideIngest(body, {
    recognition,
    mode: ground.fence.mode,
    automation_status: counted.automation_status,
    busy: ground.busy,
    age_ms: arrival.ageMs,
    max_age_ms: settings(env).instruction_max_age_ms,
    now,
  });
  const messageId = recognition.as === 'new' ? newId('message', now) : recognition.message_id;
  const keyed = await withKeys(body, ground, decision, now);
  const stored = storeConversation(env, db, read, counted, now);
  const fresh = recognition.as === 'new';
  return {
    guards: guardGround(db, ground, textHash),
    statements: [
      ...(ground.conversation === null ? [db.insert(local_conversations).values(read)] : []),
      ...(fresh ? storeMessage(arrival, { messageId, textHash, ground, read, decision, keyed }) : []),
      ...observeLinks(db, observation(body), now),
      ...stored.statements,
    ],
    events: [...events(body, messageId, read, decision, fresh), ...stored.events],
    subject_id: messageId,
    answer: {
      message_id: messageId,
      local_conversation_id: read.local_conversation_id,
      ingest_status: decision.ingest_status,
      automation_status: counted.automation_status,
      mode: ground.fence.mode,
      mode_version: ground.fence.mode_version,
      instructions: keyed.map((one) => toClaimed({ ...one, index: one.input.index }, now)),
    },
    after: async () => {
      await stored.after();
      const renews = fresh && body.role === 'assistant' && counted.automation_status === 'auto';
      if (renews && ground.fence.mode === 'running') await timedJobs(env).due(now + settings(env).settle_delay_ms);
    },
  };
}

function newConversation(body: IngestBody, now: number): ConversationRow {
  return {
    local_conversation_id: newId('conversation', now),
    platform: body.platform,
    remote_conversation_id: body.remote_conversation_id,
    automation_status: 'manual',
    last_non_paused_automation_status: 'manual',
    pause_reason: null,
    paused_at: null,
    title: body.link.page_title,
    last_message_id: null,
    last_message_at: null,
    execution_failures: 0,
    repeated_messages: 0,
    repeated_renewals: 0,
    renewals_without_effect: 0,
    cooldown_until: null,
    created_at: now,
    updated_at: now,
  };
}

/** The conversation after its breaker has counted a new message with instructions. */
function countedConversation(
  read: ConversationRow,
  body: IngestBody,
  ground: Ground,
  recognition: Recognition,
  textHash: string,
  now: number,
): ConversationRow {
  const counts = recognition.as === 'new' && body.role === 'assistant' && body.instructions.length > 0;
  return counts ? countRepeats(read, executedAlike(ground.stored, textHash), now) : read;
}

function withKeys(body: IngestBody, ground: Ground, decision: IngestDecision, now: number): Promise<Keyed[]> {
  const { platform, remote_conversation_id } = body;
  const message = { platform, remote_conversation_id, identity: ground.identity };
  return Promise.all(
    decision.instructions.map(async (one) => ({
      ...one,
      instruction_id: newId('instruction', now),
      dedupe_key: await sha256Hex(dedupeText(message, one.input)),
    })),
  );
}

function observation({ controller_id, client_id, platform, link }: IngestBody) {
  return { controller_id, client_id, tabs: [{ ...link, platform }] };
}

interface NewMessage {
  messageId: string;
  textHash: string;
  ground: Ground;
  read: ConversationRow;
  decision: IngestDecision;
  keyed: Keyed[];
}

function storeMessage({ db, body, now }: Arrival, fresh: NewMessage): Statement[] {
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
      identity: fresh.ground.identity,
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
    ...storeEvents(
      db,
      keyed.flatMap((one) => story(one, body)),
      controller_id,
      now,
    ),
  ];
}

/** The first lines of an instruction's story: seen where, judged by which rule, and what came of that. */
function story(one: Keyed, body: IngestBody): InstructionEventDraft[] {
  const { instruction_id, input, status, gate } = one;
  const { source, other } = body.capture;
  const kind = status === 'claimed' ? 'claimed' : gate === null ? null : 'gated';
  return [
    {
      instruction_id,
      kind: 'observed',
      detail: { client_id: body.client_id, source, other, observed_at: body.observed_at },
    },
    { instruction_id, kind: 'judged', detail: { ...input.policy } },
    ...(kind === null
      ? []
      : [{ instruction_id, kind, detail: { status, ...(gate === null ? {} : { gate }) } } as const]),
  ];
}

function events(
  body: IngestBody,
  messageId: string,
  { local_conversation_id }: ConversationRow,
  { ingest_status, instructions: decided }: IngestDecision,
  fresh: boolean,
): EventDraft[] {
  const data = { ingest_status, local_conversation_id, platform: body.platform, instructions: decided.length };
  return [{ topic: 'messages', type: fresh ? 'ingested' : 'repeated', subject_id: messageId, data }];
}
