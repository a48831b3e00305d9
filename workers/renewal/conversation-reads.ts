/** Conversations as stored. */
import type { SQL } from 'drizzle-orm';
import { and, eq, sql } from 'drizzle-orm';
import type { Platform } from '../../schema/contracts/common.ts';
import type { AutomationStatus, Conversation } from '../../schema/contracts/conversations.ts';
import { ConversationSchema } from '../../schema/contracts/conversations.ts';
import { AppError } from '../../schema/errors.ts';
import type { ConversationRow } from '../../schema/tables/index.ts';
import { local_conversations } from '../../schema/tables/index.ts';
import { equals } from '../db/filters.ts';
import type { Database } from '../db/open.ts';
import type { Page, PageRequest } from '../http/paging.ts';
import { listWindow, toBoundedPage } from '../http/paging.ts';
import { isOfFirstAccount } from './first-account.ts';

export async function findConversation(db: Database, id: string): Promise<ConversationRow | undefined> {
  return db.select().from(local_conversations).where(eq(local_conversations.local_conversation_id, id)).get();
}

/** Throws `conversation_not_found`. */
export async function requireConversation(db: Database, id: string): Promise<ConversationRow> {
  const row = await findConversation(db, id);
  if (row === undefined) throw new AppError('conversation_not_found', `there is no conversation ${id}`);
  return row;
}

/** An SQL condition: a browser of that node, signed in to no other account than its first, has or had the conversation open. */
function isLinkedTo(nodeId: string): SQL {
  return sql`EXISTS (SELECT 1 FROM conversation_links AS l
    WHERE l.local_conversation_id = ${local_conversations.local_conversation_id} AND l.controller_id = ${nodeId}
      AND ${isOfFirstAccount('all')})`;
}

/** The conversation, which a node (null for a person) must have, or have had, open. Throws `conversation_not_found`, `not_owner`. */
export async function requireVisible(db: Database, id: string, nodeId: string | null): Promise<ConversationRow> {
  const row = await requireConversation(db, id);
  if (nodeId === null) return row;
  const linked = await db
    .select({ id: local_conversations.local_conversation_id })
    .from(local_conversations)
    .where(and(eq(local_conversations.local_conversation_id, id), isLinkedTo(nodeId)))
    .get();
  if (linked === undefined)
    throw new AppError('not_owner', 'no browser of this node has, or had, that conversation open');
  return row;
}

export type ConversationFilter = Partial<{
  platform: Platform | undefined;
  status: AutomationStatus | undefined;
  client_id: string | undefined;
  remote_conversation_id: string | undefined;
}>;

/** Newest first, where a page can be short and still have a `next_cursor`; for a node (null for a person) only those that its browsers have open. */
export async function listConversations(
  db: Database,
  query: PageRequest & ConversationFilter,
  nodeId: string | null,
): Promise<Page<Conversation>> {
  const { platform, status, client_id, remote_conversation_id } = query;
  const isOfIndex = status === 'auto' || status === 'paused';
  // A browser asks for what it has open: it gets all of that.
  const isOfBrowser = nodeId !== null || client_id !== undefined || remote_conversation_id !== undefined;
  const isFound = isOfIndex || isOfBrowser || (platform === undefined && status === undefined);
  const window = await listWindow(db, local_conversations.local_conversation_id, query, isFound);
  const rows = await db
    .select()
    .from(local_conversations)
    .where(
      and(
        // By `+` no index of the platform is taken, in whose order all of them would have to be read.
        platform === undefined ? undefined : sql`+${local_conversations.platform} = ${platform}`,
        isOfIndex ? sql`${local_conversations.automation_status} <> 'manual'` : undefined,
        equals(local_conversations.automation_status, status),
        equals(local_conversations.remote_conversation_id, remote_conversation_id),
        client_id === undefined
          ? undefined
          : sql`EXISTS (SELECT 1 FROM conversation_links AS l WHERE l.is_active = 1
              AND l.local_conversation_id = ${local_conversations.local_conversation_id}
              AND l.client_id = ${client_id})`,
        nodeId === null ? undefined : isLinkedTo(nodeId),
        window.where,
      ),
    )
    .orderBy(window.orderBy)
    .limit(window.limit);
  const { items, next_cursor } = toBoundedPage(rows, query, window, (row) => row.local_conversation_id);
  return { items: items.map((row) => ConversationSchema.parse(row)), next_cursor };
}
