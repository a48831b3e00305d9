/** Frames of the channel between edge and agent: one union per direction, parsed on receipt. */
import { z } from 'zod';
import { CommandSchema, CommandsSchema, ReceiptSchema } from './commands.ts';
import { BootIdSchema, ControllerIdSchema, HostSchema } from './common.ts';
import { LeaderAcquireResponseSchema, LeaseViewSchema, PrioritySchema, TermSchema, TtlSecSchema } from './leader.ts';
import { NodeRoleSchema } from './nodes.ts';
import { SystemModeSchema } from './system.ts';

/** The exact text of an agent's ping. The platform responds to it without waking the object. */
export const PING = 'ping';
export function pongText(modeVersion: number, term: number): string {
  return `pong ${modeVersion} ${term}`;
}
const PONG = /^pong (\d{1,15}) (\d{1,15})$/;
export function parsePong(text: string): { mode_version: number; term: number } | null {
  const found = PONG.exec(text);
  return found ? { mode_version: Number(found[1]), term: Number(found[2]) } : null;
}

/** `re`: the type of the frame that it is about. Both are logged, so both are short. */
const ErrorFrameSchema = z.object({
  type: z.literal('error'),
  re: z.string().max(64).nullable(),
  code: z.string().max(64),
});

export const AgentFrameSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hello'),
    controller_id: ControllerIdSchema,
    host: HostSchema,
    role: NodeRoleSchema,
    preferred: z.boolean(),
    priority: PrioritySchema,
    version: z.string().max(64),
    boot_id: BootIdSchema,
    /** The boot before it that the edge has admitted, null for none. An agent of an older version does not send it. */
    previous_boot_id: BootIdSchema.nullable().optional(),
    mode_version: z.number().int().nonnegative(),
    term: TermSchema,
    /** A person drains the node, so it asks for no lease. */
    draining: z.boolean().optional(),
  }),
  /** Whether it does has changed since the hello. */
  z.object({ type: z.literal('draining'), draining: z.boolean() }),
  z.object({ type: z.literal('lease.renew'), term: TermSchema, ttl_sec: TtlSecSchema }),
  ReceiptSchema.extend({ type: z.literal('receipt') }),
  ErrorFrameSchema,
]);
export type AgentFrame = z.infer<typeof AgentFrameSchema>;

/** Resources whose changes are announced by id only. The agent reads them again over HTTP. */
/** `tokens`: ids of browsers whose token was revoked or replaced. `node`: the node itself, such as that a person drains it. */
export const CHANGED_TOPICS = [
  'conversations',
  'approvals',
  'instructions',
  'policy_defaults',
  'tokens',
  'node',
] as const;

export const EdgeFrameSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hello_ack'),
    mode: SystemModeSchema,
    mode_version: z.number().int(),
    /** Whether only a person ends the pause. An edge of an older version does not send it. */
    hold: z.boolean().optional(),
    lease: LeaseViewSchema,
    candidate: z.boolean(),
    commands: CommandsSchema,
  }),
  LeaderAcquireResponseSchema.extend({ type: z.literal('lease.result') }),
  z.object({
    type: z.literal('mode.changed'),
    mode: SystemModeSchema,
    mode_version: z.number().int(),
    hold: z.boolean().optional(),
  }),
  z.object({ type: z.literal('lease.changed'), lease: LeaseViewSchema, candidate: z.boolean() }),
  z.object({ type: z.literal('changed'), topic: z.enum(CHANGED_TOPICS), ids: z.array(z.string()).max(200) }),
  z.object({ type: z.literal('command'), command: CommandSchema }),
  ErrorFrameSchema,
]);
export type EdgeFrame = z.infer<typeof EdgeFrameSchema>;

/** Close codes of the channel and of the bridge. */
export const CLOSE = {
  malformed: 4400,
  token: 4401,
  no_hello: 4408,
  replaced: 4409,
  duplicate: 4410,
  too_big: 1009,
  internal: 1011,
  too_fast: 4429,
} as const;
