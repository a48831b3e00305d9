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
  /** Interrupted, and no person has said what became of them. */
  interrupted: z.array(InstructionSchema),
  blocked: z.array(TaskSummarySchema),
  stopped: z.array(z.object({ client_id: z.string(), platform: PlatformSchema, stopped_reason: z.string() })),
  /** Paused by the breaker, not by a person or a chat. */
  paused: z.array(ConversationSchema),
  /** Whether more waits than is listed. */
  is_cut: z.boolean(),
});
export type WaitingForPerson = z.infer<typeof WaitingSchema>;

/** `GET /v1/status/next`. The soonest of each, at most `NEXT_SHOWN`. */
export const NEXT_SHOWN = 5;
export const DueNextSchema = z.object({
  /** `at`: when it is looked at next. `job_id`: null while its message has become no job. */
  renewals: z.array(z.object({ at: TimestampSchema, job_id: z.string().nullable(), conversation: ConversationSchema })),
  /** In the order in which nodes claim them. */
  tasks: z.array(TaskSummarySchema),
});
export type DueNext = z.infer<typeof DueNextSchema>;
