/** Orders as pages send them: parsed on receipt, because a page may be one that was taken over. */
import { z } from 'zod';
import { PAGE_CONTROL_ACTIONS } from '../../../schema/contracts/bridge-frames.ts';
import { PlatformSchema, Sha256Schema } from '../../../schema/contracts/common.ts';
import { AUTOMATION_STATUSES } from '../../../schema/contracts/conversations.ts';
import type { PeopleOrder } from '../../people-messages.ts';

const id = z.string().min(1).max(64);
const ActionSchema = z.strictObject({
  action: z.enum(PAGE_CONTROL_ACTIONS),
  platform: PlatformSchema.optional(),
  conversation_id: z.string().max(256).optional(),
  mode: z.enum(AUTOMATION_STATUSES).optional(),
  hold: z.boolean().optional(),
  reason: z.string().max(500).optional(),
  instruction_id: z.string().max(64).optional(),
  approval_hash: Sha256Schema.optional(),
  message_id: z.string().max(64).optional(),
  client_id: z.string().max(128).optional(),
});
const ChangeSchema = z.discriminatedUnion('set', [
  z.strictObject({ set: z.literal('agent_url'), url: z.string().max(500) }),
  z.strictObject({ set: z.literal('site'), platform: PlatformSchema, isOn: z.boolean() }),
  z.strictObject({ set: z.literal('notices'), isOn: z.boolean() }),
  z.strictObject({ set: z.literal('pair'), code: z.string().max(32) }),
  z.strictObject({ set: z.literal('forget_pairing') }),
  z.strictObject({ set: z.literal('check_permissions') }),
]);
const OrderSchema = z.discriminatedUnion('order', [
  z.strictObject({ order: z.literal('act'), id, action: ActionSchema }),
  z.strictObject({ order: z.literal('open_options'), id }),
  z.strictObject({
    order: z.literal('stop_help'),
    id,
    platform: PlatformSchema,
    conversation_id: z.string().min(1).max(256),
  }),
  z.strictObject({ order: z.literal('review_approval'), id, instruction_id: z.string().min(1).max(64) }),
  z.strictObject({ order: z.literal('settings'), id, change: ChangeSchema }),
  z.strictObject({ order: z.literal('diagnostics'), id }),
]);

export function isPeopleOrder(message: unknown): message is PeopleOrder {
  return OrderSchema.safeParse(message).success;
}
