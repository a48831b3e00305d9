/** Conversations, their automation, and the links by which they are reached. */
import { z } from 'zod';
import { ClientIdSchema, idSchema, PageQuerySchema, PlatformSchema, pageOf } from '../../schema/contracts/common.ts';
import {
  AutomationStatusSchema,
  ConversationDetailSchema,
  ConversationModeBodySchema,
  ConversationSchema,
  LinkSchema,
  RemoteConversationIdSchema,
} from '../../schema/contracts/conversations.ts';
import { ForgetBodySchema, ForgetStateSchema } from '../../schema/contracts/forget.ts';
import { KeepBodySchema, KeepStateSchema } from '../../schema/contracts/keeping.ts';
import type { ConversationChange } from '../../schema/domain/conversation.ts';
import { forgetConversation, forgetState } from '../forget/forget.ts';
import { keepState, keepTexts } from '../forget/keep.ts';
import type { MountedRoute } from '../http/route.ts';
import { NODES, PEOPLE, READERS, read, write } from '../http/route.ts';
import { listConversations, requireVisible } from './conversation-reads.ts';
import { changeAutomation } from './conversations.ts';
import { listLinks } from './link-reads.ts';
import { renewalOutlook } from './next-renewal.ts';

const tag = 'renewal';
const ConversationParams = z.object({ local_conversation_id: idSchema('lc') });

const CHANGES = {
  manual: {
    summary: 'Leave the renewal of this conversation to a person',
    change: { type: 'set', status: 'manual', by: 'person' },
  },
  auto: { summary: 'Renew this conversation automatically', change: { type: 'set', status: 'auto', by: 'person' } },
  paused: { summary: 'Pause this conversation', change: { type: 'pause', reason: 'user_pause' } },
  resume: { summary: 'Restore the status from before the pause', change: { type: 'resume' } },
} as const satisfies Record<string, { summary: string; change: ConversationChange }>;

function changeRoute(name: keyof typeof CHANGES): MountedRoute {
  const { summary, change } = CHANGES[name];
  return write(
    {
      method: 'post',
      path: `/v1/renewal/conversations/:local_conversation_id/${name}`,
      summary,
      tag,
      roles: PEOPLE,
      params: ConversationParams,
      body: ConversationModeBodySchema,
      data: ConversationSchema,
      errors: ['conversation_not_found'],
    },
    async (call) => changeAutomation(call, call.params.local_conversation_id, change),
  );
}

export const renewal: readonly MountedRoute[] = [
  read(
    {
      method: 'get',
      path: '/v1/renewal/conversations',
      summary: 'Conversations, newest first',
      tag,
      roles: [...READERS, ...NODES],
      query: PageQuerySchema.extend({
        platform: PlatformSchema.optional(),
        status: AutomationStatusSchema.optional(),
        client_id: ClientIdSchema.optional(),
        remote_conversation_id: RemoteConversationIdSchema.optional(),
      }),
      data: pageOf(ConversationSchema),
    },
    async ({ db, principal, query }) => listConversations(db, query, principal.controller_id),
  ),
  read(
    {
      method: 'get',
      path: '/v1/renewal/conversations/:local_conversation_id',
      summary: 'One conversation: where it can be reached, its limits, and when and why it is renewed next',
      tag,
      roles: [...READERS, ...NODES],
      params: ConversationParams,
      data: ConversationDetailSchema,
      errors: ['conversation_not_found'],
    },
    async (call) => {
      const { db, principal, params } = call;
      const row = await requireVisible(db, params.local_conversation_id, principal.controller_id);
      const outlook = await renewalOutlook(call, row);
      return ConversationDetailSchema.parse({
        ...row,
        ...outlook,
        forget: forgetState(row),
        texts_kept: keepState(call.env, row),
      });
    },
  ),
  changeRoute('manual'),
  changeRoute('auto'),
  changeRoute('paused'),
  changeRoute('resume'),
  write(
    {
      method: 'post',
      path: '/v1/renewal/conversations/:local_conversation_id/forget',
      summary: 'Remove what was said and done in this conversation until now; the hashes of its journal stay',
      tag,
      roles: PEOPLE,
      params: ConversationParams,
      body: ForgetBodySchema,
      data: ForgetStateSchema,
      errors: ['conversation_not_found', 'conflict'],
    },
    async (call) => forgetConversation(call, call.params.local_conversation_id),
  ),
  write(
    {
      method: 'post',
      path: '/v1/renewal/conversations/:local_conversation_id/keep',
      summary: 'Set for how many days texts, calls and outputs of this conversation are kept',
      tag,
      roles: PEOPLE,
      params: ConversationParams,
      body: KeepBodySchema,
      data: KeepStateSchema,
      errors: ['conversation_not_found'],
    },
    async (call) => keepTexts(call, call.params.local_conversation_id, call.body.days),
  ),
  read(
    {
      method: 'get',
      path: '/v1/renewal/links',
      summary: 'Links, the last created first',
      tag,
      roles: READERS,
      query: PageQuerySchema.extend({
        platform: PlatformSchema.optional(),
        local_conversation_id: idSchema('lc').optional(),
        remote_conversation_id: RemoteConversationIdSchema.optional(),
        client_id: ClientIdSchema.optional(),
      }),
      data: pageOf(LinkSchema),
    },
    async ({ db, query }) => listLinks(db, query),
  ),
];
