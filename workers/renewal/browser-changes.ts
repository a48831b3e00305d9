/** What changes for renewals when a node reports a browser, or a person resumes one. */
import type { z } from 'zod';
import { timedJobs } from '../../durable-objects/stubs.ts';
import type { Client, ClientPutBody, ClientResumeResponseSchema, ClientTab } from '../../schema/contracts/clients.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import { AppError } from '../../schema/errors.ts';
import type { Edge, WritePlan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import { findBrowser } from '../nodes/browser-reads.ts';
import type { BrowserIds } from '../nodes/browsers.ts';
import { resumeBrowser, storeBrowser } from '../nodes/browsers.ts';
import { observeLinks } from './links.ts';
import { armNextTick } from './next-due.ts';
import { wakeJobsOfBrowser } from './wake-jobs.ts';

/** A tab grows up to eightfold on its way into a row, and D1 accepts two million bytes as one parameter. */
const PART_BYTES = 200_000;

/** Stores what a node reports of a browser, whole; its tabs become conversations and links. */
export async function reportBrowser(
  edge: Edge,
  ids: BrowserIds,
  { connected, platforms, tabs }: ClientPutBody,
): Promise<WritePlan<Client>> {
  const browser: Client = { ...ids, connected, platforms, updated_at: edge.now };
  const links = await Promise.all(inParts(tabs).map((part) => observeLinks(edge, { ...ids, tabs: part })));
  return {
    ...mergePlans(storeBrowser(edge, browser, tabs.length), ...links, {
      // A new link can make a message due that became no job without one.
      after: () => armNextTick(edge),
    }),
    subject_id: ids.client_id,
    response: browser,
  };
}

/** A person resumes a stopped browser on one platform, or (null) on all. Throws `client_not_found`. */
export async function resumeByPerson(
  edge: Edge,
  clientId: string,
  platform: Platform | null,
): Promise<WritePlan<z.input<typeof ClientResumeResponseSchema>>> {
  const browser = await findBrowser(edge.db, clientId);
  if (browser === undefined) throw new AppError('client_not_found', `there is no browser ${clientId}`);
  const { plan, resumed, command_id } = resumeBrowser(edge, browser, platform);
  return {
    ...mergePlans(plan, {
      statements: [wakeJobsOfBrowser(edge, clientId)],
      after: () => timedJobs(edge.env).due(edge.now),
    }),
    subject_id: clientId,
    response: { client_id: clientId, resumed, command_id },
  };
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
