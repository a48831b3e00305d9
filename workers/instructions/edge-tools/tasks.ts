/**
 * `conductor::tasks/create`, `status`, `cancel`: a chat works with tasks by the same operations as a person. It sees and
 * cancels those that it has created itself.
 */
import type { TaskDetail } from '../../../schema/contracts/tasks.ts';
import { cutText } from '../../../schema/domain/cut-text.ts';
import { AppError } from '../../../schema/errors.ts';
import { createTask } from '../../tasks/create.ts';
import { cancelByPerson } from '../../tasks/persons.ts';
import { taskDetail } from '../../tasks/task-reads.ts';
import type { EdgeToolContext, EdgeToolHandler, EdgeToolOutcome } from './tool.ts';

const MAX_TEXT_CHARS = 1_000;

export const tasksCreate: EdgeToolHandler<'conductor::tasks/create'> = (params, context) =>
  refusable(async () => {
    const { conversation, asked_by, requested_by, approved, instruction_id } = context;
    const { local_conversation_id } = conversation;
    const { response, ...plan } = await createTask(context, params, {
      created_by: requested_by,
      is_persons: approved,
      chat: asked_by === 'chat' ? { local_conversation_id, instruction_id } : null,
    });
    return { output: JSON.stringify(response, null, 2), plan };
  });

export const tasksStatus: EdgeToolHandler<'conductor::tasks/status'> = ({ task_id }, context) =>
  refusable(async () => ({ output: JSON.stringify(shortDetail(await ownTask(context, task_id)), null, 2) }));

export const tasksCancel: EdgeToolHandler<'conductor::tasks/cancel'> = ({ task_id }, context) =>
  refusable(async () => {
    await ownTask(context, task_id);
    const { response, ...plan } = await cancelByPerson(context, task_id);
    return { output: JSON.stringify(response, null, 2), plan };
  });

/** Throws `task_not_found` also for the task of another conversation. */
async function ownTask({ db, conversation }: EdgeToolContext, taskId: string): Promise<TaskDetail> {
  const detail = await taskDetail(db, taskId);
  if (detail.local_conversation_id === conversation.local_conversation_id) return detail;
  throw new AppError('task_not_found', `this conversation has created no task ${taskId}`);
}

/** What fits a reply: no inputs and goals, which the caller has written itself. */
export function shortDetail({
  task_id,
  title,
  status,
  waiting_reason,
  error_code,
  error_text,
  result_summary,
  steps,
}: TaskDetail) {
  const short = (text: string | null) => text && cutText(text, MAX_TEXT_CHARS);
  return {
    task_id,
    title,
    status,
    waiting_reason,
    error_code,
    error_text: short(error_text),
    result_summary: short(result_summary),
    steps: steps.map(({ step_id, kind, name, status: stepStatus, attempt, summary, error_code: why }) => ({
      step_id,
      kind,
      name,
      status: stepStatus,
      attempt,
      summary: short(summary),
      error_code: why,
    })),
  };
}

/** A refusal is the result of the instruction. */
async function refusable(call: () => Promise<EdgeToolOutcome>): Promise<EdgeToolOutcome> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof AppError) return { error_code: error.code, output: error.message };
    throw error;
  }
}
