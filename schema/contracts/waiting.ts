/** What waits for a person, and what is due next: the two lists that the status page begins with. */
import { z } from 'zod';
import { PlatformSchema, TimestampSchema } from './common.ts';
import { ConversationSchema } from './conversations.ts';
import { InstructionSchema } from './instructions.ts';
import { TaskSummarySchema } from './tasks.ts';

/** `GET /v1/status/waiting`. Of each kind the newest, at most `WAITING_SHOWN`. */
export const WAITING_SHOWN = 50;
export const WaitingSchema = z.object({
  approvals: z.array(InstructionSchema),
  interrupted: z.array(InstructionSchema).describe('Interrupted, and no person has said what became of them.'),
  blocked: z.array(TaskSummarySchema),
  stopped: z.array(z.object({ client_id: z.string(), platform: PlatformSchema, stopped_reason: z.string() })),
  paused: z.array(ConversationSchema).describe('Paused by the breaker, not by a person or a chat.'),
  is_cut: z.boolean().describe('Whether more waits than is listed.'),
});
export type WaitingForPerson = z.infer<typeof WaitingSchema>;

/** `GET /v1/status/next`. The soonest of each, at most `NEXT_SHOWN`. */
export const NEXT_SHOWN = 5;
export const DueNextSchema = z.object({
  renewals: z
    .array(z.object({ at: TimestampSchema, job_id: z.string().nullable(), conversation: ConversationSchema }))
    .describe('`at`: when it is looked at next. `job_id`: null while its message has become no job.'),
  tasks: z.array(TaskSummarySchema).describe('In the order in which nodes claim them.'),
});
export type DueNext = z.infer<typeof DueNextSchema>;
