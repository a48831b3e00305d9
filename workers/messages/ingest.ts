/**
 * Ingest: one read, one decision, one write. Message, link, instructions and their first events are one batch, guarded
 * by the mode version and by everything the decision was made on; so of two nodes that bring the same message at once
 * one claims, and the other reads again and finds a duplicate.
 */
import { timedJobs } from '../../durable-objects/stubs.ts';
import type { EventDraft } from '../../schema/contracts/events.ts';
import type { IngestBody, IngestResponse } from '../../schema/contracts/instructions.ts';
import { countRepeats, newConversation } from '../../schema/domain/conversation.ts';
import type { IngestDecision, Recognition } from '../../schema/domain/ingest.ts';
import { countExecuted, decideIngest, dedupeText, recognize } from '../../schema/domain/ingest.ts';
import { breakRow } from '../../schema/domain/renewal-limits.ts';
import { isRenewalText } from '../../schema/domain/renewal-payload.ts';
import { newId } from '../../schema/ids.ts';
import type { ConversationRow } from '../../schema/tables/index.ts';
import { local_conversations } from '../../schema/tables/index.ts';
import { sha256Hex } from '../crypto/hash.ts';
import type { Database } from '../db/open.ts';
import type { WritePlan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import { toClaimed } from '../instructions/statuses.ts';
import { pushChanged } from '../nodes/push.ts';
import { storeConversation } from '../renewal/conversations.ts';
import { lastRenewalText } from '../renewal/jobs.ts';
import { observeLinks } from '../renewal/links.ts';
import { settings } from '../settings.ts';
import type { IngestReads } from './ingest-reads.ts';
import { guardIngestReads, readForIngest } from './ingest-reads.ts';
import type { Keyed } from './ingest-rows.ts';
import { firstLines, insertMessage } from './ingest-rows.ts';

interface Arrival {
  env: Env;
  db: Database;
  body: IngestBody;
  ageMs: number;
  now: number;
}

/** The plan for one arriving message. */
export async function ingest(arrival: Arrival): Promise<WritePlan<IngestResponse>> {
  const { env, db, body, now } = arrival;
  const textHash = await sha256Hex(body.raw_text);
  const loaded = await readForIngest(db, body, textHash);
  const recognition = recognize(loaded.stored, {
    assistant_message_id: body.assistant_message_id ?? null,
    text_hash: textHash,
  });
  const read = loaded.conversation ?? unseenConversation(body, now);
  const written = await afterWriting(db, read, body);
  const counted = countedConversation(written, body, loaded, recognition, textHash, now);
  const decision = decideIngest(body, {
    recognition,
    mode: loaded.fence.mode,
    automation_status: counted.automation_status,
    busy: loaded.busy,
    age_ms: arrival.ageMs,
    max_age_ms: settings(env).instruction_max_age_ms,
    now,
  });
  const messageId = recognition.as === 'new' ? newId('message', now) : recognition.message_id;
  const keyed = await withKeys(body, loaded, decision, now);
  const fresh = recognition.as === 'new';
  return {
    ...mergePlans(
      {
        guards: guardIngestReads(db, loaded, textHash),
        statements: [
          ...(loaded.conversation === null ? [db.insert(local_conversations).values(read)] : []),
          ...(fresh ? insertMessage(arrival, { messageId, textHash, loaded, read, decision, keyed }) : []),
          ...observeLinks(db, observation(body), now),
        ],
        events: events(body, messageId, read, decision, fresh),
        journal: fresh ? keyed.flatMap((one) => firstLines(one, body)) : [],
      },
      storeConversation(env, db, read, counted, now),
      { after: () => notify(arrival, loaded, keyed, fresh && counted.automation_status === 'auto') },
    ),
    subject_id: messageId,
    response: {
      message_id: messageId,
      local_conversation_id: read.local_conversation_id,
      ingest_status: decision.ingest_status,
      automation_status: counted.automation_status,
      mode: loaded.fence.mode,
      mode_version: loaded.fence.mode_version,
      instructions: keyed.map((one) => toClaimed({ ...one, index: one.input.index }, now)),
    },
  };
}

/** Announces new approvals, and the time at which a message of an `auto` conversation is settled. */
async function notify({ env, body, now }: Arrival, { fence }: IngestReads, keyed: readonly Keyed[], renews: boolean) {
  const asked = keyed.filter((one) => one.status === 'awaiting_approval').map((one) => one.instruction_id);
  if (asked.length > 0) await pushChanged(env, body.controller_id, 'approvals', asked);
  if (renews && body.role === 'assistant' && fence.mode === 'running') {
    await timedJobs(env).due(now + settings(env).settle_delay_ms);
  }
}

function unseenConversation({ platform, remote_conversation_id, link }: IngestBody, now: number): ConversationRow {
  const local_conversation_id = newId('conversation', now);
  return newConversation({ local_conversation_id, platform, remote_conversation_id, title: link.page_title }, now);
}

/** The conversation after a message in the user's role: one that is no renewal of ours breaks the row of them. */
async function afterWriting(db: Database, read: ConversationRow, body: IngestBody): Promise<ConversationRow> {
  if (body.role !== 'user' || read.renewals_in_row === 0) return read;
  const sent = await lastRenewalText(db, read.local_conversation_id);
  return isRenewalText(body.raw_text, sent) ? read : breakRow(read);
}

/** The conversation after its breaker has counted a new message with instructions. */
function countedConversation(
  read: ConversationRow,
  body: IngestBody,
  loaded: IngestReads,
  recognition: Recognition,
  textHash: string,
  now: number,
): ConversationRow {
  const counts = recognition.as === 'new' && body.role === 'assistant' && body.instructions.length > 0;
  return counts ? countRepeats(read, countExecuted(loaded.stored, textHash), now) : read;
}

function withKeys(body: IngestBody, loaded: IngestReads, decision: IngestDecision, now: number): Promise<Keyed[]> {
  const { platform, remote_conversation_id } = body;
  const message = { platform, remote_conversation_id, identity: loaded.identity };
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
