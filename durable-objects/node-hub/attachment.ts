/** What a socket keeps through hibernation: its node, and what the node sent in its hello. */
import { z } from 'zod';
import { BootIdSchema, ControllerIdSchema, TimestampSchema } from '../../schema/contracts/common.ts';
import { PrioritySchema } from '../../schema/contracts/leader.ts';

const AttachmentSchema = z.object({
  controller_id: ControllerIdSchema,
  connected_at: TimestampSchema,
  last_message_at: TimestampSchema,
  /** When the token that opened it expires; null for never. */
  token_expires_at: TimestampSchema.nullable(),
  hello: z
    .object({ preferred: z.boolean(), priority: PrioritySchema, draining: z.boolean().default(false) })
    .nullable(),
  /** The process that sent the hello; null for an agent of an older version, which does not say. */
  boot_id: BootIdSchema.nullable().default(null),
  /** Whether the last frame about the lease said that its node is a candidate. */
  candidate: z.boolean(),
});
export type Attachment = z.infer<typeof AttachmentSchema>;

export function readAttachment(socket: WebSocket): Attachment {
  return AttachmentSchema.parse(socket.deserializeAttachment());
}

export function writeAttachment(socket: WebSocket, attachment: Attachment): void {
  socket.serializeAttachment(attachment);
}
