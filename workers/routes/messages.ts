/** Final messages: ingest, reading them again, and what became of their reply. */
import { and, eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import { timedJobs } from '../../durable-objects/stubs.ts';
import { idSchema, PageQuerySchema, pageOf } from '../../schema/contracts/common.ts';
import type { ReplyBody } from '../../schema/contracts/instructions.ts';
import {
  IngestAnswerSchema,
  IngestBodySchema,
  IngestStatusSchema,
  MessageDetailSchema,
  ReplyBodySchema,
} from '../../schema/contracts/instructions.ts';
import { instructions, messages as messageRows } from '../../schema/tables/index.ts';
import type { Database, Statement } from '../db.ts';
import { ingest } from '../ingest.ts';
import { requireOwn } from '../ownership.ts';
import { equals } from '../queries/filters.ts';
import { storeEvents } from '../queries/instructions.ts';
import { findMessage, listMessages, MessageSummarySchema, messageDetail } from '../queries/messages.ts';
import { projectAgain } from '../queries/projection-marks.ts';
import type { MountedRoute } from '../route.ts';
import { NODES, READERS, read, write } from '../route.ts';

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
      data: IngestAnswerSchema,
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
          ...(await replyStory(db, row.message_id, body, now)),
          ...(goesOn ? [projectAgain(db, row.local_conversation_id, now)] : []),
        ],
        events: [{ topic: 'messages', type: `reply_${reply_outcome}`, subject_id: row.message_id }],
        subject_id: row.message_id,
        answer: MessageSummarySchema.parse({ ...row, reply_outcome, reply_reason }),
        ...(goesOn ? { after: () => timedJobs(env).due(now) } : {}),
      };
    },
  ),
];

/** The reply's deadline goes, and the story of what it answers gets its last line. */
async function replyStory(db: Database, messageId: string, body: ReplyBody, now: number): Promise<Statement[]> {
  const { outcome, reason, attempt, controller_id } = body;
  const ended = await db
    .select({ instruction_id: instructions.instruction_id })
    .from(instructions)
    .where(and(eq(instructions.message_id, messageId), sql`${instructions.finished_at} IS NOT NULL`));
  return [
    db
      .update(instructions)
      .set({ claim_expires_at: null })
      .where(and(eq(instructions.message_id, messageId), sql`${instructions.finished_at} IS NOT NULL`)),
    ...storeEvents(
      db,
      ended.map(({ instruction_id }) => ({ instruction_id, kind: 'delivered', detail: { outcome, reason, attempt } })),
      controller_id,
      now,
    ),
  ];
}
