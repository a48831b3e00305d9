/** The system mode: reading it, and pause, resume, drain. */
import type { SystemChangeBody } from '../../schema/contracts/system.ts';
import {
  SystemChangeBodySchema,
  SystemChangeResponseSchema,
  SystemPauseBodySchema,
  SystemStateSchema,
} from '../../schema/contracts/system.ts';
import { makeVisible } from '../../schema/domain/visible.ts';
import { mergePlans } from '../db/plan.ts';
import type { MountedRoute } from '../http/route.ts';
import { NODES, PEOPLE, READERS, read, write } from '../http/route.ts';
import { interruptExecuting } from '../instructions/interrupt-all.ts';
import { runBestEffort } from '../log.ts';
import { interruptRuns } from '../tasks/interrupt.ts';
import type { Requester } from './mode.ts';
import { setMode } from './mode.ts';
import { readSystem } from './state.ts';

const tag = 'system';
const data = SystemChangeResponseSchema;

/** The principal; what the body says of who asks is a note, and is quoted as one. */
function requester({ requested_by: note, reason }: SystemChangeBody, { subject }: { subject: string }): Requester {
  return {
    requested_by: note === undefined ? subject : `${subject} (note: ${JSON.stringify(makeVisible(note))})`,
    reason,
  };
}

export const system: readonly MountedRoute[] = [
  read(
    {
      method: 'get',
      path: '/v1/system/state',
      summary: 'The mode, its version, who leads, and whether draining has finished',
      tag,
      roles: [...READERS, ...NODES],
      data: SystemStateSchema,
    },
    async (call) => (await readSystem(call)).system,
  ),
  write(
    {
      method: 'post',
      path: '/v1/system/pause',
      summary:
        'Stop claiming ordinary work; `interrupt` also cancels what runs, `hold` leaves the end of it to a person',
      tag,
      roles: PEOPLE,
      body: SystemPauseBodySchema,
      data,
    },
    async (call) => {
      const by = { ...requester(call.body, call.principal), hold: call.body.hold };
      const { after, ...plan } = await setMode(call, 'paused', by);
      if (after === undefined || call.body.interrupt !== true) return { ...plan, ...(after && { after }) };
      // A node must know of the pause before what it runs is ended, or it would start the next instruction.
      await runBestEffort('mode_notice', after);
      const waitUntil = (work: Promise<unknown>) => call.c.executionCtx.waitUntil(work);
      const [{ canceled, more }, runs] = await Promise.all([
        interruptExecuting(call, { by: by.requested_by, waitUntil }),
        interruptRuns(call),
      ]);
      const left = more || runs.more ? ', and there is more: ask again' : '';
      const summary = `${plan.response.summary}; ${canceled} canceled, ${runs.asked} runs asked to end${left}`;
      return { ...plan, ...mergePlans(plan, runs.plan), response: { ...plan.response, summary } };
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
    async (call) => setMode(call, 'running', requester(call.body, call.principal)),
  ),
  write(
    {
      method: 'post',
      path: '/v1/system/drain',
      summary: 'Finish what has begun and begin nothing new; `drained` reports the end',
      tag,
      roles: PEOPLE,
      body: SystemChangeBodySchema,
      data,
    },
    async (call) => setMode(call, 'draining', requester(call.body, call.principal)),
  ),
];
