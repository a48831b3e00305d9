/** What an operator does on the status page, as tools: approvals, cancellation, and the lists of conversations and renewals. */
import { eq, inArray } from 'drizzle-orm';
import { z } from 'zod';
import { idSchema, PlatformSchema } from '../../schema/contracts/common.ts';
import { AutomationStatusSchema } from '../../schema/contracts/conversations.ts';
import { ApproveBodySchema, DenyBodySchema, InstructionCancelBodySchema } from '../../schema/contracts/instructions.ts';
import { JobStatusSchema } from '../../schema/contracts/renewal.ts';
import { HTTP } from '../../schema/defaults.ts';
import { AppError } from '../../schema/errors.ts';
import { instructions, mcp_calls } from '../../schema/tables/index.ts';
import type { Database } from '../db/open.ts';
import { approveInstruction, denyInstruction } from '../instructions/approve.ts';
import { cancelInstruction } from '../instructions/cancel.ts';
import { listInstructions } from '../instructions/instruction-reads.ts';
import { listConversations } from '../renewal/conversation-reads.ts';
import { listJobs } from '../renewal/job-reads.ts';
import { success } from './answer.ts';
import type { Caller } from './caller.ts';
import { writeOnce } from './edge-tools.ts';
import type { McpTool } from './tool.ts';
import { mcpTool, READS } from './tool.ts';

const page = {
  limit: z.number().int().min(1).max(HTTP.list_limit_max).default(HTTP.list_limit),
  /** `next_cursor` of the page before. */
  cursor: z.string().max(200).optional(),
};
const InstructionSchema = z.strictObject({ instruction_id: idSchema('ins') });

/** What waits for a person, with the exact text of each call and the hash that a decision names. */
async function listApprovals({ db, now, principal }: Caller, request: { limit: number; cursor?: string | undefined }) {
  const { items, next_cursor } = await listInstructions(
    db,
    { controller_id: null, status: 'awaiting_approval' },
    request,
  );
  const details = await approvalsOf(
    db,
    items.map((one) => one.instruction_id),
  );
  return {
    items: items.map(({ instruction_id, target, tool, controller_id, policy, approval_expires_at }) => {
      const { approval = null, token_id = null } = details.get(instruction_id) ?? {};
      return {
        instruction_id,
        call: `${target}::${tool}`,
        node: controller_id,
        rule: policy.rule,
        asked_with_this_token: token_id === principal.token_id,
        approval,
        expires_in_ms: approval_expires_at === null ? null : Math.max(0, approval_expires_at - now),
      };
    }),
    next_cursor,
  };
}

/** What is asked, and the token that asked through MCP (null for a chat), by instruction. */
async function approvalsOf(db: Database, ids: readonly string[]) {
  if (ids.length === 0) return new Map<string, never>();
  const rows = await db
    .select({
      instruction_id: instructions.instruction_id,
      approval: instructions.approval,
      token_id: mcp_calls.token_id,
    })
    .from(instructions)
    .leftJoin(mcp_calls, eq(mcp_calls.message_id, instructions.message_id))
    .where(inArray(instructions.instruction_id, [...ids]));
  return new Map(rows.map((row) => [row.instruction_id, row]));
}

/** A token does not approve what it has asked for itself: the decision is a person's, by another way. */
async function refuseOwn({ db, principal }: Caller, instructionId: string): Promise<void> {
  const asked = (await approvalsOf(db, [instructionId])).get(instructionId);
  if (asked?.token_id !== principal.token_id) return;
  throw new AppError(
    'forbidden',
    'this token has asked for it, so it does not approve it; a person decides on the status page, in the overlay, or with the command line',
    { details: { field: 'instruction_id' } },
  );
}

export const OPERATOR_TOOLS: Readonly<Record<string, McpTool>> = {
  approvals_list: mcpTool(
    {
      ...READS,
      description: 'Instructions that wait for a person, with the exact text of each and its approval_hash.',
      params: z.strictObject(page),
    },
    async (caller, request) => success(await listApprovals(caller, request)),
  ),
  approve: mcpTool(
    {
      description:
        'Approves an instruction that another caller or a chat has asked for, exactly as approval_hash names it.',
      params: InstructionSchema.extend(ApproveBodySchema.shape),
      destructive: true,
    },
    (caller, { instruction_id, approval_hash }) =>
      writeOnce(caller, async () => {
        await refuseOwn(caller, instruction_id);
        const by = caller.principal.subject;
        return { ...(await approveInstruction(caller, instruction_id, { by, approval_hash })) };
      }),
  ),
  deny: mcpTool(
    {
      description: 'Denies an instruction that waits for a person.',
      params: InstructionSchema.extend(DenyBodySchema.shape),
      destructive: true,
    },
    (caller, { instruction_id, ...decision }) =>
      writeOnce(caller, async () => ({
        ...(await denyInstruction(caller, instruction_id, { by: caller.principal.subject, ...decision })),
      })),
  ),
  cancel: mcpTool(
    {
      description: 'Cancels an instruction that waits or runs; a running program is ended on its host.',
      params: InstructionSchema.extend(InstructionCancelBodySchema.shape),
      destructive: true,
    },
    (caller, { instruction_id, reason }) =>
      writeOnce(caller, async () => ({
        ...(await cancelInstruction(caller, instruction_id, { by: caller.principal.subject, reason })),
      })),
  ),
  conversations_list: mcpTool(
    {
      ...READS,
      description: 'Conversations with their automation, newest first.',
      params: z.strictObject({
        ...page,
        platform: PlatformSchema.optional(),
        status: AutomationStatusSchema.optional(),
      }),
    },
    async ({ db }, request) => success({ ...(await listConversations(db, request, null)) }),
  ),
  renewals_list: mcpTool(
    {
      ...READS,
      description: 'Renewal jobs, newest first.',
      params: z.strictObject({
        ...page,
        status: JobStatusSchema.optional(),
        local_conversation_id: idSchema('lc').optional(),
      }),
    },
    async ({ db }, request) => success({ ...(await listJobs(db, request)) }),
  ),
};
