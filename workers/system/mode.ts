/**
 * Changing the system mode: one function for people, chats and programs. AutomationState decides and raises D1's fence
 * before it responds, so from then on no claim is made under the old mode. Only then are the nodes notified and, unless
 * the system is paused, the timed jobs woken.
 */
import { automationState, timedJobs } from '../../durable-objects/stubs.ts';
import type { EventDraft } from '../../schema/contracts/events.ts';
import type { SystemChange } from '../../schema/contracts/objects.ts';
import type { SystemChangeResponse, SystemMode, SystemRecord } from '../../schema/contracts/system.ts';
import type { Edge, Plan, WritePlan } from '../db/plan.ts';
import { fenceLag } from '../nodes/fence-lag.ts';
import { announceMode } from '../nodes/push.ts';

export interface ModeChange {
  /** Null when a chat asked for the end of a pause that only a person ends: nothing has changed. */
  response: SystemChangeResponse | null;
  /** The event, when the mode changed, and the notices to nodes and timed jobs. */
  plan: Plan;
}

/** Requests a mode. A repeat changes nothing. Throws `database_unavailable` when D1's fence could not be raised. */
export async function changeSystemMode({ env, now }: Edge, change: SystemChange): Promise<ModeChange> {
  const outcome = await automationState(env).change(change);
  if (outcome.status === 'fence_lag') throw fenceLag();
  if (outcome.status === 'held') return { response: null, plan: {} };
  const { record, status } = outcome;
  const { mode, version } = record;
  const isChanged = status === 'applied';
  return {
    response: { accepted: true, status: 'applied', summary: summarize(record, isChanged), mode, version },
    plan: {
      events: isChanged ? [modeEvent(record)] : [],
      after: async () => {
        await announceMode(env, record);
        if (mode !== 'paused') await timedJobs(env).due(now);
      },
    },
  };
}

export interface Requester {
  requested_by: string;
  reason?: string | undefined;
  /** With `paused`: only a person ends this pause. */
  hold?: boolean | undefined;
}

/** A person's change. Always audited, a repeat too: the batch of the first try may have failed. */
export async function setMode(
  edge: Edge,
  mode: SystemMode,
  { requested_by, reason, hold }: Requester,
): Promise<WritePlan<SystemChangeResponse>> {
  const change = { mode, requested_by, reason: reason ?? null, hold, by_person: true };
  const { response, plan } = await changeSystemMode(edge, change);
  if (response === null) throw new Error('a person was refused the end of a pause');
  return { ...plan, subject_id: mode, response };
}

function modeEvent({ mode, version, hold, requested_by, reason }: SystemRecord): EventDraft {
  const data = { mode, version, hold, requested_by, reason };
  return { topic: 'system', type: 'mode_changed', subject_id: mode, data };
}

function summarize({ mode, version, hold, requested_by }: SystemRecord, isChanged: boolean): string {
  const by = requested_by === null ? '' : ` by ${requested_by}`;
  const until = hold ? ', until a person resumes it' : '';
  return isChanged
    ? `the system is ${mode}${by}${until} (version ${version})`
    : `the system was ${mode} already${until}`;
}
