import type { Approval, IngestBody, PolicyVerdict } from '../../schema/contracts/instructions.ts';
import type { EventDetail } from '../../schema/contracts/journal.ts';
import type { DecidedInstruction, IngestDecision } from '../../schema/domain/ingest.ts';
import { repliesIn, replyDueAt } from '../../schema/domain/reply.ts';
import type { ConversationRow } from '../../schema/tables/index.ts';
import { instructions, messages } from '../../schema/tables/index.ts';
import { insertRows } from '../db/bulk.ts';
import type { JournalDraft } from '../db/journal.ts';
import type { Statement } from '../db/open.ts';
import type { Edge } from '../db/plan.ts';
import type { IngestReads } from './ingest-reads.ts';

export type IdentifiedInstruction = DecidedInstruction & {
  instruction_id: string;
  dedupe_key: string;
  /** What a person is shown; null when no person is asked. */
  approval: Approval | null;
};

export interface NewMessage {
  messageId: string;
  textHash: string;
  loaded: IngestReads;
  /** The conversation with that message. */
  conversation: ConversationRow;
  decision: IngestDecision;
  instructions: IdentifiedInstruction[];
}

/** Stores the message and its instructions. */
export function insertMessage({ db, now }: Edge, body: IngestBody, fresh: NewMessage): Statement[] {
  const { messageId: message_id, textHash: text_hash, loaded, conversation, decision } = fresh;
  const { local_conversation_id, automation_status } = conversation;
  const { controller_id } = body;
  return [
    db.insert(messages).values({
      message_id,
      local_conversation_id,
      platform: body.platform,
      remote_conversation_id: body.remote_conversation_id,
      assistant_message_id: body.assistant_message_id ?? null,
      identity: loaded.identity,
      text_hash,
      raw_text: body.raw_text,
      role: body.role,
      controller_id,
      client_id: body.client_id,
      capture: body.capture,
      block_errors: body.block_errors,
      ingest_status: decision.ingest_status,
      reply_due_at: repliesIn(decision.ingest_status, automation_status)
        ? replyDueAt(decision.ingest_status, now)
        : null,
      observed_at: body.observed_at,
      received_at: now,
    }),
    ...insertRows(
      db,
      instructions,
      fresh.instructions.map((one) => ({
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
        policy: one.policy,
        gate: one.gate,
        approval: one.approval,
        timeout_ms: one.timeout_ms,
        claimed_at: one.claimed_at,
        claim_expires_at: one.claim_expires_at,
        approval_expires_at: one.approval_expires_at,
        created_at: now,
        updated_at: now,
      })),
    ),
  ];
}

/** Where an instruction was observed, by which rule the host judged it, and whether it was claimed or gated. */
export function firstEntries(message_id: string, one: IdentifiedInstruction, body: IngestBody): JournalDraft[] {
  const { instruction_id, input, status, gate, dedupe_key } = one;
  const { source, other } = body.capture;
  const { controller_id } = body;
  const from = { chain: controller_id, message_id, controller_id, instruction_id };
  const kind = status === 'claimed' ? 'claimed' : gate === null ? null : 'gated';
  return [
    {
      ...from,
      kind: 'observed',
      // The key is a hash of the whole call, so the chain binds what was asked, too.
      detail: { client_id: body.client_id, source, other, observed_at: body.observed_at, dedupe_key },
    },
    { ...from, kind: 'judged', detail: verdictDetail(input.policy, one.policy) },
    ...(kind === null ? [] : [{ ...from, kind, detail: { status, ...(gate === null ? {} : { gate }) } } as const]),
  ];
}

/** The verdict that counts, and the host's where the edge asks a person although the host would not. */
export function verdictDetail(host: PolicyVerdict, policy: PolicyVerdict): EventDetail {
  return policy.decision === host.decision ? { ...policy } : { ...policy, host: { ...host } };
}
