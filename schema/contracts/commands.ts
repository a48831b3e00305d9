/** Commands: what the edge asks one node to do. The D1 row is the record; the channel only delivers it sooner. */
import { z } from 'zod';
import { HTTP } from '../defaults.ts';
import { ConversationReadingSchema } from './bridge-frames.ts';
import {
  ClientIdSchema,
  ControllerIdSchema,
  DurationMsSchema,
  idSchema,
  PlatformSchema,
  Sha256Schema,
} from './common.ts';
import { TargetPayloadSchema } from './conversations.ts';
import {
  APPROVAL_DECISIONS,
  BlockErrorSchema,
  ClaimedInstructionSchema,
  InstructionNameSchema,
  InstructionResultBodySchema,
  ToolPartSchema,
} from './instructions.ts';
import { DeliveryResultSchema } from './renewal.ts';
import { RunIdSchema } from './runs.ts';

export const CommandIdSchema = idSchema('cmd');

/** A call of a tool that runs in a browser of the addressed node. */
const browserCall = {
  /** `target::tool` of a tool that runs in a browser. */
  name: z.string(),
  params: z.record(z.string(), z.unknown()),
  /** Of the conversation that the call was found in; of a person's call, that of the tool. */
  platform: PlatformSchema,
  /** The conversation that the call was found in, by the platform's id. */
  conversation_id: z.string().optional(),
  timeout_ms: DurationMsSchema,
};

export const STEP_CANCEL_REASONS = ['canceled', 'hand_over', 'interrupted'] as const;

/** The body of each kind. A new kind is a row here, in `COMMAND_RESULTS` and in the handlers of edge and agent. */
export const COMMAND_BODIES = {
  delivery: z.object({
    job_id: z.string(),
    attempt: z.number().int().positive(),
    plan_id: z.string(),
    platform: PlatformSchema,
    target: TargetPayloadSchema,
    message_text: z.string(),
    assistant_message_id: z.string().nullable(),
    timeout_ms: DurationMsSchema,
  }),
  'delivery.query': z.object({
    job_id: z.string(),
    attempt: z.number().int().positive(),
    plan_id: z.string(),
    command_id: z.string(),
  }),
  /** A person lets a stopped browser deliver again: on one platform, or (null) on all of them. */
  'client.resume': z.object({ client_id: ClientIdSchema, platform: PlatformSchema.nullable() }),
  /** End a running instruction. Its own result says how it ended. */
  'instruction.cancel': z.object({ instruction_id: z.string() }),
  'approval.decided': z.object({
    instruction_id: z.string(),
    decision: z.enum(APPROVAL_DECISIONS),
    approval_hash: Sha256Schema.describe('The hash of what the person saw; the host hashes again before the effect.'),
    claim_expires_in_ms: DurationMsSchema.nullable(),
    released: z.array(ClaimedInstructionSchema).describe('The other instructions of the message after the decision.'),
  }),
  /** A person wants a stopped message to run. The host reads the text again, and runs only what it contains. */
  'message.resubmit': z.object({
    message_id: z.string(),
    local_conversation_id: z.string(),
    platform: PlatformSchema,
    remote_conversation_id: z.string(),
    client_id: z.string(),
    raw_text: z.string(),
    target: TargetPayloadSchema,
    assistant_message_id: z.string().nullable(),
    block_errors: z.array(BlockErrorSchema),
    instructions: z
      .array(
        z.object({
          instruction_id: z.string(),
          index: z.number().int().nonnegative(),
          target: InstructionNameSchema,
          tool: ToolPartSchema,
        }),
      )
      .describe('The stopped ones: `blocked` or `expired`.'),
  }),
  /**
   * What this node's browser must do for an instruction of another node, or for a person who asked directly; or a call
   * through MCP, which this node judges and then claims like the message of that id.
   */
  instruction: z.discriminatedUnion('requested_by', [
    z.object({
      requested_by: z.literal('instruction'),
      instruction_id: z.string(),
      approved: z.boolean().optional().describe('A person has approved it.'),
      ...browserCall,
    }),
    z.object({ requested_by: z.literal('person'), ...browserCall }),
    z.object({
      requested_by: z.literal('mcp'),
      message_id: z.string(),
      instruction_id: z.string(),
      local_conversation_id: z.string(),
      name: z.string().describe('`target::tool` of a tool that a node judges.'),
      params: z.record(z.string(), z.unknown()),
    }),
  ]),
  /** Without a conversation: what the active tab of that platform shows. */
  'browser.read': z.object({ platform: PlatformSchema, conversation_id: z.string().nullable() }),
  /** A step waits that this node may claim: it asks for work now. A node asks by itself too, only later. */
  'step.offer': z.object({ step_id: z.string(), task_id: z.string() }),
  /** End a run. `hand_over`: take its last checkpoint and give it up, so that another host continues it. */
  'step.cancel': z.object({ run_id: RunIdSchema, step_id: z.string(), reason: z.enum(STEP_CANCEL_REASONS) }),
  /** Report the end of a task into the chat that created it. */
  'task.notice': z.object({
    task_id: z.string(),
    plan_id: z.string().describe('One attempt at this notice; a node sends none twice.'),
    platform: PlatformSchema,
    target: TargetPayloadSchema,
    message_text: z.string(),
    timeout_ms: DurationMsSchema,
  }),
  /** Send a person's question into a conversation. A node sends no plan twice. */
  'conversation.ask': z.object({
    operation_id: z.string(),
    plan_id: z.string(),
    platform: PlatformSchema,
    target: TargetPayloadSchema,
    message_text: z.string(),
    timeout_ms: DurationMsSchema,
  }),
} as const;
export type CommandKind = keyof typeof COMMAND_BODIES;
export const COMMAND_KINDS = Object.keys(COMMAND_BODIES) as [CommandKind, ...CommandKind[]];

/** What the node did with news of an instruction; `ended`: it had ended there before. */
const NotedSchema = z.strictObject({ outcome: z.enum(['noted', 'ended', 'unknown']) });

/** The result of each kind. A `delivery.query` for a delivery that the node does not know is `unknown`. */
export const COMMAND_RESULTS = {
  delivery: DeliveryResultSchema,
  'delivery.query': z.union([DeliveryResultSchema, z.strictObject({ outcome: z.enum(['unknown', 'in_flight']) })]),
  /** The platforms that had been stopped. */
  'client.resume': z.strictObject({ resumed: z.array(PlatformSchema) }),
  'instruction.cancel': NotedSchema,
  'approval.decided': NotedSchema,
  'message.resubmit': z.strictObject({ outcome: z.enum(['judged']) }),
  instruction: InstructionResultBodySchema.omit({ controller_id: true }),
  'browser.read': z.discriminatedUnion('outcome', [
    ConversationReadingSchema.extend({ outcome: z.literal('read') }),
    z.strictObject({ outcome: z.literal('unavailable'), reason: z.string().max(500) }),
  ]),
  'step.offer': NotedSchema,
  'step.cancel': NotedSchema,
  'task.notice': DeliveryResultSchema,
  'conversation.ask': DeliveryResultSchema,
} as const satisfies Record<CommandKind, z.ZodType>;

function commandSchema<K extends CommandKind>(kind: K) {
  return z.object({
    command_id: CommandIdSchema,
    expires_in_ms: DurationMsSchema,
    kind: z.literal(kind),
    body: COMMAND_BODIES[kind],
  });
}
type KindSchema = { [K in CommandKind]: ReturnType<typeof commandSchema<K>> }[CommandKind];
/** One member for each row of `COMMAND_BODIES`; `map` cannot keep which body belongs to which kind, the cast says it. */
export const CommandSchema = z.discriminatedUnion(
  'kind',
  COMMAND_KINDS.map(commandSchema) as unknown as [KindSchema, ...KindSchema[]],
);
export type Command = z.infer<typeof CommandSchema>;

/** Commands, parsed one by one. Those of a kind that this version does not know are left out, and expire. */
export const CommandsSchema = z.preprocess(
  (items) => (Array.isArray(items) ? items.filter((item) => CommandSchema.safeParse(item).success) : items),
  z.array(CommandSchema),
);
export type DeliveryCommandBody = z.infer<typeof COMMAND_BODIES.delivery>;

export const COMMAND_STATES = ['pending', 'received', 'done', 'refused', 'expired'] as const;
export const CommandStateSchema = z.enum(COMMAND_STATES);
export type CommandState = z.infer<typeof CommandStateSchema>;

export const ReceiptSchema = z.object({
  command_id: CommandIdSchema,
  accepted: z.boolean(),
  code: z.string().max(64).optional(),
});
export type Receipt = z.infer<typeof ReceiptSchema>;

/** Receipts of a node without a channel. */
export const ReceiptsBodySchema = z.strictObject({
  receipts: z.array(z.strictObject(ReceiptSchema.shape)).min(1).max(HTTP.list_limit_max),
});
export const ReceiptsResponseSchema = z.object({ receipts: z.number().int() });

export const CommandResultBodySchema = z.strictObject({
  controller_id: ControllerIdSchema,
  result: z.record(z.string(), z.unknown()),
});
export type CommandResultBody = z.infer<typeof CommandResultBodySchema>;
export const CommandResultResponseSchema = z.object({ command_id: z.string(), status: CommandStateSchema });

export const CommandListResponseSchema = z.object({
  items: CommandsSchema,
  next_cursor: z.string().nullable(),
});
