/**
 * Runs what the host of an instruction cannot run itself, in message order. A tool of the edge runs here, and its output
 * is the result: the effect comes before the row, because repeating such a tool does no harm. A browser tool goes to
 * a node that has the browser (run-on-other-node.ts). A repeated call gets the current state, or the stored result.
 */
import { eq } from 'drizzle-orm';
import type { InstructionRunBody, InstructionRunResponse } from '../../schema/contracts/instructions.ts';
import type { EdgeTool, ToolName, ToolParams } from '../../schema/contracts/tools.ts';
import { isBrowserTool, TOOLS, toolName } from '../../schema/contracts/tools.ts';
import { isExecutingStatus, isOpenStatus } from '../../schema/domain/instruction-machine.ts';
import { AppError } from '../../schema/errors.ts';
import { artifacts } from '../../schema/tables/index.ts';
import { requireOwn } from '../auth/ownership.ts';
import type { Edge, WritePlan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import { claimExpiresInMs, othersClaimed } from './claimed-view.ts';
import { EDGE_TOOLS } from './edge-tools/registry.ts';
import type { EdgeToolContext, EdgeToolHandler, EdgeToolOutcome } from './edge-tools/tool.ts';
import type { LoadedInstruction } from './load.ts';
import { loadInstruction } from './load.ts';
import { recordProgress, reportOf } from './progress.ts';
import { resultResponse } from './responses.ts';
import { artifactUrl } from './results.ts';
import { runningResponse, runOnOtherNode } from './run-on-other-node.ts';

export interface RunRequest {
  nodeId: string;
  /** Where the API was reached. */
  origin: string;
  /** A longer output of an edge tool is stored as an artifact. */
  inlineChars?: number | undefined;
}

/**
 * `POST /v1/instructions/:id/run` by the node that holds the instruction; `origin` is where the API was reached. Throws
 * `instruction_not_found`, `not_owner`, and `conflict` when the host runs the tool, or an earlier instruction is open.
 */
export async function runInstruction(
  edge: Edge,
  instructionId: string,
  { controller_id, inline_chars: inlineChars }: InstructionRunBody,
  origin: string,
): Promise<WritePlan<InstructionRunResponse>> {
  const loaded = await loadInstruction(edge, instructionId);
  const { row, statuses } = loaded;
  requireOwn(controller_id, row);
  const name = toolName(row.target, row.tool);
  if (name === null || TOOLS[name].where === 'host') throw new AppError('conflict', 'this tool runs on the host');
  if (!isExecutingStatus(row.status)) return repeatResult(edge, loaded, origin);
  if (row.command_id !== null) return { audited: false, response: runningResponse(edge, row, statuses) };
  if (statuses.some((one) => one.index < row.index && isOpenStatus(one.status))) {
    throw new AppError('conflict', 'an earlier instruction of the message has not ended');
  }
  if (isBrowserTool(name)) return runOnOtherNode(edge, loaded, { name, origin });
  if (!isEdgeTool(name)) throw new AppError('conflict', 'this tool runs on the host');
  return runHere(edge, loaded, { name, origin, inlineChars });
}

async function runHere(
  edge: Edge,
  { row, message, conversation }: LoadedInstruction,
  { name, origin, inlineChars }: { name: EdgeTool; origin: string; inlineChars: number | undefined },
): Promise<WritePlan<InstructionRunResponse>> {
  const { instruction_id, controller_id, params } = row;
  const requested_by = `${controller_id} (${instruction_id})`;
  // Only a person's approval claims an instruction that asks.
  const approved = row.policy.decision === 'ask';
  const startedAt = Date.now();
  const outcome = await callTool(name, params, {
    ...edge,
    conversation,
    asked_by: message.origin,
    instruction_id,
    controller_id,
    requested_by,
    approved,
  });
  // By the wall clock, which in a Worker advances only while it waits for I/O.
  const duration_ms = Math.max(0, Date.now() - startedAt);
  const loaded = await loadInstruction(edge, instruction_id);
  const { output, denied, error_code = denied ?? null, plan = {} } = outcome;
  const status = denied !== undefined ? 'denied' : error_code === null ? 'succeeded' : 'failed';
  const result = { status, output, error_code, duration_ms, truncated: false } as const;
  const report = reportOf(instruction_id, { result });
  const recorded = await recordProgress(edge, loaded, [report], { inlineChars, conversation: outcome.conversation });
  const response = await resultResponse(edge, loaded, recorded, origin);
  return {
    ...mergePlans(recorded.plan, plan),
    subject_id: instruction_id,
    response: { ...response, output, error_code, duration_ms },
  };
}

function isEdgeTool(name: ToolName): name is EdgeTool {
  return TOOLS[name].where === 'edge';
}

function callTool<N extends EdgeTool>(
  name: N,
  params: Record<string, unknown>,
  context: EdgeToolContext,
): Promise<EdgeToolOutcome> {
  const handler: EdgeToolHandler<N> = EDGE_TOOLS[name];
  return handler(TOOLS[name].params.parse(params) as ToolParams<N>, context);
}

/** The stored result of an instruction that has ended. */
async function repeatResult(
  edge: Edge,
  { row, statuses }: LoadedInstruction,
  origin: string,
): Promise<WritePlan<InstructionRunResponse>> {
  const { instruction_id, status, artifact_id, output_summary, error_code, duration_ms } = row;
  if (row.finished_at === null) throw new AppError('conflict', `this instruction is ${status}`);
  const stored =
    artifact_id === null
      ? undefined
      : await edge.db.select().from(artifacts).where(eq(artifacts.artifact_id, artifact_id)).get();
  return {
    audited: false,
    response: {
      instruction_id,
      status,
      claim_expires_in_ms: claimExpiresInMs(row, edge.now),
      artifact_id,
      artifact_url: await artifactUrl(edge, artifact_id, origin),
      rest: othersClaimed(statuses, instruction_id, edge.now),
      output: stored?.content ?? output_summary ?? '',
      error_code,
      duration_ms: duration_ms ?? 0,
    },
  };
}
