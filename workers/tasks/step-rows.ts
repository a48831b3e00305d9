/** The rows of a task's steps. */
import { executorOf } from '../../schema/contracts/step-inputs.ts';
import type { TaskConstraints } from '../../schema/contracts/tasks.ts';
import { TASK } from '../../schema/defaults.ts';
import { LEADERS_TARGET, needsText } from '../../schema/domain/task-claim.ts';
import type { PlannedStep } from '../../schema/domain/task-plan.ts';
import { AppError } from '../../schema/errors.ts';
import { newId } from '../../schema/ids.ts';
import type { steps } from '../../schema/tables/index.ts';

export interface StepOwner {
  task_id: string;
  repo: string | null;
  priority: number;
  constraints: TaskConstraints;
  waits_for: number;
}

/** The first one may be claimed, unless the task waits for others. Throws `invalid_request` for too large inputs. */
export function stepRows(task: StepOwner, planned: readonly PlannedStep[], now: number) {
  requireRoom(planned);
  return planned.map((step): typeof steps.$inferInsert => ({
    step_id: newId('step', now),
    task_id: task.task_id,
    ...step,
    status: 'pending',
    attempt: 0,
    needs: needsText(task.repo, executorOf(step)),
    target: task.constraints.target_host ?? LEADERS_TARGET,
    priority: task.priority,
    ready: step.step_index === 0 && task.waits_for === 0 ? 'begins' : null,
  }));
}

function requireRoom(planned: readonly PlannedStep[]): void {
  const chars = planned.reduce((sum, { input }) => sum + JSON.stringify(input).length, 0);
  if (chars <= TASK.max_input_chars) return;
  const expected = `inputs of all steps of at most ${TASK.max_input_chars} characters as JSON; they have ${chars}`;
  throw new AppError('invalid_request', `steps: ${expected}`, { details: { in: 'body', field: 'steps', expected } });
}
