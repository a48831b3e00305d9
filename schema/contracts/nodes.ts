/** Nodes ("controllers" on the wire): registration, heartbeat, presence. */
import { z } from 'zod';
import { ClientSchema } from './clients.ts';
import {
  ControllerIdSchema,
  DurationMsSchema,
  HostSchema,
  MetadataInputSchema,
  MetadataSchema,
  TimestampSchema,
  UnreadableSchema,
} from './common.ts';
import { PrioritySchema } from './leader.ts';
import { RunStatusSchema } from './runs.ts';

export const NODE_ROLES = ['primary', 'standby'] as const;
export const NodeRoleSchema = z.enum(NODE_ROLES);
/** The state that a node reports of itself. */
export const NODE_STATES = ['leader', 'standby', 'degraded', 'stopping'] as const;
export const NodeStateSchema = z.enum(NODE_STATES);
export type NodeState = z.infer<typeof NodeStateSchema>;

export const HeartbeatBodySchema = z.strictObject({
  controller_id: ControllerIdSchema,
  host: HostSchema,
  role: NodeRoleSchema,
  priority: PrioritySchema,
  status: NodeStateSchema,
  version: z.string().max(64).optional(),
  metadata: MetadataInputSchema.optional(),
  started_at: TimestampSchema.optional(),
});
export type HeartbeatBody = z.infer<typeof HeartbeatBodySchema>;

export const PresenceSchema = z.object({
  connected: z.boolean(),
  contact_age_ms: DurationMsSchema.nullable().describe(
    "The time since the last contact (pong or message) by the hub's clock; null when there was none.",
  ),
});
export type Presence = z.infer<typeof PresenceSchema>;

export const NodeSchema = z.object({
  controller_id: z.string(),
  host: z.string(),
  role: NodeRoleSchema,
  priority: z.number().int(),
  status: NodeStateSchema,
  version: z.string().nullable(),
  metadata: MetadataSchema,
  started_at: TimestampSchema.nullable(),
  last_heartbeat_at: TimestampSchema,
  draining: z.boolean().default(false).describe('A person lets it claim no steps.'),
  created_at: TimestampSchema,
});
export const NodeDetailSchema = NodeSchema.extend({ presence: PresenceSchema, unreadable: UnreadableSchema });
/** A run that the node has under way. */
const LiveRunSchema = z.object({
  run_id: z.string(),
  task_id: z.string(),
  step_id: z.string(),
  task_title: z.string(),
  step_name: z.string(),
  status: RunStatusSchema,
  progress: z.string().nullable().describe('What it does now, such as `waiting for the model`.'),
  created_at: TimestampSchema,
});
export type LiveRun = z.infer<typeof LiveRunSchema>;
/** A node in the status: with its runs. */
export const NodeWithRunsSchema = NodeDetailSchema.extend({ live_runs: z.array(LiveRunSchema).default([]) });
/** A node in the list and the detail: with its browsers as well. */
export const NodeViewSchema = NodeWithRunsSchema.extend({ clients: z.array(ClientSchema) });
export type NodeView = z.infer<typeof NodeViewSchema>;
export type Node = z.infer<typeof NodeSchema>;
