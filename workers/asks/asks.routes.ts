/** Asks: a message into a conversation, and the assistant's answer to exactly that message. */
import { z } from 'zod';
import { AskBodySchema, AskSchema, OperationIdSchema } from '../../schema/contracts/asks.ts';
import { idSchema } from '../../schema/contracts/common.ts';
import type { MountedRoute } from '../http/route.ts';
import { PEOPLE, read, write } from '../http/route.ts';
import { askInConversation } from './ask.ts';
import { askView } from './ask-reads.ts';

const tag = 'renewal';

export const askRoutes: readonly MountedRoute[] = [
  write(
    {
      method: 'post',
      path: '/v1/conversations/:local_conversation_id/ask',
      summary: 'Send a message into this conversation once, and wait for the answer to exactly that message',
      tag,
      roles: PEOPLE,
      params: z.object({ local_conversation_id: idSchema('lc') }),
      body: AskBodySchema,
      data: AskSchema,
      errors: ['conversation_not_found', 'conflict', 'system_paused'],
    },
    async ({ principal: { subject: by }, params, body, ...edge }) =>
      askInConversation(edge, params.local_conversation_id, { ...body, by }),
  ),
  read(
    {
      method: 'get',
      path: '/v1/asks/:operation_id',
      summary: 'What became of that question, with its answer',
      tag,
      roles: PEOPLE,
      params: z.object({ operation_id: OperationIdSchema }),
      data: AskSchema,
      errors: ['ask_not_found'],
    },
    async ({ db, params: { operation_id } }) => askView(db, operation_id),
  ),
];
