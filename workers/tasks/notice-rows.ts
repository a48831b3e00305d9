/** The row that makes the end of a task be reported into the chat that created it. */
import { taskNoticeText } from '../../schema/domain/task-notice.ts';
import type { TaskRow } from '../../schema/tables/index.ts';
import { task_notices } from '../../schema/tables/index.ts';
import type { Edge, Plan } from '../db/plan.ts';
import { wakeTimedJobs } from './wake.ts';

/** Nothing for a task that no chat created, or that was asked to report nothing. A retried task reports each end. */
export function insertNotice(edge: Edge, task: TaskRow, now: number): Plan {
  const { task_id, local_conversation_id, notify } = task;
  if (!notify || local_conversation_id === null) return {};
  const row = {
    task_id,
    local_conversation_id,
    status: 'pending' as const,
    message_text: taskNoticeText(task),
    attempt_count: 0,
    due_at: now,
    plan_id: null,
    command_id: null,
    last_error: null,
    created_at: now,
    finished_at: null,
  };
  const { task_id: _key, ...set } = row;
  return {
    statements: [edge.db.insert(task_notices).values(row).onConflictDoUpdate({ target: task_notices.task_id, set })],
    after: () => wakeTimedJobs(edge),
  };
}
