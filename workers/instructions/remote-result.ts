/**
 * How a command to run an instruction on another node ends: the node reports a result, or refuses the command. Either
 * ends the instruction, and the node that holds it is notified.
 */
import { sql } from 'drizzle-orm';
import type { Receipt } from '../../schema/contracts/commands.ts';
import { COMMAND_BODIES } from '../../schema/contracts/commands.ts';
import type { ReportedResult } from '../../schema/contracts/instructions.ts';
import { isExecutingStatus } from '../../schema/domain/instruction-machine.ts';
import { commands } from '../../schema/tables/index.ts';
import type { WriteContext } from '../db/commit.ts';
import { commit } from '../db/commit.ts';
import type { Edge, Plan, WritePlan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import { notifyOwner } from './finish.ts';
import type { LoadedInstruction } from './load.ts';
import { loadInstruction } from './load.ts';
import { recordProgress, reportOf } from './progress.ts';
import { failure } from './run-on-other-node.ts';

/** The plan that ends the instruction with the result that the node `reportedBy` has sent. */
export async function finishFromOtherNode(
  edge: Edge,
  instructionId: string,
  { result, reportedBy }: { result: ReportedResult; reportedBy: string },
): Promise<Plan> {
  return planRemoteResult(edge, await loadInstruction(edge, instructionId), result, reportedBy);
}

async function planRemoteResult(
  edge: Edge,
  loaded: LoadedInstruction,
  result: ReportedResult,
  reportedBy: string,
): Promise<Plan> {
  const report = reportOf(loaded.row.instruction_id, { result });
  const { plan } = await recordProgress(edge, loaded, [report], { reportedBy });
  return mergePlans(plan, notifyOwner(edge, loaded));
}

/** More of them do not fit an invocation on the free plan; the instructions of the rest end with their claims. */
const MAX_REFUSED = 2;

/** Fails the instructions whose commands a node has refused, without waiting for their claims to expire. */
export async function failRefused(
  edge: Edge,
  { receipts, waitUntil }: Pick<WriteContext, 'waitUntil'> & { receipts: readonly Receipt[] },
): Promise<void> {
  const { db, now } = edge;
  const ids = receipts.filter(({ accepted }) => !accepted).map(({ command_id }) => command_id);
  if (ids.length === 0) return;
  const rows = await db
    .select()
    .from(commands)
    .where(
      sql`${commands.command_id} IN (SELECT value FROM json_each(${JSON.stringify(ids)}))
        AND ${commands.kind} = 'instruction' AND ${commands.status} = 'refused'`,
    )
    .limit(MAX_REFUSED);
  const context: WriteContext = { db, now, by: null, idempotency: null, waitUntil };
  for (const command of rows) await commit(context, () => planRefusal(edge, command));
}

async function planRefusal(edge: Edge, command: typeof commands.$inferSelect): Promise<WritePlan<null>> {
  const nothing = { response: null };
  const { command_id, controller_id: reportedBy, code } = command;
  const body = COMMAND_BODIES.instruction.parse(command.body);
  if (body.requested_by !== 'instruction') return nothing;
  const loaded = await loadInstruction(edge, body.instruction_id);
  if (loaded.row.command_id !== command_id || !isExecutingStatus(loaded.row.status)) return nothing;
  const result = failure(`${reportedBy} refused the command`, code ?? 'refused');
  return { ...(await planRemoteResult(edge, loaded, result, reportedBy)), response: null };
}
