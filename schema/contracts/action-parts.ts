/** What a browser says of an action beside its end: which tabs it used or passed over, and what their pages showed. */
import { z } from 'zod';
import { PlatformSchema } from './common.ts';
import { RemoteConversationIdSchema, TabIdSchema } from './conversations.ts';

/** Why an action passed over a tab. */
export const SKIP_REASONS = [
  'shows_other_conversation',
  'tab_in_use',
  'other_account',
  'unloaded',
  'older_tab',
] as const;
export type SkipReason = (typeof SKIP_REASONS)[number];

const MAX_DRIFT = 20;
const MAX_TABS = 50;
/** Selectors and frames that no longer look as the extension knows them, such as `send: button.send`. */
const DriftSchema = z.array(z.string().max(500)).max(MAX_DRIFT);
const CountSchema = z.number().int().nonnegative();

/** In numbers of tabs, but for the platforms. */
export const ActionCountsSchema = z.looseObject({
  /** Tabs that the action needed. */
  desired_count: CountSchema.optional(),
  /** Tabs that it had. */
  actual_count: CountSchema.optional(),
  ok_count: CountSchema.optional(),
  failed_count: CountSchema.optional(),
  /** What of the site did not look as it is known, while the action ran. */
  drift_count: CountSchema.optional(),
  /** Tabs that it opened, or loaded because the browser had unloaded them. */
  restored_count: CountSchema.optional(),
  platform_count: CountSchema.optional(),
  /** Of the tabs that it passed over, each reason once. */
  skipped_reasons: z.array(z.string().max(64)).max(MAX_TABS).optional(),
});

/** One tab that the action used (`skipped` is false) or passed over. */
export const TabResultSchema = z.object({
  platform: PlatformSchema,
  tab_id: TabIdSchema.nullable(),
  ok: z.boolean(),
  skipped: z.boolean(),
  reason: z.string().max(500).nullable(),
});
export type TabResult = z.infer<typeof TabResultSchema>;

/** The page of the tab that the action used, as it showed itself last. */
export const ShellRuntimeSchema = z.object({
  platform: PlatformSchema,
  tab_id: TabIdSchema.nullable(),
  conversation_id: RemoteConversationIdSchema.nullable(),
  shell_page: z.boolean(),
  /** The action opened the tab, or loaded its page. */
  restored: z.boolean(),
  composer: z.string().max(64),
  is_answering: z.boolean(),
  /** Kind of what is in the way of a message; null: nothing. */
  obstacle: z.string().max(64).nullable(),
  login: z.string().max(64).nullable(),
  drift: DriftSchema,
});
export type ShellRuntime = z.infer<typeof ShellRuntimeSchema>;

/** A part in another shape, as of another version, is left out: the end of the action counts without it. */
export const ActionPartsSchema = z.object({
  result: ActionCountsSchema.optional().catch(undefined),
  results: z.array(TabResultSchema).max(MAX_TABS).optional().catch(undefined),
  shell_runtime: z.array(ShellRuntimeSchema).max(MAX_TABS).optional().catch(undefined),
});
export type ActionParts = z.infer<typeof ActionPartsSchema>;

export const ACTION_LIMITS = { drift: MAX_DRIFT, tabs: MAX_TABS } as const;
