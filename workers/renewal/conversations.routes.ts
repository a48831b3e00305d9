/** Conversations, their automation, and the links by which they are reached. */
import { and, eq, sql } from 'drizzle-orm';
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
import type { ConversationChange } from '../../schema/domain/conversation.ts';
import { AppError } from '../../schema/errors.ts';
import type { ConversationRow } from '../../schema/tables/index.ts';
import { conversation_links, local_conversations } from '../../schema/tables/index.ts';
import { equals } from '../db/filters.ts';
import type { Database } from '../db/open.ts';
import { pageWindow, toPage } from '../http/paging.ts';
import type { MountedRoute } from '../http/route.ts';
import { NODES, PEOPLE, READERS, read, write } from '../http/route.ts';
import { applyChange, findConversation, linkedTo, newestLink } from './conversations.ts';
import { renewalOutlook } from './next-renewal.ts';

const tag = 'renewal';
const ConversationParams = z.object({ local_conversation_id: idSchema('lc') });

async function conversationOf(db: Database, id: string): Promise<ConversationRow> {
  const row = await findConversation(db, id);
  if (row === undefined) throw new AppError('conversation_not_found', `there is no conversation ${id}`);
  return row;
}

const CHANGES = {
  manual: { summary: 'Renew this conversation by hand only', change: { type: 'set', status: 'manual', by: 'person' } },
  auto: { summary: 'Renew this conversation by itself', change: { type: 'set', status: 'auto', by: 'person' } },
  paused: { summary: 'Pause this conversation', change: { type: 'pause', reason: 'user_pause' } },
  resume: { summary: 'Restore what the pause interrupted', change: { type: 'resume' } },
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
    async ({ env, db, now, params }) => {
      const row = await conversationOf(db, params.local_conversation_id);
      const { next, plan } = applyChange(env, db, row, change, now);
      const updated_at = next === row ? row.updated_at : now;
      const response = ConversationSchema.parse({ ...next, updated_at });
      return { ...plan, subject_id: row.local_conversation_id, response };
    },
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
    async ({ db, principal, query }) => {
      const { platform, status, client_id, remote_conversation_id } = query;
      const window = pageWindow(local_conversations.local_conversation_id, query);
      const rows = await db
        .select()
        .from(local_conversations)
        .where(
          and(
            equals(local_conversations.platform, platform),
            equals(local_conversations.automation_status, status),
            equals(local_conversations.remote_conversation_id, remote_conversation_id),
            client_id === undefined
              ? undefined
              : sql`EXISTS (SELECT 1 FROM conversation_links AS l WHERE l.is_active = 1
                  AND l.local_conversation_id = ${local_conversations.local_conversation_id}
                  AND l.client_id = ${client_id})`,
            principal.controller_id === null ? undefined : linkedTo(principal.controller_id),
            window.where,
          ),
        )
        .orderBy(window.orderBy)
        .limit(window.limit);
      const { items, next_cursor } = toPage(rows, query, (row) => row.local_conversation_id);
      return { items: items.map((row) => ConversationSchema.parse(row)), next_cursor };
    },
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
    async ({ env, db, now, principal, params }) => {
      const id = params.local_conversation_id;
      const row = await conversationOf(db, id);
      if (principal.controller_id !== null) {
        const own = await db
          .select({ id: local_conversations.local_conversation_id })
          .from(local_conversations)
          .where(and(eq(local_conversations.local_conversation_id, id), linkedTo(principal.controller_id)))
          .get();
        if (own === undefined) throw new AppError('not_owner', 'no browser of this node has that conversation open');
      }
      const [link, outlook] = await Promise.all([newestLink(db, id), renewalOutlook(env, db, row, now)]);
      return ConversationDetailSchema.parse({ ...row, active_link: link ?? null, ...outlook });
    },
  ),
  changeRoute('manual'),
  changeRoute('auto'),
  changeRoute('paused'),
  changeRoute('resume'),
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
    async ({ db, query }) => {
      const window = pageWindow(conversation_links.link_id, query);
      const rows = await db
        .select()
        .from(conversation_links)
        .where(
          and(
            equals(conversation_links.platform, query.platform),
            equals(conversation_links.local_conversation_id, query.local_conversation_id),
            equals(conversation_links.remote_conversation_id, query.remote_conversation_id),
            equals(conversation_links.client_id, query.client_id),
            window.where,
          ),
        )
        .orderBy(window.orderBy)
        .limit(window.limit);
      const { items, next_cursor } = toPage(rows, query, (row) => row.link_id);
      return { items: items.map((row) => LinkSchema.parse(row)), next_cursor };
    },
  ),
];
