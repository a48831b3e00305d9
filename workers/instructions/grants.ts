/** Grants: listing, making and revoking them. A person makes one; which calls it covers is in schema/domain/grant.ts. */
import type { SQL } from 'drizzle-orm';
import { and, eq, isNull, sql } from 'drizzle-orm';
import type { Grant, GrantCreateBody } from '../../schema/contracts/grants.ts';
import { GRANTS } from '../../schema/defaults.ts';
import { takesScript } from '../../schema/domain/grant.ts';
import { AppError } from '../../schema/errors.ts';
import { newId } from '../../schema/ids.ts';
import { grants, local_conversations, messages } from '../../schema/tables/index.ts';
import { equals } from '../db/filters.ts';
import { guardThat } from '../db/guards.ts';
import type { Database } from '../db/open.ts';
import type { Edge, WritePlan } from '../db/plan.ts';
import type { Page, PageRequest } from '../http/paging.ts';
import { pageWindow, toPage } from '../http/paging.ts';

/** The condition that a grant can still be used. */
export function isUsable(now: number): SQL {
  return sql`${grants.revoked_at} IS NULL AND ${grants.expires_at} > ${now} AND ${grants.uses} < ${grants.max_uses}`;
}

/** Newest first. */
export async function listGrants(
  db: Database,
  { local_conversation_id, ...page }: PageRequest & { local_conversation_id?: string | undefined },
): Promise<Page<Grant>> {
  const window = pageWindow(grants.grant_id, page);
  const rows = await db
    .select()
    .from(grants)
    .where(and(equals(grants.local_conversation_id, local_conversation_id), window.where))
    .orderBy(window.orderBy)
    .limit(window.limit);
  return toPage(rows, page, (row) => row.grant_id);
}

/** Throws `conversation_not_found`, `invalid_request` for a conversation without a node, and `conflict` beyond the limit. */
export async function createGrant(edge: Edge, body: GrantCreateBody, by: string): Promise<WritePlan<Grant>> {
  const { db, now } = edge;
  const { local_conversation_id, expires_in_ms, argv, further_items, folder, max_uses } = body;
  if (further_items > 0 && takesScript(argv)) {
    const expected = `0 after ${argv[0]}: a shell takes what follows as a script, which a grant never covers`;
    throw new AppError('invalid_request', `further_items: expected ${expected}`, {
      details: { in: 'body', field: 'further_items', expected },
    });
  }
  const newest = await nodeOfNewest(db, local_conversation_id);
  const controller_id = body.controller_id ?? newest.controller_id;
  if (controller_id === null) {
    throw new AppError('invalid_request', 'this conversation has no message yet: name the node that has the folder', {
      details: { field: 'controller_id', expected: 'the id of a node' },
    });
  }
  const usable = sql`${grants.local_conversation_id} = ${local_conversation_id} AND ${isUsable(now)}`;
  const held = await db.select({ id: grants.grant_id }).from(grants).where(usable).limit(GRANTS.max_per_conversation);
  if (held.length >= GRANTS.max_per_conversation) {
    const most = `this conversation has ${GRANTS.max_per_conversation} grants that can be used, which is the most`;
    throw new AppError('conflict', `${most}; revoke one first`);
  }
  const row: Grant = {
    grant_id: newId('grant', now),
    local_conversation_id,
    controller_id,
    argv,
    further_items,
    folder,
    uses: 0,
    max_uses,
    created_by: by,
    created_at: now,
    expires_at: now + expires_in_ms,
    revoked_by: null,
    revoked_at: null,
  };
  return {
    guards: [guardThat(db, sql`(SELECT count(*) FROM ${grants} WHERE ${usable}) < ${GRANTS.max_per_conversation}`)],
    statements: [db.insert(grants).values(row)],
    events: [grantEvent('created', row)],
    subject_id: row.grant_id,
    response: row,
  };
}

/** Throws `grant_not_found`. A repeat changes nothing. */
export async function revokeGrant({ db, now }: Edge, grantId: string, by: string): Promise<WritePlan<Grant>> {
  const row = await db.select().from(grants).where(eq(grants.grant_id, grantId)).get();
  if (row === undefined) throw new AppError('grant_not_found', `there is no grant ${grantId}`);
  if (row.revoked_at !== null) return { subject_id: grantId, response: row };
  const revoked: Grant = { ...row, revoked_by: by, revoked_at: now };
  return {
    statements: [
      db
        .update(grants)
        .set({ revoked_by: by, revoked_at: now })
        .where(and(eq(grants.grant_id, grantId), isNull(grants.revoked_at))),
    ],
    events: [grantEvent('revoked', revoked)],
    subject_id: grantId,
    response: revoked,
  };
}

export function grantEvent(
  type: 'created' | 'used' | 'revoked',
  { grant_id, local_conversation_id }: Pick<Grant, 'grant_id' | 'local_conversation_id'>,
  more: Record<string, unknown> = {},
) {
  return { topic: 'grants', type, subject_id: grant_id, data: { local_conversation_id, ...more } } as const;
}

async function nodeOfNewest(db: Database, localConversationId: string) {
  const found = await db
    .select({ controller_id: messages.controller_id })
    .from(local_conversations)
    .leftJoin(messages, eq(messages.message_id, local_conversations.last_message_id))
    .where(eq(local_conversations.local_conversation_id, localConversationId))
    .get();
  if (found === undefined) {
    const why = `there is no conversation ${localConversationId}; a call through MCP belongs to none, so it has no grant`;
    throw new AppError('conversation_not_found', why, { details: { field: 'local_conversation_id' } });
  }
  return found;
}
