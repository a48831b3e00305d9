/** Browsers of nodes as stored rows: what a node reports of one, stopping one on a platform, and resuming it. */
import { eq, sql } from 'drizzle-orm';
import type { z } from 'zod';
import { timedJobs } from '../../durable-objects/stubs.ts';
import type {
  Client,
  ClientPutBody,
  ClientResumeResponseSchema,
  ClientTab,
  StopReason,
} from '../../schema/contracts/clients.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import { PLATFORM_IDS } from '../../schema/contracts/common.ts';
import { COMMAND } from '../../schema/defaults.ts';
import { resumePlatforms, stopPlatform } from '../../schema/domain/client-stops.ts';
import { AppError } from '../../schema/errors.ts';
import { newId } from '../../schema/ids.ts';
import { clients } from '../../schema/tables/index.ts';
import type { Statement } from '../db/open.ts';
import type { Edge, Plan, WritePlan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import { observeLinks } from '../renewal/links.ts';
import { wakeJobsOfBrowser } from '../renewal/wake-jobs.ts';
import { armNextTick } from '../timed-jobs/ticks.ts';
import { findBrowser } from './browser-reads.ts';
import type { CommandDraft } from './commands.ts';
import { sendCommands } from './push.ts';

/** A tab grows up to eightfold on its way into a row, and D1 accepts two million bytes as one parameter. */
const PART_BYTES = 200_000;

interface BrowserIds {
  controller_id: string;
  client_id: string;
}

/** Stores what a node reports of a browser, whole; its tabs become conversations and links. */
export async function storeBrowser(
  edge: Edge,
  ids: BrowserIds,
  { connected, platforms, tabs }: ClientPutBody,
): Promise<WritePlan<Client>> {
  const { controller_id, client_id } = ids;
  const row = { ...ids, connected, platforms, updated_at: edge.now };
  const logins = Object.fromEntries(platforms.map(({ platform, login }) => [platform, login]));
  const links = await Promise.all(inParts(tabs).map((part) => observeLinks(edge, { ...ids, tabs: part })));
  const browser: Plan = {
    statements: [upsertBrowser(edge, row)],
    events: [
      {
        topic: 'clients',
        type: connected ? 'connected' : 'disconnected',
        subject_id: client_id,
        data: { controller_id, logins, tabs: tabs.length },
      },
    ],
  };
  // A new link can make a message due that became no job without one.
  const next: Plan = { after: () => armNextTick(edge) };
  return { ...mergePlans(browser, ...links, next), subject_id: client_id, response: row };
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

/** A person resumes a stopped browser on one platform, or (null) on all. Throws `client_not_found`. */
export async function resumeBrowser(
  edge: Edge,
  clientId: string,
  platform: Platform | null,
): Promise<WritePlan<z.input<typeof ClientResumeResponseSchema>>> {
  const { db, now } = edge;
  const browser = await findBrowser(db, clientId);
  if (browser === undefined) throw new AppError('client_not_found', `there is no browser ${clientId}`);
  const { platforms, resumed } = resumePlatforms(browser.platforms, platform);
  // Also sent when the edge knows of no stop: the node may have stopped the browser a moment ago.
  const command: CommandDraft<'client.resume'> = {
    command_id: newId('command', now),
    controller_id: browser.controller_id,
    kind: 'client.resume',
    body: { client_id: clientId, platform },
    expires_at: now + COMMAND.expiry_ms,
  };
  const resume: Plan = {
    statements: [
      db.update(clients).set({ platforms, updated_at: now }).where(eq(clients.client_id, clientId)),
      forgetFingerprints(edge, clientId, platform === null ? PLATFORM_IDS : [platform]),
      wakeJobsOfBrowser(edge, clientId),
    ],
    events: [{ topic: 'clients', type: 'resumed', subject_id: clientId, data: { platforms: resumed } }],
  };
  return {
    ...mergePlans(resume, sendCommands(edge, [command]), { after: () => timedJobs(edge.env).due(now) }),
    subject_id: clientId,
    response: { client_id: clientId, resumed, command_id: command.command_id },
  };
}

function upsertBrowser({ db }: Edge, row: Client, set: Partial<Client> = row): Statement {
  return db.insert(clients).values(row).onConflictDoUpdate({ target: clients.client_id, set });
}

/** After a person's resume, the links count as made with the account that the next observation shows. */
function forgetFingerprints({ db }: Edge, clientId: string, platforms: readonly Platform[]): Statement {
  return db.run(sql`UPDATE conversation_links SET fingerprint = NULL WHERE client_id = ${clientId} AND is_active = 1
    AND platform IN (SELECT value FROM json_each(${JSON.stringify(platforms)}))`);
}

/** The tabs in parts small enough for one statement each; few browsers need a second one. */
function inParts(tabs: readonly ClientTab[]): ClientTab[][] {
  const parts: ClientTab[][] = [];
  let bytesLeft = 0;
  for (const tab of tabs) {
    const bytes = new TextEncoder().encode(JSON.stringify(tab)).byteLength;
    if (bytes > bytesLeft) {
      parts.push([]);
      bytesLeft = PART_BYTES;
    }
    parts.at(-1)?.push(tab);
    bytesLeft -= bytes;
  }
  return parts;
}
