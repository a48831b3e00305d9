/**
 * Running what its holder cannot do itself, in message order. A tool of the edge runs here and its answer is its result:
 * the effect comes before the row, as such a tool can be repeated without harm. A tool of a browser goes as a command to
 * a node that has one (instruction-elsewhere.ts). A repeat of the call gets how it stands, or what was stored.
 */
import { eq } from 'drizzle-orm';
import type { InstructionRunResponse } from '../../schema/contracts/instructions.ts';
import type { EdgeTool, ToolName, ToolParams } from '../../schema/contracts/tools.ts';
import { isBrowserTool, TOOLS, toolName } from '../../schema/contracts/tools.ts';
import { isExecutingStatus, isOpenStatus } from '../../schema/domain/instruction-machine.ts';
import { AppError } from '../../schema/errors.ts';
import { artifacts } from '../../schema/tables/index.ts';
import { requireOwn } from '../auth/ownership.ts';
import type { Database } from '../db/open.ts';
import type { WritePlan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import type { EdgeToolContext, EdgeToolHandler, EdgeToolOutcome } from './edge-tools/edge-tool.ts';
import { EDGE_TOOLS } from './edge-tools/registry.ts';
import type { LoadedInstruction } from './finish.ts';
import { readInstruction } from './finish.ts';
import { runOnOtherNode, underWay } from './run-on-other-node.ts';
import { claimExpiresInMs, claimedView } from './statuses.ts';
import { artifactUrl, storeResult } from './store-result.ts';

interface Run {
  env: Env;
  db: Database;
  now: number;
  origin: string;
  instructionId: string;
  nodeId: string;
}

/** Throws `not_owner`, and `conflict` when it is not this one's turn, or not the edge that runs it. */
export async function runInstruction(run: Run): Promise<WritePlan<InstructionRunResponse>> {
  const { env, db, now } = run;
  const before = await readInstruction(db, run.instructionId);
  const { row } = before;
  requireOwn(run.nodeId, row);
  const name = toolName(row.target, row.tool);
  if (name === null || TOOLS[name].where === 'host') throw new AppError('conflict', 'this tool runs on the host');
  if (!isExecutingStatus(row.status)) return repeated(run, before);
  if (row.command_id !== null) return { audited: false, response: underWay(before, before.statuses, now) };
  if (before.statuses.some((one) => one.index < row.index && isOpenStatus(one.status))) {
    throw new AppError('conflict', 'an earlier instruction of the message has not ended');
  }
  if (isBrowserTool(name)) return runOnOtherNode({ ...run, loaded: before, name });
  if (!isEdgeTool(name)) throw new AppError('conflict', 'this tool runs on the host');
  const begunAt = Date.now();
  const outcome = await callTool(name, row.params, {
    env,
    db,
    now,
    conversation: before.conversation,
    requested_by: `${row.controller_id} (${row.instruction_id})`,
  });
  const loaded = await readInstruction(db, run.instructionId);
  // By the wall clock, which stands still here but while something is waited for: that is what it took.
  const duration_ms = Math.max(0, Date.now() - begunAt);
  const result = { status: 'succeeded', output: outcome.output, duration_ms, truncated: false } as const;
  const { conversation } = outcome;
  const plan = await storeResult({ ...run, loaded, result, ...(conversation === undefined ? {} : { conversation }) });
  return {
    ...plan,
    ...mergePlans(plan, outcome.plan ?? {}),
    response: { ...plan.response, output: outcome.output, error_code: null, duration_ms },
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

/** It has ended: what was stored is the answer once more. */
async function repeated(run: Run, loaded: LoadedInstruction): Promise<WritePlan<InstructionRunResponse>> {
  const { row, statuses } = loaded;
  if (row.finished_at === null) throw new AppError('conflict', `this instruction is ${row.status}`);
  const stored =
    row.artifact_id === null
      ? undefined
      : await run.db.select().from(artifacts).where(eq(artifacts.artifact_id, row.artifact_id)).get();
  return {
    audited: false,
    response: {
      instruction_id: row.instruction_id,
      status: row.status,
      claim_expires_in_ms: claimExpiresInMs(row, run.now),
      artifact_id: row.artifact_id,
      artifact_url: await artifactUrl(run.env, row.artifact_id, run.origin, run.now),
      rest: claimedView(
        statuses.filter((one) => one.index !== row.index),
        run.now,
      ),
      output: stored?.content ?? row.output_summary ?? '',
      error_code: row.error_code,
      duration_ms: row.duration_ms ?? 0,
    },
  };
}
