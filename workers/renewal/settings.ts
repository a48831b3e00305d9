/** What people have set about renewal: one row a scope, and the layers that hold for one conversation. */
import type { SQL } from 'drizzle-orm';
import { inArray, sql } from 'drizzle-orm';
import type { Platform } from '../../schema/contracts/common.ts';
import type { RenewalSettings, RenewalSettingsPatch, SettingsScope } from '../../schema/contracts/renewal-settings.ts';
import { HOLD_REASONS } from '../../schema/contracts/renewal-settings.ts';
import { effectiveSettings } from '../../schema/domain/renewal-limits.ts';
import { renewal_settings } from '../../schema/tables/index.ts';
import type { Database, Statement } from '../db/open.ts';

const DEFAULT = 'default';

/** The key of a scope's row: of a platform its name, of a conversation its id. */
export function scopeKey({ platform, local_conversation_id }: SettingsScope): string {
  return local_conversation_id ?? platform ?? DEFAULT;
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

/** What the innermost scope says itself, what those around it say, and what holds in it. */
export async function readSettings(
  db: Database,
  scope: { platform: Platform | undefined; local_conversation_id: string | undefined },
): Promise<{ around: (RenewalSettingsPatch | null)[]; own: RenewalSettingsPatch; effective: RenewalSettings }> {
  const keys = [DEFAULT, scope.platform, scope.local_conversation_id].filter((key) => key !== undefined);
  const rows = await db.select().from(renewal_settings).where(inArray(renewal_settings.scope, keys));
  const layers = keys.map((key) => rows.find((row) => row.scope === key)?.settings ?? null);
  return { around: layers.slice(0, -1), own: layers.at(-1) ?? {}, effective: effectiveSettings(layers) };
}

export function storeSettings(db: Database, key: string, settings: RenewalSettingsPatch, now: number): Statement {
  return db
    .insert(renewal_settings)
    .values({ scope: key, settings, updated_at: now })
    .onConflictDoUpdate({ target: renewal_settings.scope, set: { settings, updated_at: now } });
}

const HELD = sql.join(
  HOLD_REASONS.map((reason) => sql`${reason}`),
  sql`, `,
);

/**
 * Whatever a limit holds back in that scope is looked at again now. A person's doing: it costs what waits there, for
 * all conversations what waits at all.
 */
export function lookAgainAtHeld(db: Database, { platform, local_conversation_id }: SettingsScope, now: number) {
  const within = local_conversation_id
    ? sql`c.local_conversation_id = ${local_conversation_id}`
    : platform
      ? sql`c.platform = ${platform}`
      : sql`true`;
  return [
    db.run(sql`UPDATE renewal_jobs SET next_attempt_at = ${now}, updated_at = ${now}
      WHERE status = 'pending' AND next_attempt_at > ${now} AND last_error IN (${HELD})
        AND EXISTS (SELECT 1 FROM local_conversations AS c
          WHERE c.local_conversation_id = renewal_jobs.local_conversation_id AND ${within})`),
    db.run(sql`UPDATE local_conversations AS c SET project_at = ${now}
      WHERE c.automation_status = 'auto' AND ${within} AND EXISTS (SELECT 1 FROM messages AS m
        WHERE m.message_id = c.last_message_id AND m.skip_reason IN ('cooldown', 'limit_reached'))`),
  ] satisfies Statement[];
}
