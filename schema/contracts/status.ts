/** `GET /v1/status`: one snapshot of everything. */
import { z } from 'zod';
import { ClientSchema } from './clients.ts';
import { InstructionSchema, MessageSummarySchema } from './instructions.ts';
import { LeaseViewSchema } from './leader.ts';
import { NodeWithRunsSchema } from './nodes.ts';
import { SystemStateSchema } from './system.ts';
import { TaskSummarySchema } from './tasks.ts';
import { TickSchema } from './ticks.ts';

export const StatusSchema = z.object({
  system: SystemStateSchema,
  lease: LeaseViewSchema,
  nodes: z.array(NodeWithRunsSchema),
  clients: z.array(ClientSchema),
  renewal: z.object({
    pending: z.number().int(),
    running: z.number().int(),
    due: z.number().int(),
    next_due_at: z.number().int().nullable(),
  }),
  tasks: z
    .object({ queued: z.number().int(), running: z.number().int(), blocked: z.number().int(), runs: z.number().int() })
    .default({ queued: 0, running: 0, blocked: 0, runs: 0 })
    .describe('Open tasks and live runs, each counted up to a limit.'),
  recent_tasks: z.array(TaskSummarySchema).default([]),
  ticks: z.array(TickSchema.omit({ entries: true })),
  recent_messages: z.array(MessageSummarySchema),
  recent_instructions: z.array(InstructionSchema.omit({ params: true, policy: true })),
});
export type Status = z.infer<typeof StatusSchema>;
