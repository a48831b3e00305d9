/** What people have set about renewal: one row per scope, and the layers that apply to one conversation. */
import type { SQL } from 'drizzle-orm';
import { inArray, sql } from 'drizzle-orm';
import type { z } from 'zod';
import { timedJobs } from '../../durable-objects/stubs.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import type {
  RenewalSettings,
  RenewalSettingsPatch,
  SettingsResponseSchema,
  SettingsScope,
} from '../../schema/contracts/renewal-settings.ts';
import { effectiveSettings } from '../../schema/domain/renewal-limits.ts';
import { renewal_settings } from '../../schema/tables/index.ts';
import type { Database } from '../db/open.ts';
import type { Edge, WritePlan } from '../db/plan.ts';
import { requireConversation } from './conversation-reads.ts';
import { wakeHeld } from './wake-jobs.ts';

const DEFAULT = 'default';

/** The key of a scope's row: the name of a platform, the id of a conversation. */
function scopeKey({ platform, local_conversation_id }: SettingsScope): string {
  return local_conversation_id ?? platform ?? DEFAULT;
}

function kindOf({ platform, local_conversation_id }: SettingsScope): 'default' | 'platform' | 'conversation' {
  if (local_conversation_id !== undefined) return 'conversation';
  return platform === undefined ? 'default' : 'platform';
}

/** The layers of that conversation as a JSON array (SQL expression): default, platform, conversation. */
export function settingsLayers(platform: SQL, localConversationId: SQL): SQL {
  const layer = (scope: SQL) => sql`(SELECT json(s.settings) FROM renewal_settings AS s WHERE s.scope = ${scope})`;
  return sql`json_array(json(${layer(sql`${DEFAULT}`)}), json(${layer(platform)}), json(${layer(localConversationId)}))`;
}

/** The settings that such an array makes. */
export function settingsOf(layersJson: string): RenewalSettings {
  return effectiveSettings(JSON.parse(layersJson) as (RenewalSettingsPatch | null)[]);
}

interface Layers {
  /** Of the scopes around, the outermost first. */
  around: (RenewalSettingsPatch | null)[];
  /** Of the innermost scope itself. */
  own: RenewalSettingsPatch;
  effective: RenewalSettings;
}

export async function readSettings(
  db: Database,
  scope: { platform: Platform | undefined; local_conversation_id: string | undefined },
): Promise<Layers> {
  const keys = [DEFAULT, scope.platform, scope.local_conversation_id].filter((key) => key !== undefined);
  const rows = await db.select().from(renewal_settings).where(inArray(renewal_settings.scope, keys));
  const layers = keys.map((key) => rows.find((row) => row.scope === key)?.settings ?? null);
  return { around: layers.slice(0, -1), own: layers.at(-1) ?? {}, effective: effectiveSettings(layers) };
}

type SettingsResponse = z.input<typeof SettingsResponseSchema>;

/** What a scope sets itself, and what applies in it. Throws `conversation_not_found`. */
export async function settingsIn(db: Database, scope: SettingsScope): Promise<SettingsResponse> {
  const { own: settings, effective } = await readLayers(db, scope);
  return { scope: kindOf(scope), settings, effective };
}

/** Replaces what a scope sets itself, and makes due what a limit held back there. Throws `conversation_not_found`. */
export async function changeSettings(
  edge: Edge,
  scope: SettingsScope,
  settings: RenewalSettingsPatch,
): Promise<WritePlan<SettingsResponse>> {
  const { env, db, now } = edge;
  const { around } = await readLayers(db, scope);
  const key = scopeKey(scope);
  const store = db
    .insert(renewal_settings)
    .values({ scope: key, settings, updated_at: now })
    .onConflictDoUpdate({ target: renewal_settings.scope, set: { settings, updated_at: now } });
  return {
    statements: [store, ...wakeHeld(edge, scope)],
    events: [{ topic: 'renewal', type: 'settings_changed', subject_id: key, data: { ...settings } }],
    after: () => timedJobs(env).due(now),
    subject_id: key,
    response: { scope: kindOf(scope), settings, effective: effectiveSettings([...around, settings]) },
  };
}

/** A conversation's layers include those of its platform. */
async function readLayers(db: Database, { platform, local_conversation_id }: SettingsScope): Promise<Layers> {
  if (local_conversation_id === undefined) return readSettings(db, { platform, local_conversation_id });
  const conversation = await requireConversation(db, local_conversation_id);
  return readSettings(db, { platform: conversation.platform, local_conversation_id });
}
