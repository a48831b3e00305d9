/**
 * Runs a browser tool on another node: marks the instruction running and queues an `instruction` command for a node
 * that has a browser of that platform. What that node makes of the command ends the instruction (remote-result.ts).
 * Without such a browser the instruction fails at once; without a result its claim expires like any other.
 */
import type { InstructionRunResponse, ReportedResult } from '../../schema/contracts/instructions.ts';
import type { BrowserTool } from '../../schema/contracts/tools.ts';
import { platformOf, TOOLS } from '../../schema/contracts/tools.ts';
import type { TrackedInstruction } from '../../schema/domain/message-progress.ts';
import { startInstruction } from '../../schema/domain/message-progress.ts';
import { AppError } from '../../schema/errors.ts';
import { newId } from '../../schema/ids.ts';
import type { InstructionRow } from '../../schema/tables/index.ts';
import type { Edge, Plan, WritePlan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import type { CommandDraft } from '../nodes/commands.ts';
import { nodeForPlatform } from '../nodes/node-for-platform.ts';
import { sendCommands } from '../nodes/push.ts';
import { claimExpiresInMs, othersClaimed } from './claimed-view.ts';
import { guardStatuses } from './guards.ts';
import type { LoadedInstruction } from './load.ts';
import { recordProgress, reportOf } from './progress.ts';
import { resultResponse } from './responses.ts';
import { journalChanges, storeStatuses } from './store-statuses.ts';

export async function runOnOtherNode(
  edge: Edge,
  loaded: LoadedInstruction,
  { name, origin }: { name: BrowserTool; origin: string },
): Promise<WritePlan<InstructionRunResponse>> {
  const node = await nodeOrError(edge, name);
  if (node instanceof AppError) return failRun(edge, loaded, node, origin);
  const { db, now } = edge;
  const { row, message, statuses, conversation } = loaded;
  const { instruction_id, controller_id, message_id } = row;
  const after = row.status === 'claimed' ? startInstruction(statuses, instruction_id, now) : statuses;
  const command: CommandDraft<'instruction'> = {
    command_id: newId('command', now),
    controller_id: node,
    kind: 'instruction',
    body: {
      requested_by: 'instruction',
      instruction_id,
      name,
      params: row.params,
      ...(message.origin === 'mcp'
        ? { platform: platformOf(name) }
        : { platform: conversation.platform, conversation_id: conversation.remote_conversation_id }),
      // Only a person's approval claims an instruction that asks.
      approved: row.policy.decision === 'ask',
      timeout_ms: TOOLS[name].timeout_ms,
    },
    expires_at: claimOf(after, instruction_id) ?? now + TOOLS[name].timeout_ms,
  };
  const { command_id } = command;
  const detail = { node, command_id };
  const columns = new Map([[instruction_id, { started_at: now, command_id }]]);
  const started: Plan = {
    guards: [guardStatuses(db, message_id, statuses)],
    statements: storeStatuses(edge, statuses, after, columns),
    journal: journalChanges(statuses, after, { chain: controller_id, message_id, controller_id, detail }),
    events: [{ topic: 'instructions', type: 'started', subject_id: instruction_id, data: detail }],
  };
  return {
    ...mergePlans(started, sendCommands(edge, [command])),
    subject_id: instruction_id,
    response: runningResponse(edge, row, after),
  };
}

function claimOf(all: readonly TrackedInstruction[], id: string): number | null {
  return all.find((one) => one.instruction_id === id)?.claim_expires_at ?? null;
}

async function nodeOrError(edge: Edge, name: BrowserTool): Promise<string | AppError> {
  try {
    return await nodeForPlatform(edge, platformOf(name));
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

/** No node can run it: it has failed with that error. */
async function failRun(
  edge: Edge,
  loaded: LoadedInstruction,
  { code, message }: AppError,
  origin: string,
): Promise<WritePlan<InstructionRunResponse>> {
  const { instruction_id } = loaded.row;
  const recorded = await recordProgress(edge, loaded, [reportOf(instruction_id, { result: failure(message, code) })]);
  const response = await resultResponse(edge, loaded, recorded, origin);
  return {
    ...recorded.plan,
    subject_id: instruction_id,
    response: { ...response, output: message, error_code: code, duration_ms: 0 },
  };
}

/** A result without an effect. */
export function failure(output: string, error_code: string): ReportedResult {
  return { status: 'failed', output, error_code, duration_ms: 0, truncated: false };
}

/** The response while another node runs it. */
export function runningResponse(
  { now }: Edge,
  { instruction_id }: InstructionRow,
  statuses: readonly TrackedInstruction[],
): InstructionRunResponse {
  const own = statuses.find((one) => one.instruction_id === instruction_id);
  return {
    instruction_id,
    status: 'running',
    claim_expires_in_ms: own === undefined ? null : claimExpiresInMs(own, now),
    artifact_id: null,
    artifact_url: null,
    rest: othersClaimed(statuses, instruction_id, now),
    output: '',
    error_code: null,
    duration_ms: 0,
  };
}
