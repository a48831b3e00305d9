/** Grants: people make, list and revoke them; a node uses one for an instruction. */
import { z } from 'zod';
import { idSchema, PageQuerySchema, pageOf } from '../../schema/contracts/common.ts';
import {
  GrantCreateBodySchema,
  GrantIdSchema,
  GrantSchema,
  GrantUseBodySchema,
  GrantUseResponseSchema,
} from '../../schema/contracts/grants.ts';
import type { MountedRoute } from '../http/route.ts';
import { NODES, PEOPLE, read, write } from '../http/route.ts';
import { useGrant } from './grant-use.ts';
import { createGrant, listGrants, revokeGrant } from './grants.ts';

const tag = 'grants';

export const grants: readonly MountedRoute[] = [
  read(
    {
      method: 'get',
      path: '/v1/grants',
      summary: 'Grants, newest first',
      tag,
      roles: PEOPLE,
      query: PageQuerySchema.extend({ local_conversation_id: idSchema('lc').optional() }),
      data: pageOf(GrantSchema),
    },
    async ({ db, query }) => listGrants(db, query),
  ),
  write(
    {
      method: 'post',
      path: '/v1/grants',
      summary: 'Approve ahead calls of one program in one folder, for one conversation, a number of times within hours',
      tag,
      roles: PEOPLE,
      body: GrantCreateBodySchema,
      data: GrantSchema,
      status: 201,
      errors: ['conversation_not_found', 'conflict'],
    },
    async ({ body, principal: { subject }, ...edge }) => createGrant(edge, body, subject),
  ),
  write(
    {
      method: 'delete',
      path: '/v1/grants/:grant_id',
      summary: 'Revoke a grant; what it would have let run asks a person again',
      tag,
      roles: PEOPLE,
      params: z.object({ grant_id: GrantIdSchema }),
      data: GrantSchema,
      errors: ['grant_not_found'],
    },
    async ({ params: { grant_id }, principal: { subject }, ...edge }) => revokeGrant(edge, grant_id, subject),
  ),
  write(
    {
      method: 'post',
      path: '/v1/instructions/:instruction_id/use-grant',
      summary: 'Let an instruction that asks run by a grant that its node has judged to cover it',
      tag,
      roles: NODES,
      params: z.object({ instruction_id: idSchema('ins') }),
      body: GrantUseBodySchema,
      data: GrantUseResponseSchema,
      errors: ['instruction_not_found', 'not_owner'],
    },
    async ({ params, body, ...edge }) => useGrant(edge, params.instruction_id, body),
  ),
];
