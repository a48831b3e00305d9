/** Instructions and messages: ingest, claims, results, replies. Reports of running instructions: progress.ts. */
import { z } from 'zod';
import { INSTRUCTION } from '../defaults.ts';
import {
  ClientIdSchema,
  ControllerIdSchema,
  DurationMsSchema,
  PlatformSchema,
  ReasonSchema,
  Sha256Schema,
  TimestampSchema,
  UnreadableSchema,
} from './common.ts';
import { AutomationStatusSchema, LinkObservationSchema, RemoteConversationIdSchema } from './conversations.ts';
import { OfferedGrantSchema } from './grants.ts';
import { SystemModeSchema } from './system.ts';

/** In the order in which the edge decides them; the last two end an accepted message. */
export const INGEST_STATUSES = [
  'capture_mismatch',
  'ignored_no_instructions',
  'parse_error_only',
  'duplicate_message',
  'expired',
  'denied_only',
  'system_paused',
  'automation_paused',
  'automation_busy',
  'duplicate_only',
  'awaiting_approval',
  'accepted',
  'executed',
  'failed',
] as const;
export const IngestStatusSchema = z.enum(INGEST_STATUSES);
export type IngestStatus = z.infer<typeof IngestStatusSchema>;

export const INSTRUCTION_STATES = [
  'claimed',
  'waiting',
  'awaiting_approval',
  'denied',
  'shadowed',
  'blocked',
  'expired',
  'running',
  'succeeded',
  'failed',
  'canceled',
  'interrupted',
] as const;
export const InstructionStateSchema = z.enum(INSTRUCTION_STATES);
export type InstructionState = z.infer<typeof InstructionStateSchema>;

export const POLICY_DECISIONS = ['allow', 'ask', 'deny', 'control', 'shadow'] as const;
export const PolicyDecisionSchema = z.enum(POLICY_DECISIONS);
export type PolicyDecision = z.infer<typeof PolicyDecisionSchema>;

export const PolicyVerdictSchema = z.strictObject({
  decision: PolicyDecisionSchema,
  rule: z.string().max(200).describe('The rule that decided, by its place in `policy.json`, such as `exec.rules[0]`.'),
});
export type PolicyVerdict = z.infer<typeof PolicyVerdictSchema>;

export const BLOCK_ERROR_STAGES = ['extract', 'parse', 'normalize'] as const;
export const BlockErrorSchema = z.strictObject({
  block_index: z.number().int().nonnegative(),
  stage: z.enum(BLOCK_ERROR_STAGES),
  code: z.string().max(64),
  message: z.string().max(500),
  line: z.number().int().positive().describe('The line of the message, from 1.'),
});
export type BlockError = z.infer<typeof BlockErrorSchema>;

export const APPROVAL_DECISIONS = ['approved', 'denied', 'expired'] as const;

/** What a person sees and approves. `approval_hash` is its hash. */
export const ApprovalSchema = z.strictObject({
  display: z.string().max(65_536),
  approval_hash: Sha256Schema,
  cwd: z.string().nullable(),
  env_names: z.array(z.string()),
  file_hashes: z.record(z.string(), z.string()),
  policy_line: z
    .string()
    .max(8_192)
    .optional()
    .describe(
      "The rule that would allow exactly this argv, for a person to add by hand to `exec.rules` of that node's policy.json.",
    ),
});
export type Approval = z.infer<typeof ApprovalSchema>;

export const InstructionNameSchema = z
  .string()
  .regex(/^[a-z][a-z0-9._-]*$/)
  .max(64);
export const ToolPartSchema = z
  .string()
  .regex(/^[a-z][a-z0-9._/-]*$/)
  .max(128);

export const InstructionInputSchema = z.strictObject({
  block_index: z.number().int().nonnegative(),
  index: z.number().int().nonnegative().describe('Position in the message, over all blocks.'),
  target: InstructionNameSchema,
  tool: ToolPartSchema,
  params: z.record(z.string(), z.unknown()),
  policy: PolicyVerdictSchema,
  approval: ApprovalSchema.optional(),
});
export type InstructionInput = z.infer<typeof InstructionInputSchema>;

export const CaptureSchema = z.strictObject({
  source: z.enum(['network', 'dom']),
  other: z.enum(['agrees', 'absent', 'differs']),
});
export type Capture = z.infer<typeof CaptureSchema>;

export const MESSAGE_ROLES = ['assistant', 'user', 'system', 'tool'] as const;
export const MessageRoleSchema = z.enum(MESSAGE_ROLES);

export const IngestBodySchema = z.strictObject({
  controller_id: ControllerIdSchema,
  client_id: ClientIdSchema,
  platform: PlatformSchema,
  remote_conversation_id: RemoteConversationIdSchema,
  assistant_message_id: z.string().trim().min(1).max(256).nullish(),
  raw_text: z.string().max(1_048_576),
  role: MessageRoleSchema,
  observed_at: TimestampSchema,
  capture: CaptureSchema,
  answers_plan_id: z
    .string()
    .max(256)
    .nullish()
    .describe(
      'The plan of the delivery that it answers; null: it answers a message that no plan sent. Absent: not known.',
    ),
  link: LinkObservationSchema,
  block_errors: z.array(BlockErrorSchema).max(64),
  instructions: z.array(InstructionInputSchema).max(INSTRUCTION.max_per_message),
});
export type IngestBody = z.infer<typeof IngestBodySchema>;

export const ClaimedInstructionSchema = z.object({
  instruction_id: z.string(),
  index: z.number().int(),
  status: InstructionStateSchema,
  claim_expires_in_ms: DurationMsSchema.nullable(),
  gate: z.string().nullable().describe('The gate that stopped it, such as `system_paused`; null for none.'),
  grant: OfferedGrantSchema.optional().describe(
    'Of one that asks, in the response to its description: a grant that its node is to judge.',
  ),
});
export type ClaimedInstruction = z.infer<typeof ClaimedInstructionSchema>;

export const IngestResponseSchema = z.object({
  message_id: z.string(),
  local_conversation_id: z.string(),
  ingest_status: IngestStatusSchema,
  automation_status: AutomationStatusSchema,
  mode: SystemModeSchema,
  mode_version: z.number().int(),
  instructions: z.array(ClaimedInstructionSchema),
});
export type IngestResponse = z.infer<typeof IngestResponseSchema>;

export const StartedBodySchema = z.strictObject({ controller_id: ControllerIdSchema });
export const StartedResponseSchema = z.object({
  instruction_id: z.string(),
  status: InstructionStateSchema,
  claim_expires_in_ms: DurationMsSchema.nullable(),
});

export const InlineCharsSchema = z.number().int().positive();

export const RESULT_STATUSES = ['succeeded', 'failed', 'denied', 'canceled', 'interrupted'] as const;
/** How an instruction ended, as its node reports it. */
export const ReportedResultSchema = z.strictObject({
  status: z.enum(RESULT_STATUSES),
  output: z.string().max(INSTRUCTION.max_output_bytes * 2),
  exit_code: z.number().int().nullish(),
  error_code: z.string().max(64).nullish(),
  duration_ms: DurationMsSchema,
  truncated: z.boolean(),
});
export type ReportedResult = z.infer<typeof ReportedResultSchema>;
export const InstructionResultBodySchema = ReportedResultSchema.extend({
  controller_id: ControllerIdSchema,
  inline_chars: InlineCharsSchema.optional(),
});
export type InstructionResultBody = z.infer<typeof InstructionResultBodySchema>;

export const InstructionResultResponseSchema = z.object({
  instruction_id: z.string(),
  status: InstructionStateSchema,
  claim_expires_in_ms: DurationMsSchema.nullable(),
  artifact_id: z.string().nullable(),
  artifact_url: z.string().nullable(),
  rest: z
    .array(ClaimedInstructionSchema)
    .describe(
      "The current state of the message's other instructions: the host continues only with those still `claimed`.",
    ),
});
export type InstructionResultResponse = z.infer<typeof InstructionResultResponseSchema>;

/** `POST /v1/instructions/:id/run`: an edge tool, executed by the edge. The response is also its result. */
export const InstructionRunBodySchema = z.strictObject({
  controller_id: ControllerIdSchema,
  inline_chars: InlineCharsSchema.optional().describe(
    'A longer output is stored as an artifact, whose link the response names.',
  ),
});
export type InstructionRunBody = z.infer<typeof InstructionRunBodySchema>;
export const InstructionRunResponseSchema = InstructionResultResponseSchema.extend({
  output: z.string(),
  error_code: z.string().nullable(),
  duration_ms: DurationMsSchema,
});
export type InstructionRunResponse = z.infer<typeof InstructionRunResponseSchema>;

/** A person's decision about an instruction that waits for approval, bound to exactly what the person was shown. */
export const ApproveBodySchema = z.strictObject({ approval_hash: Sha256Schema });
export const DenyBodySchema = ApproveBodySchema.extend({ reason: ReasonSchema.optional() });
export const InstructionCancelBodySchema = z.strictObject({ reason: ReasonSchema.optional() });

/** What a person found out about an instruction of which it was not known whether it took effect. */
export const RESOLUTION_OUTCOMES = ['done', 'not_done'] as const;
const ResolutionOutcomeSchema = z.enum(RESOLUTION_OUTCOMES);
const ResolutionNoteSchema = z.string().trim().min(1).max(2_000);
export const InstructionResolveBodySchema = z.strictObject({
  outcome: ResolutionOutcomeSchema,
  note: ResolutionNoteSchema.describe('How the person knows.'),
});
export type InstructionResolveBody = z.infer<typeof InstructionResolveBodySchema>;
export const ResolutionSchema = z.object({
  outcome: ResolutionOutcomeSchema,
  note: z.string(),
  by: z.string().describe('Whose token it was.'),
  at: TimestampSchema,
});
export type Resolution = z.infer<typeof ResolutionSchema>;

export const ResubmitBodySchema = z.strictObject({ reason: ReasonSchema.optional() });
/** The host judges again and claims; the message shows what follows. */
export const ResubmitResponseSchema = z.object({
  message_id: z.string(),
  command_id: z.string(),
  controller_id: z.string(),
});

/** `POST /v1/messages/:id/claim`: a resubmitted message, judged again by the host that claims it. */
export const MessageClaimBodySchema = z.strictObject({
  controller_id: ControllerIdSchema,
  instructions: z
    .array(
      z.strictObject({
        instruction_id: z.string().max(64),
        policy: PolicyVerdictSchema,
        approval: ApprovalSchema.optional(),
      }),
    )
    .max(INSTRUCTION.max_per_message),
});
export type MessageClaimBody = z.infer<typeof MessageClaimBodySchema>;
export const MessageClaimResponseSchema = z.object({
  message_id: z.string(),
  ingest_status: IngestStatusSchema,
  instructions: z.array(ClaimedInstructionSchema).describe('The current state of every instruction of the message.'),
});
export type MessageClaimResponse = z.infer<typeof MessageClaimResponseSchema>;

export const REPLY_OUTCOMES = ['delivered', 'failed', 'uncertain', 'given_up'] as const;
export const ReplyBodySchema = z.strictObject({
  controller_id: ControllerIdSchema,
  outcome: z.enum(REPLY_OUTCOMES),
  reason: ReasonSchema.nullable(),
  attempt: z.number().int().positive(),
});
export type ReplyBody = z.infer<typeof ReplyBodySchema>;

export const InstructionEventSchema = z.object({
  seq: z.number().int().describe('Place in the story of the instruction, from 1.'),
  at: TimestampSchema,
  kind: z.string(),
  controller_id: z.string().nullable(),
  detail: z.record(z.string(), z.unknown()),
});
export type InstructionEvent = z.infer<typeof InstructionEventSchema>;
export const INSTRUCTION_EVENT_KINDS = [
  'observed',
  'judged',
  'gated',
  'claimed',
  'started',
  'output',
  'cancel_requested',
  'ended',
  'late_result',
  'resubmitted',
  'asked',
  'approved',
  'denied',
  'delivered',
  'resolved',
  'forgotten',
] as const;
export type InstructionEventKind = (typeof INSTRUCTION_EVENT_KINDS)[number];

export const InstructionSchema = z.object({
  instruction_id: z.string(),
  message_id: z.string(),
  local_conversation_id: z.string(),
  controller_id: z.string(),
  block_index: z.number().int(),
  index: z.number().int(),
  target: z.string(),
  tool: z.string(),
  params: z.record(z.string(), z.unknown()),
  status: InstructionStateSchema,
  policy: PolicyVerdictSchema,
  gate: z.string().nullable(),
  waits_for: z
    .number()
    .int()
    .nullish()
    .describe(
      'The position of the open instruction of its message behind which it waits; null for one that does not wait.',
    ),
  claim_expires_at: TimestampSchema.nullable(),
  approval_expires_at: TimestampSchema.nullable(),
  started_at: TimestampSchema.nullable(),
  finished_at: TimestampSchema.nullable(),
  exit_code: z.number().int().nullable(),
  error_code: z.string().nullable(),
  duration_ms: DurationMsSchema.nullable(),
  output_summary: z.string().nullable(),
  artifact_id: z.string().nullable(),
  truncated: z.boolean(),
  grant_id: z.string().nullish().describe('The grant that let it run.'),
  resolution: ResolutionSchema.nullish().describe(
    'What a person says became of it after it was interrupted; null or absent: no person has said.',
  ),
  created_at: TimestampSchema,
  updated_at: TimestampSchema,
  unreadable: UnreadableSchema,
});
export type Instruction = z.infer<typeof InstructionSchema>;
export const InstructionDetailSchema = InstructionSchema.extend({
  platform: PlatformSchema.optional().describe('Where its conversation is; absent from an edge of an earlier version.'),
  mcp_subject: z
    .string()
    .nullable()
    .default(null)
    .describe('Whose token called it through MCP; null for one of a chat.'),
  approval: ApprovalSchema.nullish().describe('What a person is asked to approve; null when no approval is pending.'),
  asked_folder: z
    .string()
    .nullish()
    .describe('The working folder that a person was asked about, also after the decision; null when there was none.'),
  approval_expires_in_ms: DurationMsSchema.nullish(),
  events: z.array(InstructionEventSchema),
});

export const MessageSchema = z.object({
  message_id: z.string(),
  ingest_seq: z.number().int(),
  local_conversation_id: z.string(),
  platform: PlatformSchema,
  remote_conversation_id: z.string(),
  assistant_message_id: z.string().nullable(),
  controller_id: z.string(),
  client_id: z.string(),
  role: MessageRoleSchema,
  raw_text: z.string(),
  capture: CaptureSchema,
  block_errors: z.array(BlockErrorSchema),
  ingest_status: IngestStatusSchema,
  reply_outcome: z.enum(REPLY_OUTCOMES).nullable(),
  reply_reason: z.string().nullable(),
  observed_at: TimestampSchema,
  received_at: TimestampSchema,
  forgotten_at: TimestampSchema.nullish().describe(
    'When its text was removed, at the request of a person or by its age; null or absent: it was not.',
  ),
  unreadable: UnreadableSchema,
});
export type Message = z.infer<typeof MessageSchema>;
/** A message in a list: without its text. */
export const MessageSummarySchema = MessageSchema.omit({ raw_text: true, capture: true, block_errors: true });
export type MessageSummary = z.infer<typeof MessageSummarySchema>;
export const MessageDetailSchema = MessageSchema.extend({ instructions: z.array(InstructionSchema) });
