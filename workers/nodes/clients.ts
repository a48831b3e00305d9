/** Browser clients as rows: stopping one on a platform, and letting it go on. */
import { eq, sql } from 'drizzle-orm';
import type { PlatformState, StopReason } from '../../schema/contracts/clients.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import { stopPlatform } from '../../schema/domain/client-stops.ts';
import type { ClientRow } from '../../schema/tables/index.ts';
import { clients } from '../../schema/tables/index.ts';
import type { Database, Statement } from '../db/open.ts';
import type { Plan } from '../db/plan.ts';

export async function findClient(db: Database, clientId: string): Promise<ClientRow | undefined> {
  return db.select().from(clients).where(eq(clients.client_id, clientId)).get();
}

export function storePlatforms(
  db: Database,
  clientId: string,
  platforms: readonly PlatformState[],
  now: number,
): Statement {
  return db
    .update(clients)
    .set({ platforms: [...platforms], updated_at: now })
    .where(eq(clients.client_id, clientId));
}

/** The parts of a plan that stop it there; none when it was stopped before. */
export async function stopClient(
  db: Database,
  client: { client_id: string; controller_id: string; platform: Platform },
  reason: StopReason,
  now: number,
): Promise<Plan> {
  const { client_id, controller_id, platform } = client;
  const known = (await findClient(db, client_id))?.platforms ?? [];
  const platforms = stopPlatform(known, platform, reason);
  if (platforms === known) return {};
  // Its node may not have told of it yet: it has just delivered there, or tried to.
  const row = { client_id, controller_id, connected: true, platforms: [...platforms], updated_at: now };
  const set = { platforms: row.platforms, updated_at: now };
  return {
    statements: [db.insert(clients).values(row).onConflictDoUpdate({ target: clients.client_id, set })],
    events: [{ topic: 'clients', type: 'stopped', subject_id: client_id, data: { platform, reason } }],
  };
}

/** After a person's resume its links count as made with the account that the next observation shows. */
export function forgetFingerprints(db: Database, clientId: string, platforms: readonly Platform[]): Statement {
  return db.run(sql`UPDATE conversation_links SET fingerprint = NULL WHERE client_id = ${clientId} AND is_active = 1
    AND platform IN (SELECT value FROM json_each(${JSON.stringify(platforms)}))`);
}
