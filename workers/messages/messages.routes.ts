/** Messages: ingest, reading them, progress of their instructions, resubmission, and what became of their reply. */
import { z } from 'zod';
import { idSchema, PageQuerySchema, pageOf } from '../../schema/contracts/common.ts';
import {
  IngestBodySchema,
  IngestResponseSchema,
  IngestStatusSchema,
  MessageClaimBodySchema,
  MessageClaimResponseSchema,
  MessageDetailSchema,
  MessageSummarySchema,
  ReplyBodySchema,
  ResubmitBodySchema,
  ResubmitResponseSchema,
} from '../../schema/contracts/instructions.ts';
import { MessageProgressBodySchema, MessageProgressResponseSchema } from '../../schema/contracts/progress.ts';
import { ThreadPageSchema } from '../../schema/contracts/thread.ts';
import { requireOwn } from '../auth/ownership.ts';
import type { MountedRoute } from '../http/route.ts';
import { NODES, PEOPLE, READERS, read, write } from '../http/route.ts';
import { reportProgress } from '../instructions/reports.ts';
import { findCall } from '../mcp/calls.ts';
import { claimCall } from '../mcp/claim-call.ts';
import { claimResubmitted } from './claim-resubmitted.ts';
import { ingest } from './ingest.ts';
import { listMessages, messageDetail } from './message-reads.ts';
import { recordReply } from './reply.ts';
import { resubmit } from './resubmit.ts';
import { readThread } from './thread.ts';

const tag = 'messages';
const params = z.object({ message_id: idSchema('msg') });

export const messages: readonly MountedRoute[] = [
  write(
    {
      method: 'post',
      path: '/v1/messages',
      summary: 'Store a final message; its instructions are gated and claimed',
      tag,
      roles: NODES,
      body: IngestBodySchema,
      data: IngestResponseSchema,
      errors: ['client_of_other_node', 'too_many_browsers'],
    },
    async ({ body, ageMs, ...edge }) => ingest(edge, body, ageMs),
  ),
  read(
    {
      method: 'get',
      path: '/v1/renewal/conversations/:local_conversation_id/thread',
      summary: 'The messages of a conversation, newest first, each with its instructions and its renewal',
      tag: 'renewal',
      roles: READERS,
      params: z.object({ local_conversation_id: idSchema('lc') }),
      query: PageQuerySchema,
      data: ThreadPageSchema,
    },
    async ({ db, params, query }) => readThread(db, params.local_conversation_id, query),
  ),
  read(
    {
      method: 'get',
      path: '/v1/messages',
      summary: 'Messages, newest first',
      tag,
      roles: [...READERS, ...NODES],
      query: PageQuerySchema.extend({
        local_conversation_id: idSchema('lc').optional(),
        ingest_status: IngestStatusSchema.optional(),
      }),
      data: pageOf(MessageSummarySchema),
    },
    async ({ db, principal: { controller_id }, query }) => listMessages(db, { ...query, controller_id }, query),
  ),
  read(
    {
      method: 'get',
      path: '/v1/messages/:message_id',
      summary: 'One message with its instructions',
      tag,
      roles: [...READERS, ...NODES],
      params,
      data: MessageDetailSchema,
      errors: ['message_not_found'],
    },
    async ({ db, principal, params: { message_id } }) => {
      const message = await messageDetail(db, message_id);
      requireOwn(principal.controller_id, message);
      return message;
    },
  ),
  write(
    {
      method: 'post',
      path: '/v1/messages/:message_id/progress',
      summary: 'Report what is new of the instructions of a message: starts, live output and results, in one request',
      tag,
      roles: NODES,
      params,
      body: MessageProgressBodySchema,
      data: MessageProgressResponseSchema,
      errors: ['message_not_found', 'instruction_not_found', 'not_owner'],
    },
    async ({ c, params: { message_id }, body, ageMs, ...edge }) =>
      reportProgress(edge, message_id, body, { origin: c.req.url, ageMs }),
  ),
  write(
    {
      method: 'post',
      path: '/v1/messages/:message_id/resubmit',
      summary: 'Have a stopped message judged again by the node that holds its browser, and run what may run then',
      tag,
      roles: PEOPLE,
      params,
      body: ResubmitBodySchema,
      data: ResubmitResponseSchema,
      errors: ['message_not_found', 'conflict', 'no_active_client'],
    },
    async ({ principal: { subject: by }, params: { message_id }, body: { reason }, ...edge }) =>
      resubmit(edge, message_id, { by, reason }),
  ),
  write(
    {
      method: 'post',
      path: '/v1/messages/:message_id/claim',
      summary: 'Claim a resubmitted message, judged again, or a call through MCP; the gates are decided now',
      tag,
      roles: NODES,
      params,
      body: MessageClaimBodySchema,
      data: MessageClaimResponseSchema,
      errors: ['message_not_found', 'not_owner', 'client_of_other_node'],
    },
    async ({ params: { message_id }, body, ...edge }) => {
      const call = await findCall(edge.db, message_id);
      return call === undefined ? claimResubmitted(edge, message_id, body) : claimCall(edge, call, body);
    },
  ),
  write(
    {
      method: 'post',
      path: '/v1/messages/:message_id/reply',
      summary: 'Report what became of the reply to a message',
      tag,
      roles: NODES,
      params,
      body: ReplyBodySchema,
      data: MessageSummarySchema,
      errors: ['message_not_found', 'not_owner'],
    },
    async ({ params: { message_id }, body, ...edge }) => recordReply(edge, message_id, body),
  ),
];
