/** Whether a task that ran here has ended on another host: the edge says so when it is asked. */
import { RunDetailSchema } from '../../schema/contracts/runs.ts';
import { TaskStatusSchema } from '../../schema/contracts/tasks.ts';
import { isEndedTask } from '../../schema/domain/task-machine.ts';
import { EdgeError } from '../edge/http-client.ts';
import type { RunsHost } from './host.ts';

const AskedSchema = RunDetailSchema.pick({ task_status: true });

/** Null while the task has not ended, or the edge does not say. @throws EdgeError when it cannot be asked */
export async function endOfTask(taskId: string, { edge, runs }: RunsHost): Promise<{ isDone: boolean } | null> {
  const run = runs.lastOfTask(taskId, '');
  if (run === null) return null;
  try {
    const path = `/v1/runs/${run.run_id}`;
    const { task_status } = await edge.call({ method: 'GET', path, schema: AskedSchema });
    const known = TaskStatusSchema.safeParse(task_status);
    return known.success && isEndedTask(known.data) ? { isDone: known.data === 'done' } : null;
  } catch (error) {
    // The edge deletes tasks that ended long ago.
    if (error instanceof EdgeError && error.code === 'run_not_found') return { isDone: false };
    throw error;
  }
}
