/** What a socket carries through hibernation: who it is, and what its node said of itself. */
import { z } from 'zod';
import { ControllerIdSchema, TimestampSchema } from '../../schema/contracts/common.ts';
import { PrioritySchema } from '../../schema/contracts/leader.ts';

const AttachmentSchema = z.object({
  controller_id: ControllerIdSchema,
  connected_at: TimestampSchema,
  last_message_at: TimestampSchema,
  /** The end of the token that opened it; null for one without. */
  token_expires_at: TimestampSchema.nullable(),
  hello: z.object({ preferred: z.boolean(), priority: PrioritySchema }).nullable(),
  /** Whether its node was last told that it is a candidate for the lease. */
  candidate: z.boolean(),
});
export type Attachment = z.infer<typeof AttachmentSchema>;

export function readAttachment(socket: WebSocket): Attachment {
  return AttachmentSchema.parse(socket.deserializeAttachment());
}

export function writeAttachment(socket: WebSocket, attachment: Attachment): void {
  socket.serializeAttachment(attachment);
}
