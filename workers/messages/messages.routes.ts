/** Final messages: ingest, reading them again, and what became of their reply. */
import { and, eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import { timedJobs } from '../../durable-objects/stubs.ts';
import { idSchema, PageQuerySchema, pageOf } from '../../schema/contracts/common.ts';
import type { ReplyBody } from '../../schema/contracts/instructions.ts';
import {
  IngestBodySchema,
  IngestResponseSchema,
  IngestStatusSchema,
  MessageClaimBodySchema,
  MessageClaimResponseSchema,
  MessageDetailSchema,
  ReplyBodySchema,
  ResubmitBodySchema,
  ResubmitResponseSchema,
} from '../../schema/contracts/instructions.ts';
import { instructions, messages as messageRows } from '../../schema/tables/index.ts';
import { requireOwn } from '../auth/ownership.ts';
import { equals } from '../db/filters.ts';
import type { JournalDraft } from '../db/journal.ts';
import type { Database } from '../db/open.ts';
import type { MountedRoute } from '../http/route.ts';
import { NODES, PEOPLE, READERS, read, write } from '../http/route.ts';
import { projectAgain } from '../renewal/projection-marks.ts';
import { claimResubmitted } from './claim-resubmitted.ts';
import { ingest } from './ingest.ts';
import { findMessage, listMessages, MessageSummarySchema, messageDetail } from './message-reads.ts';
import { resubmit } from './resubmit.ts';

/** Of instructions: nothing more happens to it by itself. */
const ENDED = sql`status NOT IN ('claimed', 'running', 'waiting', 'awaiting_approval')`;
const MessageParams = z.object({ message_id: idSchema('msg') });

export const messages: readonly MountedRoute[] = [
  write(
    {
      method: 'post',
      path: '/v1/messages',
      summary: 'Bring a final message; its instructions are gated and claimed',
      tag: 'messages',
      roles: NODES,
      body: IngestBodySchema,
      data: IngestResponseSchema,
    },
    ingest,
  ),
  read(
    {
      method: 'get',
      path: '/v1/messages',
      summary: 'Messages, newest first',
      tag: 'messages',
      roles: [...READERS, ...NODES],
      query: PageQuerySchema.extend({
        local_conversation_id: idSchema('lc').optional(),
        ingest_status: IngestStatusSchema.optional(),
      }),
      data: pageOf(MessageSummarySchema),
    },
    async ({ db, principal, query }) => {
      const { local_conversation_id, ingest_status } = query;
      const filter = and(
        equals(messageRows.controller_id, principal.controller_id),
        equals(messageRows.local_conversation_id, local_conversation_id),
        equals(messageRows.ingest_status, ingest_status),
      );
      return listMessages(db, filter, query);
    },
  ),
  read(
    {
      method: 'get',
      path: '/v1/messages/:message_id',
      summary: 'One message with its instructions',
      tag: 'messages',
      roles: [...READERS, ...NODES],
      params: MessageParams,
      data: MessageDetailSchema,
      errors: ['message_not_found'],
    },
    async ({ db, principal, params }) => {
      const message = await messageDetail(db, params.message_id);
      requireOwn(principal.controller_id, message);
      return message;
    },
  ),
  write(
    {
      method: 'post',
      path: '/v1/messages/:message_id/resubmit',
      summary: 'Have a stopped message judged again by the node that holds its browser, and run what then may run',
      tag: 'messages',
      roles: PEOPLE,
      params: MessageParams,
      body: ResubmitBodySchema,
      data: ResubmitResponseSchema,
      errors: ['message_not_found', 'conflict', 'no_active_client'],
    },
    async ({ env, db, now, principal, params, body }) =>
      resubmit(env, db, params.message_id, { by: principal.subject, reason: body.reason }, now),
  ),
  write(
    {
      method: 'post',
      path: '/v1/messages/:message_id/claim',
      summary: 'Claim a resubmitted message, judged again; the gates are decided anew',
      tag: 'messages',
      roles: NODES,
      params: MessageParams,
      body: MessageClaimBodySchema,
      data: MessageClaimResponseSchema,
      errors: ['message_not_found', 'not_owner'],
    },
    async ({ env, db, now, params, body }) => claimResubmitted(env, db, params.message_id, body, now),
  ),
  write(
    {
      method: 'post',
      path: '/v1/messages/:message_id/reply',
      summary: 'What became of the reply to a message',
      tag: 'messages',
      roles: NODES,
      params: MessageParams,
      body: ReplyBodySchema,
      data: MessageSummarySchema,
      errors: ['message_not_found', 'not_owner'],
    },
    async ({ env, db, now, params, body }) => {
      const row = await findMessage(db, params.message_id);
      requireOwn(body.controller_id, row);
      const { outcome: reply_outcome, reason: reply_reason } = body;
      const goesOn = reply_outcome !== 'delivered';
      return {
        statements: [
          db
            .update(messageRows)
            .set({ reply_outcome, reply_reason, replied_at: now })
            .where(eq(messageRows.message_id, row.message_id)),
          // The reply's deadline goes.
          db
            .update(instructions)
            .set({ claim_expires_at: null })
            .where(and(eq(instructions.message_id, row.message_id), ENDED)),
          ...(goesOn ? [projectAgain(db, row.local_conversation_id, now)] : []),
        ],
        journal: await replyStory(db, row.message_id, body),
        events: [{ topic: 'messages', type: `reply_${reply_outcome}`, subject_id: row.message_id }],
        subject_id: row.message_id,
        response: MessageSummarySchema.parse({ ...row, reply_outcome, reply_reason }),
        ...(goesOn ? { after: () => timedJobs(env).due(now) } : {}),
      };
    },
  ),
];

/** The story of what a reply answers gets its last line. */
async function replyStory(db: Database, messageId: string, body: ReplyBody): Promise<JournalDraft[]> {
  const { outcome, reason, attempt, controller_id } = body;
  const ended = await db
    .select({ instruction_id: instructions.instruction_id, chain: instructions.controller_id })
    .from(instructions)
    .where(and(eq(instructions.message_id, messageId), ENDED));
  const detail = { outcome, reason, attempt };
  return ended.map((one) => ({ ...one, message_id: messageId, kind: 'delivered', controller_id, detail }));
}
