/** What a node reports of the instructions of a message: starts, live output, results, and what a person is asked. */
import { z } from 'zod';
import { INSTRUCTION } from '../defaults.ts';
import { ControllerIdSchema, DurationMsSchema } from './common.ts';
import {
  ApprovalSchema,
  ClaimedInstructionSchema,
  IngestStatusSchema,
  InlineCharsSchema,
  ReportedResultSchema,
} from './instructions.ts';
import { SystemModeSchema } from './system.ts';

/** `POST /v1/instructions/:id/output`: what a running program has printed so far. */
export const InstructionOutputBodySchema = z.strictObject({
  controller_id: ControllerIdSchema,
  offset: z
    .number()
    .int()
    .nonnegative()
    .max(INSTRUCTION.max_live_chars)
    .describe('The number of characters reported before this chunk.'),
  chunk: z.string().min(1).max(INSTRUCTION.max_live_chunk_chars),
});
export type InstructionOutputBody = z.infer<typeof InstructionOutputBodySchema>;
export const InstructionOutputResponseSchema = z.object({
  instruction_id: z.string(),
  received: z.number().int().nonnegative().describe('The number of characters that the edge has.'),
});

/** What a program printed since the last report, while it runs. */
export const ProgressOutputSchema = z.strictObject({
  offset: z
    .number()
    .int()
    .nonnegative()
    .max(INSTRUCTION.max_live_chars)
    .describe('Characters reported before this text.'),
  text: z.string().min(1).max(INSTRUCTION.max_live_chunk_chars),
});
export type ProgressOutput = z.infer<typeof ProgressOutputSchema>;

/** What is new of one instruction: it started, it printed more, it ended, it asks a person; at least one of these. */
export const ProgressItemSchema = z
  .strictObject({
    instruction_id: z.string().max(64),
    started: z.literal(true).optional(),
    started_age_ms: DurationMsSchema.optional().describe('How long before this body was written it started.'),
    output: ProgressOutputSchema.optional(),
    result: ReportedResultSchema.optional(),
    approval: ApprovalSchema.optional().describe(
      'What a person is asked, described when the turn of an instruction that asks has come.',
    ),
  })
  .refine(
    (item) => (item.started ?? item.output ?? item.result ?? item.approval) !== undefined,
    'one of started, output, result and approval',
  );

/** `POST /v1/messages/:id/progress`: what is new of a message's instructions, in one request. */
export const MessageProgressBodySchema = z.strictObject({
  controller_id: ControllerIdSchema,
  items: z
    .array(ProgressItemSchema)
    .max(INSTRUCTION.max_per_message)
    .refine(
      (items) => new Set(items.map((item) => item.instruction_id)).size === items.length,
      'at most one item for each instruction',
    ),
  inline_chars: InlineCharsSchema.optional().describe(
    'A longer output is stored as an artifact, whose link the response names.',
  ),
});
export type MessageProgressBody = z.infer<typeof MessageProgressBodySchema>;

/** Every instruction of the message after the report: the host may start only those still `claimed`. */
export const MessageProgressResponseSchema = z.object({
  message_id: z.string(),
  ingest_status: IngestStatusSchema,
  mode: SystemModeSchema,
  mode_version: z.number().int(),
  instructions: z.array(
    ClaimedInstructionSchema.extend({
      artifact_id: z.string().nullable(),
      artifact_url: z.string().nullable(),
      output_chars: z.number().int().nonnegative().describe('Characters of live output that the edge has.'),
    }),
  ),
});
export type MessageProgressResponse = z.infer<typeof MessageProgressResponseSchema>;
