/**
 * A tool of a browser that its holder has not: the instruction begins here and goes as a command to a node whose browser
 * has that platform. Its outcome is the command's result, and the holder is told to ask again. Without such a browser,
 * or when that node refuses the command, it fails at once; without an answer its claim runs out like any other.
 */
import { eq, sql } from 'drizzle-orm';
import type { Receipt } from '../../schema/contracts/commands.ts';
import { COMMAND_BODIES } from '../../schema/contracts/commands.ts';
import type { InstructionRunResponse } from '../../schema/contracts/instructions.ts';
import type { BrowserTool } from '../../schema/contracts/tools.ts';
import { platformOf, TOOLS } from '../../schema/contracts/tools.ts';
import { isExecutingStatus } from '../../schema/domain/instruction-machine.ts';
import type { TrackedInstruction } from '../../schema/domain/message-progress.ts';
import { startInstruction } from '../../schema/domain/message-progress.ts';
import { AppError } from '../../schema/errors.ts';
import { newId } from '../../schema/ids.ts';
import { commands, instructions } from '../../schema/tables/index.ts';
import type { WriteContext } from '../db/commit.ts';
import { commit } from '../db/commit.ts';
import type { Database } from '../db/open.ts';
import type { Plan, WritePlan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import { nodeForPlatform } from '../nodes/browsers.ts';
import type { CommandDraft } from '../nodes/commands.ts';
import { insertCommand } from '../nodes/commands.ts';
import { pushChanged, pushCommands } from '../nodes/push.ts';
import type { LoadedInstruction } from './finish.ts';
import { idsOf, readInstruction } from './finish.ts';
import { claimExpiresInMs, claimedView, guardStatuses, storeStatuses } from './statuses.ts';
import type { Reported } from './store-result.ts';
import { storeResult } from './store-result.ts';

interface Elsewhere {
  env: Env;
  db: Database;
  now: number;
  origin: string;
  loaded: LoadedInstruction;
  name: BrowserTool;
}

export async function runOnOtherNode(run: Elsewhere): Promise<WritePlan<InstructionRunResponse>> {
  const { env, db, now, loaded, name } = run;
  const platform = platformOf(name);
  const node = await nodeOrReason(env, db, platform);
  if (typeof node !== 'string') return failed(run, node);
  const { row, statuses, conversation } = loaded;
  const { instruction_id, controller_id } = row;
  const after = row.status === 'claimed' ? startInstruction(statuses, instruction_id, now) : statuses;
  const own = after.find((one) => one.instruction_id === instruction_id);
  const command: CommandDraft<'instruction'> = {
    command_id: newId('command', now),
    controller_id: node,
    kind: 'instruction',
    body: {
      instruction_id,
      name,
      params: row.params,
      platform: conversation.platform,
      timeout_ms: TOOLS[name].timeout_ms,
    },
    expires_at: own?.claim_expires_at ?? now + TOOLS[name].timeout_ms,
  };
  const { command_id } = command;
  const detail = { node, command_id };
  const stored = storeStatuses(db, statuses, after, {
    chain: controller_id,
    message_id: row.message_id,
    controller_id,
    detail,
    now,
  });
  const marked = db
    .update(instructions)
    .set({ started_at: now, command_id })
    .where(eq(instructions.instruction_id, instruction_id));
  const sent: Plan = {
    guards: [guardStatuses(db, row.message_id, statuses)],
    statements: [insertCommand(db, command, now), marked],
    events: [{ topic: 'instructions', type: 'started', subject_id: instruction_id, data: detail }],
    after: () => pushCommands(env, [command], now),
  };
  return { ...mergePlans(stored, sent), subject_id: instruction_id, response: underWay(loaded, after, now) };
}

/** What the other node says of it ends the instruction, and its holder is told to look again. */
export async function finishFromOtherNode(reported: Reported & { by: string }): Promise<Plan> {
  const { env, loaded } = reported;
  const notice = { after: () => pushChanged(env, loaded.row.controller_id, 'instructions', idsOf(loaded)) };
  return mergePlans(await storeResult(reported), notice);
}

/** More than these fit no invocation on the free plan; others end with their claims. */
const MAX_REFUSED = 2;

/** Of commands which a node has refused, those for an instruction: it ends now and not with its claim. */
export async function endRefused(
  env: Env,
  { db, now, waitUntil }: Pick<WriteContext, 'db' | 'now' | 'waitUntil'>,
  receipts: readonly Receipt[],
): Promise<void> {
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
  for (const command of rows) await commit(context, () => refused(env, db, command, now));
}

type CommandRow = typeof commands.$inferSelect;

async function refused(env: Env, db: Database, command: CommandRow, now: number): Promise<WritePlan<null>> {
  const nothing = { response: null };
  const { command_id, controller_id: by, code, body } = command;
  const { instruction_id } = COMMAND_BODIES.instruction.parse(body);
  // A person's own prompt bears the id of its command.
  if (instruction_id === command_id) return nothing;
  const loaded = await readInstruction(db, instruction_id);
  if (loaded.row.command_id !== command_id || !isExecutingStatus(loaded.row.status)) return nothing;
  const told = { output: `${by} refused it`, error_code: code ?? 'refused' };
  const result = { status: 'failed', ...told, duration_ms: 0, truncated: false } as const;
  // So short an output is no artifact, and needs no link.
  return { ...(await finishFromOtherNode({ env, db, now, origin: '', loaded, result, by })), response: null };
}

/** The answer while another node is at it. */
export function underWay(
  { row }: LoadedInstruction,
  statuses: readonly TrackedInstruction[],
  now: number,
): InstructionRunResponse {
  const own = statuses.find((one) => one.instruction_id === row.instruction_id);
  return {
    instruction_id: row.instruction_id,
    status: 'running',
    claim_expires_in_ms: own === undefined ? null : claimExpiresInMs(own, now),
    artifact_id: null,
    artifact_url: null,
    rest: claimedView(
      statuses.filter((one) => one.instruction_id !== row.instruction_id),
      now,
    ),
    output: '',
    error_code: null,
    duration_ms: 0,
  };
}

async function nodeOrReason(env: Env, db: Database, platform: ReturnType<typeof platformOf>) {
  try {
    return await nodeForPlatform(env, db, platform);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

async function failed(run: Elsewhere, { code, message }: AppError): Promise<WritePlan<InstructionRunResponse>> {
  const result = { status: 'failed', output: message, error_code: code, duration_ms: 0, truncated: false } as const;
  const plan = await storeResult({ ...run, result });
  return { ...plan, response: { ...plan.response, output: message, error_code: code, duration_ms: 0 } };
}
