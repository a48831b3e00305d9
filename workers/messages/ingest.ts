/**
 * Ingest of a final message: one read, one decision, one write. The message, its link, its instructions and their first
 * journal entries are one batch, guarded by the mode version and by everything the decision depends on. So when two
 * nodes send the same message at once, one claims it; the other reads again and finds a duplicate.
 */
import { timedJobs } from '../../durable-objects/stubs.ts';
import type { EventDraft } from '../../schema/contracts/events.ts';
import type { IngestBody, IngestResponse } from '../../schema/contracts/instructions.ts';
import { countRepeats, countUnreadable, newConversation } from '../../schema/domain/conversation.ts';
import { endsAmong } from '../../schema/domain/counters.ts';
import type { IngestDecision, Recognition } from '../../schema/domain/ingest.ts';
import { countExecuted, decideIngest, dedupeText, recognize } from '../../schema/domain/ingest.ts';
import { breakRow } from '../../schema/domain/renewal-limits.ts';
import { isRenewalText } from '../../schema/domain/renewal-payload.ts';
import { newId } from '../../schema/ids.ts';
import type { ConversationRow } from '../../schema/tables/index.ts';
import { local_conversations } from '../../schema/tables/index.ts';
import { answerAsk } from '../asks/answer.ts';
import { sha256Hex } from '../crypto/hash.ts';
import type { Database } from '../db/open.ts';
import type { Edge, Plan, WritePlan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import { toClaimed } from '../instructions/claimed-view.ts';
import { storedApproval } from '../instructions/edge-approval.ts';
import { offeredGrants, withOffers } from '../instructions/grant-use.ts';
import { guardRoom, requireRoom } from '../nodes/browser-limit.ts';
import { requireOwnBrowser } from '../nodes/browser-owner.ts';
import { bringBrowser, firstSeen } from '../nodes/browsers.ts';
import { pushChanged } from '../nodes/push.ts';
import { lookSoon } from '../notices/wake.ts';
import { storeConversation } from '../renewal/conversations.ts';
import { lastRenewalText } from '../renewal/job-reads.ts';
import { observeLinks } from '../renewal/links.ts';
import { settings } from '../settings.ts';
import type { IngestReads } from './ingest-reads.ts';
import { guardIngestReads, readForIngest } from './ingest-reads.ts';
import type { IdentifiedInstruction } from './ingest-rows.ts';
import { firstEntries, insertMessage } from './ingest-rows.ts';

/** The plan for one message; `ageMs` is how long ago it was observed. Throws `client_of_other_node` and `too_many_browsers`. */
export async function ingest(edge: Edge, body: IngestBody, ageMs: number): Promise<WritePlan<IngestResponse>> {
  const { env, db, now } = edge;
  const textHash = await sha256Hex(body.raw_text);
  const [loaded, links] = await Promise.all([
    readForIngest(db, body, textHash),
    observeLinks(edge, observation(body), ageMs),
  ]);
  requireOwnBrowser(body.controller_id, loaded.browser);
  if (loaded.browser === undefined) await requireRoom(edge, body);
  const recognition = recognize(loaded.stored, {
    assistant_message_id: body.assistant_message_id ?? null,
    text_hash: textHash,
  });
  const read = loaded.conversation ?? unseenConversation(body, now);
  const counted = countMessage(await countWriting(db, read, body), body, loaded, recognition, textHash, now);
  const decision = decideIngest(body, {
    recognition,
    mode: loaded.fence.mode,
    automation_status: counted.automation_status,
    busy: loaded.busy,
    hold: loaded.fence.hold,
    conversation: counted,
    waiting: loaded.waiting,
    age_ms: ageMs,
    max_age_ms: settings(env).instruction_max_age_ms,
    now,
  });
  const isNew = recognition.as === 'new';
  const messageId = isNew ? newId('message', now) : recognition.message_id;
  const instructions = await identify(edge, body, loaded, decision);
  const answered = await answerAsk(edge, loaded.conversation, body, { message_id: messageId, is_new: isNew, ageMs });
  const next = isNew ? withNewest(counted, messageId, body, now) : counted;
  const offers = await offeredGrants(
    edge,
    { local_conversation_id: read.local_conversation_id, controller_id: body.controller_id },
    isNew ? instructions.filter(isAskedNow).map(describedOf) : [],
  );
  const stored: Plan = {
    guards: [
      ...guardIngestReads(db, loaded, textHash),
      ...(loaded.browser === undefined ? [guardRoom(edge, body)] : []),
    ],
    statements: [
      ...(loaded.browser === undefined ? [bringBrowser(edge, body)] : []),
      ...(loaded.conversation === null ? [db.insert(local_conversations).values(next)] : []),
      ...(isNew
        ? insertMessage(edge, body, { messageId, textHash, loaded, conversation: next, decision, instructions })
        : []),
    ],
    events: [
      ...(loaded.browser === undefined ? [firstSeen(body)] : []),
      ingestEvent(body, messageId, read, decision, isNew),
    ],
    journal: isNew ? instructions.flatMap((one) => firstEntries(messageId, one, body)) : [],
    after: () => notify(edge, body, loaded, instructions, isNew && counted.automation_status === 'auto'),
  };
  return {
    // The links come last: a link that was missing concerns the newest message of the conversation as it is then.
    ...mergePlans(stored, answered, loaded.conversation === null ? {} : storeConversation(edge, read, next), links),
    subject_id: messageId,
    response: {
      message_id: messageId,
      local_conversation_id: read.local_conversation_id,
      ingest_status: decision.ingest_status,
      automation_status: counted.automation_status,
      mode: loaded.fence.mode,
      mode_version: loaded.fence.mode_version,
      instructions: withOffers(
        instructions.map((one) => toClaimed({ ...one, index: one.input.index }, now)),
        offers,
      ),
    },
  };
}

/** Announces new approvals to the node, and to the timed jobs when the quiet period of a message that renews ends. */
async function notify(
  edge: Edge,
  body: IngestBody,
  { fence }: IngestReads,
  instructions: readonly IdentifiedInstruction[],
  renews: boolean,
): Promise<void> {
  const asked = instructions.filter(isAskedNow).map((one) => one.instruction_id);
  const { env, now } = edge;
  if (asked.length > 0) {
    await pushChanged(env, body.controller_id, 'approvals', asked);
    await lookSoon(edge);
  }
  if (renews && body.role === 'assistant' && fence.mode === 'running') {
    await timedJobs(env).due(now + settings(env).settle_delay_ms);
  }
}

function unseenConversation({ platform, remote_conversation_id, link }: IngestBody, now: number): ConversationRow {
  const local_conversation_id = newId('conversation', now);
  return newConversation({ local_conversation_id, platform, remote_conversation_id, title: link.page_title }, now);
}

/** A message in the user's role that is no renewal of ours ends the count of renewals in a row. */
async function countWriting(db: Database, read: ConversationRow, body: IngestBody): Promise<ConversationRow> {
  if (body.role !== 'user' || read.renewals_in_row === 0) return read;
  const sent = await lastRenewalText(db, read.local_conversation_id);
  return isRenewalText(body.raw_text, sent) ? read : breakRow(read);
}

/** The breaker counts a new message with instructions whose text has run before, and one that could not be read. */
function countMessage(
  read: ConversationRow,
  body: IngestBody,
  { stored }: IngestReads,
  recognition: Recognition,
  textHash: string,
  now: number,
): ConversationRow {
  if (recognition.as !== 'new' || body.role !== 'assistant' || body.capture.other === 'differs') return read;
  if (body.instructions.length > 0) return countRepeats(read, countExecuted(stored, textHash), now);
  return body.block_errors.length > 0 ? countUnreadable(read, now) : read;
}

/** The conversation with that message as its newest. */
function withNewest(
  conversation: ConversationRow,
  last_message_id: string,
  { link }: IngestBody,
  now: number,
): ConversationRow {
  return { ...conversation, last_message_id, last_message_at: now, title: link.page_title ?? conversation.title };
}

/** Gives each decided instruction its id and its key, and what a person is shown of it now or at its turn. */
function identify(
  { db, now }: Edge,
  { platform, remote_conversation_id }: IngestBody,
  { identity }: IngestReads,
  decision: IngestDecision,
): Promise<IdentifiedInstruction[]> {
  return Promise.all(
    decision.instructions.map(async (one) => ({
      ...one,
      instruction_id: newId('instruction', now),
      dedupe_key: await sha256Hex(dedupeText({ platform, remote_conversation_id, identity }, one.input)),
      approval: isAsked(one) ? await storedApproval(db, one) : null,
    })),
  );
}

function isAskedNow({ status }: IdentifiedInstruction): boolean {
  return status === 'awaiting_approval';
}

function describedOf({ instruction_id, approval, input: { target, tool, params } }: IdentifiedInstruction) {
  return { instruction_id, approval, target, tool, params };
}

/** A person is asked now, or at its turn. */
function isAsked({ status, policy }: Pick<IdentifiedInstruction, 'status' | 'policy'>): boolean {
  return status === 'awaiting_approval' || (status === 'waiting' && policy.decision === 'ask');
}

function observation({ controller_id, client_id, platform, link }: IngestBody) {
  return { controller_id, client_id, tabs: [{ ...link, platform }] };
}

function ingestEvent(
  { platform }: IngestBody,
  subject_id: string,
  { local_conversation_id }: ConversationRow,
  { ingest_status, instructions }: IngestDecision,
  isNew: boolean,
): EventDraft {
  const ended = isNew ? endsAmong(instructions.map(({ status }) => status)) : null;
  const counts = { instructions: instructions.length, ...(ended && { ended }) };
  const data = { ingest_status, local_conversation_id, platform, ...counts };
  return { topic: 'messages', type: isNew ? 'ingested' : 'repeated', subject_id, data };
}
