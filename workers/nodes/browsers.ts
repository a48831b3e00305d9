/** Browsers of nodes as stored rows: what a node reports of one, stopping one on a platform, and resuming it. */
import { eq, sql } from 'drizzle-orm';
import type { Client, StopReason } from '../../schema/contracts/clients.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import { PLATFORM_IDS } from '../../schema/contracts/common.ts';
import type { EventDraft } from '../../schema/contracts/events.ts';
import { COMMAND } from '../../schema/defaults.ts';
import { resumePlatforms, stopPlatform } from '../../schema/domain/client-stops.ts';
import { newId } from '../../schema/ids.ts';
import { clients, conversation_links } from '../../schema/tables/index.ts';
import type { Statement } from '../db/open.ts';
import type { Edge, Plan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import { guardRoom } from './browser-limit.ts';
import type { BrowserIds } from './browser-owner.ts';
import { guardOwnBrowser } from './browser-owner.ts';
import { findBrowser } from './browser-reads.ts';
import type { CommandDraft } from './commands.ts';
import { sendCommands } from './push.ts';

/** The plan that stores what a node reports of a browser, but for its tabs. `isNew`: no node has reported it before. */
export function storeBrowser(edge: Edge, browser: Client, tabs: number, isNew: boolean): Plan {
  const { client_id, controller_id, connected, platforms } = browser;
  const logins = Object.fromEntries(platforms.map(({ platform, login }) => [platform, login]));
  const type = connected ? 'connected' : 'disconnected';
  return {
    guards: [guardOwnBrowser(edge.db, browser), ...(isNew ? [guardRoom(edge, browser)] : [])],
    statements: [upsertBrowser(edge, browser)],
    events: [
      ...(isNew ? [firstSeen(browser)] : []),
      { topic: 'clients', type, subject_id: client_id, data: { controller_id, logins, tabs } },
    ],
  };
}

/** People see in the events which browsers appear under a node. */
export function firstSeen({ client_id, controller_id }: BrowserIds): EventDraft {
  return { topic: 'clients', type: 'first_seen', subject_id: client_id, data: { controller_id } };
}

/** The statement that gives a browser of which only a message is known to the node that brought it. */
export function bringBrowser(
  { db, now }: Pick<Edge, 'db' | 'now'>,
  { client_id, controller_id }: BrowserIds,
): Statement {
  // No upsert: of two nodes that bring it at once, the second reads again and finds it taken.
  const row = { client_id, controller_id, connected: true, platforms: [], first_seen_at: now, updated_at: now };
  return db.insert(clients).values(row);
}

/** The plan that moves a browser, with its links, to another node. */
export function transferBrowser({ db, now }: Edge, { client_id, controller_id: from }: Client, to: string): Plan {
  return {
    guards: [guardOwnBrowser(db, { client_id, controller_id: from })],
    statements: [
      db.update(clients).set({ controller_id: to, updated_at: now }).where(eq(clients.client_id, client_id)),
      db
        .update(conversation_links)
        .set({ controller_id: to, updated_at: now })
        .where(eq(conversation_links.client_id, client_id)),
    ],
    events: [{ topic: 'clients', type: 'moved', subject_id: client_id, data: { from, to } }],
  };
}

/** The plan that stops a browser on a platform; an empty one when it was stopped before. */
export async function stopBrowser(
  edge: Edge,
  browser: BrowserIds & { platform: Platform },
  reason: StopReason,
): Promise<Plan> {
  const { client_id, controller_id, platform } = browser;
  const known = (await findBrowser(edge.db, client_id))?.platforms ?? [];
  const platforms = stopPlatform(known, platform, reason);
  if (platforms === known) return {};
  // Its node may not have reported it yet, but it has just delivered there, or tried to.
  const row = { client_id, controller_id, connected: true, platforms: [...platforms], updated_at: edge.now };
  return {
    statements: [upsertBrowser(edge, row, { platforms: row.platforms, updated_at: edge.now })],
    events: [{ topic: 'clients', type: 'stopped', subject_id: client_id, data: { platform, reason } }],
  };
}

/** What a person's resume of a browser did. */
export interface Resumed {
  plan: Plan;
  /** The platforms on which it was stopped. */
  resumed: Platform[];
  command_id: string;
}

/** Resumes a stopped browser on one platform, or (null) on all, and has its node do the same. */
export function resumeBrowser(edge: Edge, browser: Client, platform: Platform | null): Resumed {
  const { db, now } = edge;
  const { client_id, controller_id } = browser;
  const { platforms, resumed } = resumePlatforms(browser.platforms, platform);
  // Also sent when the edge knows of no stop: the node may have stopped the browser a moment ago.
  const command: CommandDraft<'client.resume'> = {
    command_id: newId('command', now),
    controller_id,
    kind: 'client.resume',
    body: { client_id, platform },
    expires_at: now + COMMAND.expiry_ms,
  };
  const resume: Plan = {
    statements: [
      db.update(clients).set({ platforms, updated_at: now }).where(eq(clients.client_id, client_id)),
      forgetFingerprints(edge, client_id, platform === null ? PLATFORM_IDS : [platform]),
    ],
    events: [{ topic: 'clients', type: 'resumed', subject_id: client_id, data: { platforms: resumed } }],
  };
  return { plan: mergePlans(resume, sendCommands(edge, [command])), resumed, command_id: command.command_id };
}

function upsertBrowser({ db, now }: Edge, row: Client, set: Partial<Client> = row): Statement {
  return db
    .insert(clients)
    .values({ ...row, first_seen_at: now })
    .onConflictDoUpdate({ target: clients.client_id, set });
}

/** After a person's resume, the links count as made with the account that the next observation shows. */
function forgetFingerprints({ db }: Edge, clientId: string, platforms: readonly Platform[]): Statement {
  return db.run(sql`UPDATE conversation_links SET fingerprint = NULL WHERE client_id = ${clientId} AND is_active = 1
    AND platform IN (SELECT value FROM json_each(${JSON.stringify(platforms)}))`);
}
