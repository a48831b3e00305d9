/** Frames of the bridge between the Firefox extension and the agent: one union per direction, parsed on receipt. */
import { z } from 'zod';
import { ActionPartsSchema } from './action-parts.ts';
import { HookMetadataSchema, LoginStateSchema, MAX_LOGINS } from './clients.ts';
import {
  AccountFingerprintSchema,
  ClientIdSchema,
  DurationMsSchema,
  PlatformSchema,
  REQUEST_ID_MAX_CHARS,
  ReasonSchema,
  Sha256Schema,
  TimestampSchema,
} from './common.ts';
import { AutomationStatusSchema, PauseReasonSchema, RemoteConversationIdSchema, TabIdSchema } from './conversations.ts';
import { CaptureSchema, IngestStatusSchema, MessageRoleSchema } from './instructions.ts';
import { NoticeHoursSchema, WaitingNoticeSchema } from './notices.ts';
import { DELIVERY_KINDS, DELIVERY_METHODS } from './renewal.ts';
import { NextRenewalSchema, RenewalCountersSchema, RenewalSettingsSchema } from './renewal-settings.ts';
import { SystemModeSchema } from './system.ts';

export const RequestIdSchema = z.string().min(1).max(REQUEST_ID_MAX_CHARS);
export const ORIGIN_PATTERN = /^moz-extension:\/\/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
export const ExtensionOriginSchema = z.string().regex(ORIGIN_PATTERN, 'moz-extension://<uuid>');

/** 32 random bytes, or an HMAC of as many, in hex. */
const Hex32Schema = z.string().regex(/^[0-9a-f]{64}$/, '64 hex digits');

export const PAGE_CONTROL_ACTIONS = [
  'system.pause',
  'system.resume',
  'conversation.mode',
  'conversation.resume',
  'instruction.approve',
  'instruction.deny',
  'instruction.cancel',
  'message.resubmit',
  'client.resume',
] as const;

export const BrowserTabSchema = z.object({
  platform: PlatformSchema,
  conversation_id: RemoteConversationIdSchema.nullable(),
  organization_id: z.string().max(256).nullish(),
  page_url: z.string().max(2_048),
  page_title: z.string().max(500).nullable(),
  tab_id: TabIdSchema,
  shell_page: z.boolean(),
  /** A hash of the account of this tab; named only where the browser has several accounts of the platform. */
  account_fingerprint: AccountFingerprintSchema.nullish(),
  observed_at: TimestampSchema,
});

export const ConversationReadingSchema = z.object({
  conversation_id: RemoteConversationIdSchema.nullable(),
  /** `site`: from the platform's own response. `page`: from what the page shows, which is no proof. */
  source: z.enum(['site', 'page']),
  messages: z
    .array(
      z.object({
        role: MessageRoleSchema,
        message_id: z.string().max(256).nullable(),
        text: z.string().max(1_048_576),
        /** The plan that this message of the person was sent for, as the browser remembers its id. */
        plan_id: z.string().max(256).nullish(),
      }),
    )
    .max(500),
});
export type ConversationReading = z.infer<typeof ConversationReadingSchema>;

export const ActionResultSchema = z.object({
  type: z.literal('browser.action_result'),
  /** The request that this is the result of. */
  request_id: RequestIdSchema,
  action: z.string().max(64),
  accepted: z.boolean(),
  completed: z.boolean(),
  failed: z.boolean(),
  reason: z.string().max(500).nullable(),
  received_at: TimestampSchema.optional(),
  retry_after_ms: DurationMsSchema.nullish(),
  downstream: z
    .object({
      method: z.enum(DELIVERY_METHODS),
      http_status: z.number().int().nullable(),
      seen_in_page: z.boolean(),
      duration_ms: DurationMsSchema,
    })
    .nullish(),
  target: z.record(z.string(), z.unknown()).optional(),
  ...ActionPartsSchema.shape,
  /** What `browser.read_current` has read, oldest message first. */
  conversation: ConversationReadingSchema.nullish(),
});
export type ActionResult = z.infer<typeof ActionResultSchema>;

export const FinalMessageSchema = z.object({
  type: z.literal('browser.final_message'),
  request_id: RequestIdSchema,
  client_id: ClientIdSchema,
  platform: PlatformSchema,
  conversation_id: RemoteConversationIdSchema.nullable(),
  organization_id: z.string().max(256).nullish(),
  assistant_message_id: z.string().trim().min(1).max(256).nullish(),
  raw_text: z.string().max(1_048_576),
  role: MessageRoleSchema,
  observed_at: TimestampSchema,
  page_url: z.string().max(2_048),
  page_title: z.string().max(500).nullable(),
  tab_id: TabIdSchema,
  shell_page: z.boolean(),
  /** As of a tab. */
  account_fingerprint: AccountFingerprintSchema.nullish(),
  capture: CaptureSchema,
  /** The plan of the delivery that it answers; null: it answers a message that no plan sent. Absent: not known. */
  answers_plan_id: z.string().max(256).nullish(),
});
export type FinalMessage = z.infer<typeof FinalMessageSchema>;

export const ExtensionFrameSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('pair'), code: z.string().max(16), client_id: ClientIdSchema }),
  /** The first frame of a paired browser: the agent proves itself before anything of this browser is sent to it. */
  z.object({ type: z.literal('challenge'), client_id: ClientIdSchema, nonce: Hex32Schema }),
  z.object({
    type: z.literal('hello'),
    client_id: ClientIdSchema,
    browser: z.string().max(120),
    extension_version: z.string().max(64),
    platforms: z.array(PlatformSchema).max(16),
    /** By the browser, after the agent's own. */
    proof: Hex32Schema.optional(),
    /** The token, readable by the agent that has proved itself. */
    sealed_token: z
      .string()
      .max(1_024)
      .regex(/^([0-9a-f]{2})+$/, 'hex digits')
      .optional(),
    /** Only from an extension of the version before, as its first frame; that is read until the next version. */
    token: z.string().max(256).optional(),
  }),
  FinalMessageSchema,
  z.object({
    type: z.literal('browser.client_state'),
    request_id: RequestIdSchema,
    tabs: z.array(BrowserTabSchema).max(500),
    logins: z
      .array(
        z.object({
          platform: PlatformSchema,
          login: LoginStateSchema,
          fingerprint: AccountFingerprintSchema.nullable(),
          /**
           * With `/u/1` for a further account in the same container, at addresses of its own. Null or absent: the browser has
           * one login of the platform, or is of an earlier version.
           */
          container: z.string().max(128).nullish(),
        }),
      )
      .max(MAX_LOGINS),
    request_hooks: z
      .array(
        z.object({
          platform: PlatformSchema,
          endpoint: z.string().max(256),
          endpoint_metadata: HookMetadataSchema,
          captured_at: TimestampSchema,
        }),
      )
      .max(64),
  }),
  ActionResultSchema,
  /** A page that had to be left alone, for a draft or an answer in progress, can be used again. */
  z.object({
    type: z.literal('browser.composer_free'),
    platform: PlatformSchema,
    conversation_id: RemoteConversationIdSchema,
  }),
  z.object({
    type: z.literal('page_control'),
    request_id: RequestIdSchema,
    action: z.enum(PAGE_CONTROL_ACTIONS),
    platform: PlatformSchema.optional(),
    conversation_id: RemoteConversationIdSchema.optional(),
    mode: AutomationStatusSchema.optional(),
    /** Of `system.pause`: no chat ends this pause, only a person. */
    hold: z.boolean().optional(),
    reason: ReasonSchema.optional(),
    instruction_id: z.string().max(64).optional(),
    approval_hash: Sha256Schema.optional(),
    message_id: z.string().max(64).optional(),
    client_id: ClientIdSchema.optional(),
  }),
  z.object({
    type: z.literal('diagnostic'),
    request_id: RequestIdSchema.optional(),
    level: z.string().max(16),
    message: z.string().max(2_000),
  }),
]);
export type ExtensionFrame = z.infer<typeof ExtensionFrameSchema>;

/** A reply, renewal or prompt that this node has not sent yet, and what it waits for. */
export const WaitingDeliverySchema = z.object({
  kind: z.enum(DELIVERY_KINDS),
  /** What it waits for, such as `backoff`, `conversation_busy`, `no_active_client`; `sending` while it is under way. */
  reason: z.string(),
  /** When that ends by itself, Unix milliseconds; null: at an event. */
  until: TimestampSchema.nullable(),
  /** The last attempt, counted from 1; 0 before the first. */
  attempt: z.number().int().nonnegative(),
});
export type WaitingDelivery = z.infer<typeof WaitingDeliverySchema>;

/** The pace of this browser on one platform. */
export const PaceSchema = z.object({
  platform: PlatformSchema,
  /** Why nothing may start now; null when a delivery may. */
  reason: z.string().nullable(),
  until: TimestampSchema.nullable(),
  queued: z.number().int().nonnegative(),
  in_flight: z.number().int().nonnegative(),
  /** Why the browser is stopped there until a person resumes it. */
  stopped_reason: z.string().nullable(),
});

/** What a person is asked. `display`: exactly what would run; null when it is too long for a snapshot. */
export const WaitingApprovalSchema = z.object({
  instruction_id: z.string(),
  local_conversation_id: z.string(),
  /** Absent where the edge or the agent is of an earlier version. */
  platform: PlatformSchema.optional(),
  /** `target::tool`. */
  name: z.string(),
  display: z.string().nullable(),
  approval_hash: Sha256Schema,
  expires_in_ms: DurationMsSchema,
});
export type WaitingApproval = z.infer<typeof WaitingApprovalSchema>;

/** Fields with a default were added later: an agent that does not send them is read as well. */
export const SnapshotSchema = z.object({
  system: z.object({
    mode: SystemModeSchema,
    version: z.number().int(),
    /** Only a person ends this pause; null when the edge has not said so. */
    hold: z.boolean().nullable().default(null),
    /** False until the edge has reported a mode; the mode here is that of a fresh system then. */
    is_known: z.boolean().default(true),
  }),
  /** Whether the agent has a channel to the edge; null when it does not say. */
  edge_connected: z.boolean().nullable().default(null),
  /** The hours without notices to people; null when the agent does not know them. */
  notice_hours: NoticeHoursSchema.omit({ waiting: true }).nullable().default(null),
  /** What waits for a person at any node; null until the agent has read it. */
  notices_waiting: z.array(WaitingNoticeSchema).nullable().default(null),
  /** Where the status page is; null when the agent does not say. */
  page_origin: z.string().max(2_048).nullable().default(null),
  conversations: z.array(
    z.object({
      platform: PlatformSchema,
      conversation_id: z.string(),
      local_conversation_id: z.string(),
      automation_status: AutomationStatusSchema,
      pause_reason: PauseReasonSchema.nullable(),
      next_renewal: NextRenewalSchema.nullable().default(null),
      limits: RenewalSettingsSchema.nullable().default(null),
      counters: RenewalCountersSchema.nullable().default(null),
      waiting: z.array(WaitingDeliverySchema).default([]),
    }),
  ),
  browser: z.object({
    instruction_ingest: z.object({
      last_ingest: z.unknown(),
      last_execute: z.unknown(),
      recent_ingests: z.array(
        z.object({
          message_id: z.string(),
          /** Absent from an agent of an earlier version. */
          platform: PlatformSchema.optional(),
          conversation_id: z.string(),
          ingest_status: IngestStatusSchema,
          at: TimestampSchema,
        }),
      ),
      recent_executes: z.array(
        z.object({
          instruction_id: z.string(),
          /** Platform and conversation of its message. Absent from an agent of an earlier version. */
          platform: PlatformSchema.optional(),
          conversation_id: z.string().optional(),
          name: z.string(),
          status: z.string(),
          duration_ms: DurationMsSchema.nullable(),
          at: TimestampSchema,
        }),
      ),
    }),
    clients: z.array(z.object({ client_id: z.string(), request_hooks: z.array(z.unknown()) })),
  }),
  /** The oldest first. */
  approvals: z.array(WaitingApprovalSchema).default([]),
  /** All that wait on this node, also those that are not listed. */
  approvals_waiting: z.number().int().nonnegative().default(0),
  policy: z.object({ paces: z.array(PaceSchema).default([]) }).prefault({}),
});
export type BridgeSnapshot = z.infer<typeof SnapshotSchema>;

export const ProxyDeliverySchema = z.object({
  type: z.literal('browser.proxy_delivery'),
  request_id: RequestIdSchema,
  /** The extension refuses a second delivery of the same plan. */
  plan_id: z.string(),
  platform: PlatformSchema,
  client_id: ClientIdSchema,
  tab_id: z.number().int().nullable(),
  conversation_id: z.string().nullable(),
  organization_id: z.string().nullish(),
  page_url: z.string(),
  page_title: z.string().nullable(),
  message_text: z.string(),
  assistant_message_id: z.string().nullable(),
  timeout_ms: DurationMsSchema,
  shell_page: z.boolean(),
  /** Hash of the account that the browser's links were made with; another account now is refused. Null: any. */
  account_fingerprint: AccountFingerprintSchema.nullish(),
});
export type ProxyDelivery = z.infer<typeof ProxyDeliverySchema>;

/** Reads a conversation from its site again. The result is an `action_result` with `conversation`. */
export const ReadCurrentSchema = ProxyDeliverySchema.pick({
  request_id: true,
  platform: true,
  client_id: true,
  tab_id: true,
  conversation_id: true,
  organization_id: true,
  page_url: true,
  timeout_ms: true,
}).extend({ type: z.literal('browser.read_current') });
export type ReadCurrent = z.infer<typeof ReadCurrentSchema>;

export const AgentBridgeFrameSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('hello_ack'), connection_id: z.string(), snapshot: SnapshotSchema }),
  /** Proves the agent to a browser that has sent a challenge. */
  z.object({ type: z.literal('agent_proof'), nonce: Hex32Schema, proof: Hex32Schema }),
  z.object({ type: z.literal('paired'), token: z.string() }),
  z.object({ type: z.literal('message_ack'), request_id: RequestIdSchema }),
  /** The final message can never be stored: the extension drops it and shows that. After an `error` it keeps it. */
  z.object({ type: z.literal('message_nack'), request_id: RequestIdSchema, code: z.string() }),
  z.object({
    type: z.literal('page_control_result'),
    request_id: RequestIdSchema,
    ok: z.boolean(),
    data: z.unknown().optional(),
    error: z.object({ code: z.string(), message: z.string() }).optional(),
  }),
  z.object({ type: z.literal('snapshot'), snapshot: SnapshotSchema }),
  ProxyDeliverySchema,
  ReadCurrentSchema,
  z.object({ type: z.literal('browser.cancel'), request_id: RequestIdSchema }),
  z.object({ type: z.literal('error'), re: z.string().nullable(), code: z.string(), message: z.string() }),
]);
export type AgentBridgeFrame = z.infer<typeof AgentBridgeFrameSchema>;
