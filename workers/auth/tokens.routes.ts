/** Tokens: operators create, list, rotate and revoke them. Only the response that creates a secret contains it. */
import { and, eq, isNull, sql } from 'drizzle-orm';
import { z } from 'zod';
import { PageQuerySchema, pageOf } from '../../schema/contracts/common.ts';
import type { Token } from '../../schema/contracts/tokens.ts';
import {
  RoleSchema,
  TOKEN_PREFIX,
  TokenCreateBodySchema,
  TokenCreatedSchema,
  TokenIdSchema,
  TokenRotateBodySchema,
  TokenSchema,
} from '../../schema/contracts/tokens.ts';
import { AppError } from '../../schema/errors.ts';
import { newId } from '../../schema/ids.ts';
import type { TokenRow } from '../../schema/tables/index.ts';
import { tokens as tokenRows } from '../../schema/tables/index.ts';
import { BASE64URL } from '../crypto/base64url.ts';
import { sha256Hex } from '../crypto/hash.ts';
import { guardThat } from '../db/guards.ts';
import type { Database } from '../db/open.ts';
import type { Edge } from '../db/plan.ts';
import { pageWindow, toPage } from '../http/paging.ts';
import type { MountedRoute } from '../http/route.ts';
import { OPERATORS, read, write } from '../http/route.ts';
import { nodeOfBrowser } from '../nodes/browser-reads.ts';
import { closeChannels, pushChanged } from '../nodes/push.ts';

const tag = 'tokens';
const SECRET_BYTES = 32;
const params = z.object({ token_id: TokenIdSchema });

export const tokens: readonly MountedRoute[] = [
  read(
    {
      method: 'get',
      path: '/v1/tokens',
      summary: 'List tokens without their secrets, newest first',
      tag,
      roles: OPERATORS,
      query: PageQuerySchema.extend({ role: RoleSchema.optional(), controller_id: z.string().max(64).optional() }),
      data: pageOf(TokenSchema),
    },
    async ({ db, query }) => {
      const { where, orderBy, limit } = pageWindow(tokenRows.token_id, query);
      const { role, controller_id } = query;
      const filters = [
        where,
        role === undefined ? undefined : eq(tokenRows.role, role),
        controller_id === undefined ? undefined : eq(tokenRows.controller_id, controller_id),
      ];
      const rows = await db
        .select()
        .from(tokenRows)
        .where(and(...filters))
        .orderBy(orderBy)
        .limit(limit);
      return toPage(rows.map(withoutHash), query, (row) => row.token_id);
    },
  ),
  write(
    {
      method: 'post',
      path: '/v1/tokens',
      summary: 'Create a token; only this response shows its secret',
      tag,
      roles: OPERATORS,
      body: TokenCreateBodySchema,
      data: TokenCreatedSchema,
      status: 201,
    },
    async ({ db, body, principal, now }) => {
      const secret = newSecret();
      const row: Token = {
        token_id: newId('token', now),
        role: body.role,
        subject: body.subject,
        controller_id: body.controller_id ?? null,
        created_by: principal.subject,
        created_at: now,
        expires_at: body.expires_in_ms === undefined ? null : now + body.expires_in_ms,
        revoked_at: null,
        last_used_at: null,
      };
      return {
        statements: [db.insert(tokenRows).values({ ...row, token_hash: await sha256Hex(secret) })],
        events: [tokenEvent('created', row)],
        subject_id: row.token_id,
        response: { ...row, token: secret },
        secret: true,
      };
    },
  ),
  write(
    {
      method: 'post',
      path: '/v1/tokens/:token_id/rotate',
      summary: 'Replace the secret of a token; the old secret stops working at once',
      tag,
      roles: OPERATORS,
      params,
      body: TokenRotateBodySchema,
      data: TokenCreatedSchema,
      errors: ['token_not_found', 'conflict'],
    },
    async ({ env, db, params: { token_id }, body, now }) => {
      const row = await readToken(db, token_id);
      if (row.revoked_at !== null)
        throw new AppError('conflict', 'a revoked token cannot be rotated; create a new one');
      const expires_at = body.expires_in_ms === undefined ? row.expires_at : now + body.expires_in_ms;
      if (expires_at !== null && expires_at <= now) {
        throw new AppError('conflict', 'this token has expired; give expires_in_ms or create a new one');
      }
      const secret = newSecret();
      const change = { token_hash: await sha256Hex(secret), expires_at };
      const unrevoked = sql`EXISTS (SELECT 1 FROM tokens WHERE token_id = ${token_id} AND revoked_at IS NULL)`;
      return {
        guards: [guardThat(db, unrevoked)],
        statements: [db.update(tokenRows).set(change).where(eq(tokenRows.token_id, token_id))],
        events: [tokenEvent('rotated', row)],
        subject_id: token_id,
        response: { ...withoutHash(row), expires_at, token: secret },
        secret: true,
        after: () => cutOff({ env, db }, row),
      };
    },
  ),
  write(
    {
      method: 'delete',
      path: '/v1/tokens/:token_id',
      summary: 'Revoke a token permanently',
      tag,
      roles: OPERATORS,
      params,
      data: TokenSchema,
      errors: ['token_not_found'],
    },
    async ({ env, db, params: { token_id }, now }) => {
      const row = await readToken(db, token_id);
      const response = { ...withoutHash(row), revoked_at: row.revoked_at ?? now };
      const after = () => cutOff({ env, db }, row);
      if (row.revoked_at !== null) return { subject_id: token_id, response, after };
      const unrevoked = and(eq(tokenRows.token_id, token_id), isNull(tokenRows.revoked_at));
      return {
        statements: [db.update(tokenRows).set({ revoked_at: now }).where(unrevoked)],
        events: [tokenEvent('revoked', row)],
        subject_id: token_id,
        response,
        after,
      };
    },
  ),
];

/**
 * Closes the channel of a node whose token changed, which is authenticated only when it opens. A browser is connected to its
 * node, which is asked to check that token.
 */
async function cutOff({ env, db }: Pick<Edge, 'env' | 'db'>, { controller_id, role, subject }: Token): Promise<void> {
  if (role === 'controller' && controller_id !== null) await closeChannels(env, controller_id);
  if (role !== 'browser_admin') return;
  const node = await nodeOfBrowser(db, subject);
  if (node !== null) await pushChanged(env, node, 'tokens', [subject]);
}

function newSecret(): string {
  return TOKEN_PREFIX + crypto.getRandomValues(new Uint8Array(SECRET_BYTES)).toBase64(BASE64URL);
}

function tokenEvent(type: string, { token_id, role, subject, controller_id }: Token) {
  return { topic: 'tokens', type, subject_id: token_id, data: { role, subject, controller_id } } as const;
}

async function readToken(db: Database, token_id: string) {
  const row = await db.select().from(tokenRows).where(eq(tokenRows.token_id, token_id)).get();
  if (!row) throw new AppError('token_not_found', `there is no token ${token_id}`);
  return row;
}

function withoutHash({ token_hash: _hash, ...row }: TokenRow): Token {
  return row;
}
