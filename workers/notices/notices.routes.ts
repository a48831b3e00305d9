/** Notices to people: where they are sent, the newest of them, and a test. */
import { z } from 'zod';
import { timedJobs } from '../../durable-objects/stubs.ts';
import {
  NoticeHoursSchema,
  NoticesPutBodySchema,
  NoticesSchema,
  NoticeTestSchema,
} from '../../schema/contracts/notices.ts';
import { AppError } from '../../schema/errors.ts';
import type { MountedRoute } from '../http/route.ts';
import { NODES, OPERATORS, READERS, read, write } from '../http/route.ts';
import { readForNodes } from './node-reads.ts';
import { readNotices } from './notice-reads.ts';
import { sendTest } from './send.ts';
import { changedSettings, readSettings, shownSettings, storeSettings } from './settings.ts';

const tag = 'notices';
const path = '/v1/notices';

export const notices: readonly MountedRoute[] = [
  read(
    {
      method: 'get',
      path,
      summary: 'Where notices to people are sent, and the newest of them; without address and secret',
      tag,
      roles: OPERATORS,
      data: NoticesSchema,
    },
    ({ db }) => readNotices(db),
  ),
  read(
    {
      method: 'get',
      path: `${path}/hours`,
      summary: 'The hours without notices, to which the browsers of nodes keep as well; for a node also what waits',
      tag,
      roles: [...READERS, ...NODES],
      data: NoticeHoursSchema,
    },
    async (call) => {
      const settings = await readSettings(call.db);
      const hours = { quiet_hours: settings?.quiet_hours ?? null, time_zone: settings?.time_zone ?? 'UTC' };
      return call.principal.role === 'controller' ? { ...hours, waiting: await readForNodes(call) } : hours;
    },
  ),
  write(
    {
      method: 'put',
      path,
      summary: 'Set where notices to people are sent; what is left out stays as it is',
      tag,
      roles: OPERATORS,
      body: NoticesPutBodySchema,
      data: NoticesSchema,
    },
    async (call) => {
      const { c, env, db, now, body } = call;
      const before = await readNotices(db);
      const row = await changedSettings(call, await readSettings(db), body, new URL(c.req.url).origin);
      return {
        statements: [storeSettings(db, row)],
        events: [{ topic: 'system', type: 'notices_changed', subject_id: 'notices' }],
        after: () => timedJobs(env).due(now),
        subject_id: 'notices',
        response: { ...before, settings: row === null ? null : shownSettings(row) },
      };
    },
  ),
  write(
    {
      method: 'post',
      path: `${path}/test`,
      summary: 'Send one test notice now, at any hour',
      tag,
      roles: OPERATORS,
      body: z.strictObject({}),
      data: NoticeTestSchema,
      errors: ['conflict'],
    },
    async ({ env, db }) => {
      const settings = await readSettings(db);
      if (settings === null) {
        throw new AppError(
          'conflict',
          'notices are sent nowhere yet; set an address with conductor notices set or PUT /v1/notices first',
        );
      }
      return { subject_id: 'notices', response: await sendTest(env, settings) };
    },
  ),
];
