/**
 * Changing the system mode: the one way in for people, chats and programs. AutomationState decides and raises D1's
 * fence before it answers, so from then on no claim is made under the old mode; only then are the nodes told and,
 * when the system runs again, the timed jobs woken.
 */
import { allHubs, automationState, timedJobs } from '../../durable-objects/stubs.ts';
import type { EventDraft } from '../../schema/contracts/events.ts';
import type { SystemChange } from '../../schema/contracts/objects.ts';
import type { SystemChangeResponse, SystemMode, SystemRecord } from '../../schema/contracts/system.ts';
import { AppError } from '../../schema/errors.ts';
import type { Plan } from '../db/plan.ts';

export interface ModeChange {
  response: SystemChangeResponse;
  /** The event, when the mode changed, and the notices to nodes and timed jobs. */
  plan: Plan;
}

/** Asks for a mode. A repeat is accepted and changes nothing. Throws `internal` when D1's fence could not be raised. */
export async function changeSystemMode(env: Env, change: SystemChange, now: number): Promise<ModeChange> {
  const outcome = await automationState(env).change(change);
  if (outcome.status === 'fence_lag') throw fenceLag();
  const { record, status } = outcome;
  return {
    response: {
      accepted: true,
      status: 'applied',
      summary: summarize(record, status === 'applied'),
      mode: record.mode,
      version: record.version,
    },
    plan: {
      events: status === 'applied' ? [modeEvent(record)] : [],
      after: () => announceMode(env, record.mode, record.version, now),
    },
  };
}

/** The answer while an object stands ahead of D1's fence: nothing was granted, and asking again helps. */
export function fenceLag(): AppError {
  return new AppError('internal', 'the database could not be brought up to date; nothing was granted, try again');
}

async function announceMode(env: Env, mode: SystemMode, version: number, now: number): Promise<void> {
  await Promise.all([
    ...allHubs(env).map((hub) => hub.announceMode(mode, version)),
    ...(mode === 'paused' ? [] : [timedJobs(env).due(now)]),
  ]);
}

function modeEvent({ mode, version, requested_by, reason }: SystemRecord): EventDraft {
  return { topic: 'system', type: 'mode_changed', subject_id: mode, data: { mode, version, requested_by, reason } };
}

function summarize({ mode, version, requested_by }: SystemRecord, applied: boolean): string {
  const by = requested_by === null ? '' : ` by ${requested_by}`;
  return applied ? `the system is ${mode}${by} (version ${version})` : `the system was ${mode} already`;
}
