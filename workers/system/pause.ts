/** A pause that also interrupts what is under way. */
import type { SystemChangeResponse } from '../../schema/contracts/system.ts';
import type { Edge, WritePlan } from '../db/plan.ts';
import { interruptExecuting } from '../instructions/interrupt-all.ts';
import type { Requester } from './mode.ts';
import { setMode } from './mode.ts';

/** Pauses the system and cancels claimed and running instructions, at most a number of them per call. */
export async function pauseAndInterrupt(
  edge: Edge,
  by: Requester,
  waitUntil: (work: Promise<unknown>) => void,
): Promise<WritePlan<SystemChangeResponse>> {
  const { env, db, now } = edge;
  const plan = await setMode(edge, 'paused', by);
  const { canceled, more } = await interruptExecuting(env, { db, now, waitUntil }, by.requested_by);
  const summary = `${plan.response.summary}; ${canceled} canceled${more ? ', and there is more: ask again' : ''}`;
  return { ...plan, response: { ...plan.response, summary } };
}
