/**
 * The heartbeat of a run moves its deadline, and brings the node what concerns the run: a cancellation, a hand-over, the
 * system's mode. The deadline is stored coarsely, so that most heartbeats write nothing; the node gets the stored one.
 */
import { and, eq, isNull } from 'drizzle-orm';
import type { RunHeartbeatBody, RunHeartbeatResponse } from '../../schema/contracts/runs.ts';
import { heldDeadline } from '../../schema/domain/run-deadline.ts';
import { moveRun } from '../../schema/domain/run-machine.ts';
import type { RunRow } from '../../schema/tables/index.ts';
import { fence, runs, tasks } from '../../schema/tables/index.ts';
import type { Edge, WritePlan } from '../db/plan.ts';
import type { RunCaller } from './own-run.ts';
import { guardLive, requireOwnRun } from './own-run.ts';

export async function beat(
  edge: Edge,
  caller: RunCaller,
  body: RunHeartbeatBody,
): Promise<WritePlan<RunHeartbeatResponse>> {
  const { db, now } = edge;
  const [own, mode] = await Promise.all([
    requireOwnRun(db, caller),
    db.select({ mode: fence.mode, mode_version: fence.mode_version }).from(fence).get(),
  ]);
  const { run, task } = own;
  const set = changesOf(run, body, now);
  const fixesBase = body.base_sha !== undefined && task.base_sha === null;
  const { status = run.status, deadline_at = run.deadline_at } = set;
  const isNews = Object.keys(set).length > 0 || fixesBase;
  const starts = status !== run.status;
  return {
    ...(isNews ? { guards: [guardLive(db, own)] } : {}),
    statements: [
      ...(Object.keys(set).length > 0 ? [db.update(runs).set(set).where(eq(runs.run_id, run.run_id))] : []),
      ...(fixesBase
        ? [
            db
              .update(tasks)
              .set({ base_sha: body.base_sha ?? null })
              .where(and(eq(tasks.task_id, task.task_id), isNull(tasks.base_sha))),
          ]
        : []),
    ],
    events: starts
      ? [
          {
            topic: 'runs',
            type: 'started',
            subject_id: run.run_id,
            data: { task_id: task.task_id, step_id: run.step_id },
          },
        ]
      : [],
    // Any other heartbeat changes only the deadline, which the run has.
    audited: starts || fixesBase,
    subject_id: run.run_id,
    response: {
      status,
      deadline_in_ms: Math.max(0, (deadline_at ?? now) - now),
      cancel: task.cancel_requested_at !== null || run.interrupt_at !== null,
      hand_over: run.hand_over_at !== null,
      mode: mode?.mode ?? 'running',
      mode_version: mode?.mode_version ?? 0,
    },
  };
}

type RunChanges = Partial<
  Pick<RunRow, 'status' | 'started_at' | 'deadline_at' | 'checkpoint_seq' | 'session_id' | 'progress'>
>;

/** What of the run is new; a late heartbeat never takes anything back. */
function changesOf(run: RunRow, body: RunHeartbeatBody, now: number): RunChanges {
  const { started = false, checkpoint_seq, session_id = run.session_id, progress = null } = body;
  const deadline_at = heldDeadline(run, now);
  return {
    ...(started && run.status === 'prepared' ? { status: moveRun(run.status, 'running'), started_at: now } : {}),
    ...(deadline_at === run.deadline_at ? {} : { deadline_at }),
    ...(checkpoint_seq > run.checkpoint_seq ? { checkpoint_seq } : {}),
    ...(session_id === run.session_id ? {} : { session_id }),
    ...(progress === run.progress ? {} : { progress }),
  };
}
