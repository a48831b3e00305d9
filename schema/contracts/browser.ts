/** Browsers for people: what each has, at what pace it is used, and how to send into it and read from it. */
import { z } from 'zod';
import { ConversationReadingSchema } from './bridge-frames.ts';
import { ClientSchema, LoginStateSchema, PlatformStateSchema } from './clients.ts';
import {
  ClientIdSchema,
  ControllerIdSchema,
  DurationMsSchema,
  PageQuerySchema,
  PlatformSchema,
  TimestampSchema,
} from './common.ts';
import { RemoteConversationIdSchema } from './conversations.ts';

export const BrowserQuerySchema = PageQuerySchema.extend({
  platform: PlatformSchema.optional(),
  status: LoginStateSchema.optional().describe('The state of the login.'),
  client_id: ClientIdSchema.optional(),
});

const BrowserClientSchema = ClientSchema.extend({
  platforms: z.array(PlatformStateSchema.omit({ slots: true })),
});

/** The pace of one browser on one platform, as its node reported it last. A node may report more fields. */
const TargetSchema = z.looseObject({
  client_id: z.string(),
  controller_id: z.string(),
  platform: PlatformSchema,
  stopped_reason: z.string().nullable(),
  last_activity_at: TimestampSchema.nullish(),
  last_activity_reason: z.string().nullish(),
  stale_sweep_count: z.number().int().optional(),
  last_stale_sweep_at: TimestampSchema.nullish(),
  last_drift: z
    .string()
    .nullish()
    .describe('Selectors and frames that did not look as the extension knows them at the last delivery; null: none.'),
  last_skipped: z.string().nullish().describe('Why the last delivery passed over tabs; null: it did not.'),
  restored_count: z
    .number()
    .int()
    .optional()
    .describe('Tabs that deliveries have opened, or loaded because the browser had unloaded them.'),
});

export const BrowserResponseSchema = z.object({
  clients: z.array(BrowserClientSchema),
  next_cursor: z.string().nullable(),
  policy: z.object({
    defaults: z
      .record(z.string(), z.number())
      .and(z.object({ stale_lease: DurationMsSchema }))
      .describe('`stale_lease`: how long after its timeout a slot that was not freed is reclaimed, in milliseconds.'),
    targets: z.array(TargetSchema),
  }),
});

export const BrowserSendBodySchema = z.strictObject({
  prompt: z.string().max(262_144).regex(/\S/, 'not blank').describe('Sent exactly as it is.'),
  conversation_id: RemoteConversationIdSchema.optional().describe('Without it the prompt starts a new conversation.'),
});
/** The outcome is an event of the topic `clients` about this command. */
export const BrowserSendResponseSchema = z.object({ command_id: z.string(), controller_id: ControllerIdSchema });

/** Without a conversation: what the active tab of that platform shows. */
export const BrowserCurrentBodySchema = z.strictObject({ conversation_id: RemoteConversationIdSchema.optional() });
export const BrowserCurrentResponseSchema = ConversationReadingSchema.extend({ controller_id: ControllerIdSchema });
