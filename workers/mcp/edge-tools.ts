/** Tools of the table that the edge runs itself, under the caller's role as the routes of the HTTP API. */
import { z } from 'zod';
import { idSchema } from '../../schema/contracts/common.ts';
import { AutomationStatusSchema } from '../../schema/contracts/conversations.ts';
import type { SystemMode } from '../../schema/contracts/system.ts';
import { TOOLS } from '../../schema/contracts/tools.ts';
import { MCP } from '../../schema/defaults.ts';
import { changeConversation, needsPerson, toChange } from '../../schema/domain/conversation.ts';
import { isFinalStatus } from '../../schema/domain/instruction-machine.ts';
import { AppError } from '../../schema/errors.ts';
import type { WritePlan } from '../db/plan.ts';
import { outputPart, storedOutput } from '../instructions/edge-tools/output-read.ts';
import { systemReport } from '../instructions/edge-tools/status.ts';
import { shortDetail } from '../instructions/edge-tools/tasks.ts';
import { requireConversation } from '../renewal/conversation-reads.ts';
import { storeConversation } from '../renewal/conversations.ts';
import { changeSystemMode } from '../system/mode.ts';
import { cancelByPerson } from '../tasks/persons.ts';
import { taskDetail } from '../tasks/task-reads.ts';
import type { ToolAnswer } from './answer.ts';
import { success } from './answer.ts';
import { readInstruction } from './await-call.ts';
import type { Caller } from './caller.ts';
import { newCallId, once } from './calls.ts';
import { instructionAnswer } from './instruction-answer.ts';
import type { McpTool } from './tool.ts';
import { mcpTool, READS } from './tool.ts';

/** Writes what `plan` decides, once, and answers with its response. */
export async function writeOnce(
  caller: Caller,
  plan: () => Promise<WritePlan<Record<string, unknown>>>,
): Promise<ToolAnswer> {
  const { stored, repeated } = await once(caller, false, async () => {
    const { response, subject_id, audited: _always, ...rest } = await plan();
    const message_id = newCallId(caller.now);
    return {
      plan: rest,
      columns: { message_id, response, ended_at: caller.now },
      subject_id: subject_id ?? message_id,
    };
  });
  return success({ ...stored.response, ...(repeated && { repeated }) });
}

function modeTool(
  mode: SystemMode,
  name: 'conductor::system/pause' | 'conductor::system/resume' | 'conductor::system/drain',
) {
  const { summary, params } = TOOLS[name];
  return mcpTool({ description: summary, params, destructive: mode !== 'running' }, (caller, { reason = null }) =>
    writeOnce(caller, async () => {
      const requested_by = `${caller.principal.subject} (mcp)`;
      const { response, plan } = await changeSystemMode(caller, { mode, requested_by, reason, by_person: false });
      if (response !== null) return { ...plan, subject_id: mode, response: { ...response } };
      throw heldByPerson(
        'a person holds the system paused; a person resumes it on the status page, in the overlay or with conductor resume',
      );
    }),
  );
}

function heldByPerson(message: string): AppError {
  return new AppError('forbidden', message, { details: { reason: 'held_by_a_person' } });
}

export const EDGE_TOOLS: Readonly<Record<string, McpTool>> = {
  status: mcpTool(
    {
      ...READS,
      description:
        'The state of the system: mode, leader, nodes, queues. With instruction_id: how that instruction is, and its result when it has ended.',
      params: z.strictObject({ instruction_id: idSchema('ins').optional() }),
    },
    async (caller, { instruction_id }) => {
      if (instruction_id === undefined) return success(await systemReport(caller));
      const called = await readInstruction(caller.db, instruction_id);
      if (called !== null) return instructionAnswer(called);
      throw new AppError('instruction_not_found', `there is no instruction ${instruction_id}`);
    },
  ),
  output_read: mcpTool(
    {
      ...READS,
      description: 'Reads a part of the stored output of an instruction, in characters.',
      params: TOOLS['conductor::output/read'].params,
    },
    async ({ db }, { instruction_id, offset, length = MCP.output_chars }) => {
      const found = await storedOutput(db, instruction_id);
      if (found === undefined) {
        throw new AppError('instruction_not_found', `there is no instruction ${instruction_id}`);
      }
      if (!isFinalStatus(found.status)) {
        throw new AppError('conflict', `${instruction_id} is ${found.status}; its output is stored when it has ended`);
      }
      if (found.text === null) {
        throw new AppError('artifact_not_found', `the output of ${instruction_id} is not stored any more`);
      }
      return success({
        instruction_id,
        output_chars: found.text.length,
        output: outputPart(found.text, offset, length),
      });
    },
  ),
  system_pause: modeTool('paused', 'conductor::system/pause'),
  system_resume: modeTool('running', 'conductor::system/resume'),
  system_drain: modeTool('draining', 'conductor::system/drain'),
  conversation_mode: mcpTool(
    {
      description: 'Sets the automation of a conversation. What a person has stopped, a person starts again.',
      params: z.strictObject({ local_conversation_id: idSchema('lc'), mode: AutomationStatusSchema }),
      destructive: true,
    },
    (caller, { local_conversation_id: id, mode }) =>
      writeOnce(caller, async () => {
        const read = await requireConversation(caller.db, id);
        if (needsPerson(read, mode)) {
          throw heldByPerson('a person has stopped this conversation; a person starts it again on the status page');
        }
        const next = changeConversation(read, toChange(mode, 'ai_pause'), caller.now);
        const { automation_status, pause_reason } = next;
        return {
          ...storeConversation(caller, read, next),
          subject_id: id,
          response: { local_conversation_id: id, automation_status, pause_reason },
        };
      }),
  ),
  tasks_status: mcpTool(
    {
      ...READS,
      description: 'The state of a task, and of its steps.',
      params: TOOLS['conductor::tasks/status'].params,
    },
    async ({ db }, { task_id }) => success(shortDetail(await taskDetail(db, task_id))),
  ),
  tasks_cancel: mcpTool(
    {
      description: 'Cancels a task; a running step ends on its host.',
      params: TOOLS['conductor::tasks/cancel'].params,
      destructive: true,
    },
    (caller, { task_id }) =>
      writeOnce(caller, async () => {
        const { response, ...plan } = await cancelByPerson(caller, task_id);
        return { ...plan, response: { ...response } };
      }),
  ),
};
