/** The check that a person calls after restoring D1 to an earlier point. */
import { RestoreCheckBodySchema, RestoreCheckResponseSchema } from '../../schema/contracts/system.ts';
import type { MountedRoute } from '../http/route.ts';
import { OPERATORS, write } from '../http/route.ts';
import { planRestoreCheck } from './restore-check.ts';

export const restore: readonly MountedRoute[] = [
  write(
    {
      method: 'post',
      path: '/v1/system/restore-check',
      summary: 'Find out whether the database was restored; if so, quarantine what it shows as in flight',
      tag: 'system',
      roles: OPERATORS,
      body: RestoreCheckBodySchema,
      data: RestoreCheckResponseSchema,
    },
    async (call) => planRestoreCheck(call, call.body.force === true),
  ),
];
