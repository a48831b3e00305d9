/** The system mode: what it is, and pause, resume, drain. */
import type { SystemMode } from '../../schema/contracts/system.ts';
import {
  SystemChangeBodySchema,
  SystemChangeResponseSchema,
  SystemPauseBodySchema,
  SystemStateSchema,
} from '../../schema/contracts/system.ts';
import type { WritePlan } from '../db/plan.ts';
import type { MountedRoute } from '../http/route.ts';
import { NODES, PEOPLE, READERS, read, write } from '../http/route.ts';
import { interruptExecuting } from '../instructions/interrupt-all.ts';
import type { ModeChange } from './mode.ts';
import { changeSystemMode } from './mode.ts';
import { readSystem } from './state.ts';

const tag = 'system';
const data = SystemChangeResponseSchema;

export const system: readonly MountedRoute[] = [
  read(
    {
      method: 'get',
      path: '/v1/system/state',
      summary: 'The mode, its version, who leads, and whether draining has ended',
      tag,
      roles: [...READERS, ...NODES],
      data: SystemStateSchema,
    },
    async ({ env, db, now }) => (await readSystem(env, db, now)).system,
  ),
  write(
    {
      method: 'post',
      path: '/v1/system/pause',
      summary: 'Claim nothing ordinary any more; with `interrupt` also cancel what is claimed or runs',
      tag,
      roles: PEOPLE,
      body: SystemPauseBodySchema,
      data,
    },
    async ({ c, env, db, body, principal, now }) => {
      const change = changeTo('paused', body, principal.subject);
      const plan = planOf(await changeSystemMode(env, change, now));
      if (body.interrupt !== true) return plan;
      const waitUntil = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);
      const { canceled, more } = await interruptExecuting({ env, db, now }, { by: change.requested_by, waitUntil });
      const summary = `${plan.response.summary}; ${canceled} canceled${more ? ', and there is more: ask again' : ''}`;
      return { ...plan, response: { ...plan.response, summary } };
    },
  ),
  write(
    {
      method: 'post',
      path: '/v1/system/resume',
      summary: 'Run everything again',
      tag,
      roles: PEOPLE,
      body: SystemChangeBodySchema,
      data,
    },
    async ({ env, body, principal, now }) => {
      return planOf(await changeSystemMode(env, changeTo('running', body, principal.subject), now));
    },
  ),
  write(
    {
      method: 'post',
      path: '/v1/system/drain',
      summary: 'Finish what has begun and begin nothing; `drained` tells when it is done',
      tag,
      roles: PEOPLE,
      body: SystemChangeBodySchema,
      data,
    },
    async ({ env, body, principal, now }) => {
      return planOf(await changeSystemMode(env, changeTo('draining', body, principal.subject), now));
    },
  ),
];

function changeTo(
  mode: SystemMode,
  body: { reason?: string | undefined; requested_by?: string | undefined },
  by: string,
) {
  return { mode, requested_by: body.requested_by ?? by, reason: body.reason ?? null };
}

/** Always audited, a repeat too: it may be the second try of a change whose own batch never came through. */
function planOf({ response, plan }: ModeChange): WritePlan<ModeChange['response']> {
  return { ...plan, subject_id: response.mode, response };
}
