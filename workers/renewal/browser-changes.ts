/** What changes for renewals when a node reports a browser, or a person resumes one. */
import type { z } from 'zod';
import { timedJobs } from '../../durable-objects/stubs.ts';
import type { Client, ClientPutBody, ClientResumeResponseSchema, ClientTab } from '../../schema/contracts/clients.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import type { Principal } from '../../schema/contracts/tokens.ts';
import { AppError } from '../../schema/errors.ts';
import type { Edge, WritePlan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import { requireRoom } from '../nodes/browser-limit.ts';
import type { BrowserIds } from '../nodes/browser-owner.ts';
import { requireOwnBrowser } from '../nodes/browser-owner.ts';
import { findBrowser } from '../nodes/browser-reads.ts';
import { resumeBrowser, storeBrowser, transferBrowser } from '../nodes/browsers.ts';
import { findNode } from '../nodes/nodes.ts';
import { observeLinks, takeBackLinks } from './links.ts';
import { armNextTick } from './next-due.ts';
import { wakeJobsOfBrowser } from './wake-jobs.ts';

/** A tab grows up to eightfold on its way into a row, and D1 accepts two million bytes as one parameter. */
const PART_BYTES = 200_000;

/**
 * Stores what a node reports of its browser, whole: its tabs become conversations and links, and the links of tabs that
 * it no longer lists are taken back. `ageMs`: how long ago the node wrote the report. Throws `client_of_other_node`,
 * and `too_many_browsers` for a new one beyond the limit.
 */
export async function reportBrowser(
  edge: Edge,
  ids: BrowserIds,
  { connected, platforms, tabs }: ClientPutBody,
  ageMs = 0,
): Promise<WritePlan<Client>> {
  const known = await findBrowser(edge.db, ids.client_id);
  requireOwnBrowser(ids.controller_id, known);
  if (known === undefined) await requireRoom(edge, ids);
  const browser: Client = { ...ids, connected, platforms, updated_at: edge.now };
  const links = await Promise.all(inParts(tabs).map((part) => observeLinks(edge, { ...ids, tabs: part })));
  return {
    ...mergePlans(
      storeBrowser(edge, browser, tabs.length, known === undefined),
      takeBackLinks(edge, ids.client_id, tabs, edge.now - ageMs),
      ...links,
      {
        // A new link can make a message due that became no job without one.
        after: () => armNextTick(edge),
      },
    ),
    subject_id: ids.client_id,
    response: { ...browser, first_seen_at: known === undefined ? edge.now : (known.first_seen_at ?? null) },
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

/**
 * Moves a browser to another node: by an operator, or by the browser's own token, which proves that the browser is there.
 * Throws `client_not_found`, `controller_not_found`, `not_owner`.
 */
export async function moveBrowser(
  edge: Edge,
  by: Pick<Principal, 'role' | 'subject'>,
  { client_id, controller_id }: BrowserIds,
): Promise<WritePlan<Client>> {
  const browser = await findBrowser(edge.db, client_id);
  if (browser === undefined) throw new AppError('client_not_found', `there is no browser ${client_id}`);
  if (by.role !== 'ops_admin' && by.subject !== client_id) {
    throw new AppError('not_owner', `only an operator, or the token of ${client_id} itself, can move that browser`, {
      details: { field: 'client_id' },
    });
  }
  if ((await findNode(edge.db, controller_id)) === undefined) {
    throw new AppError('controller_not_found', `there is no node ${controller_id}; it registers when its agent starts`);
  }
  if (browser.controller_id === controller_id) return { audited: false, response: browser };
  return {
    ...transferBrowser(edge, browser, controller_id),
    subject_id: client_id,
    response: { ...browser, controller_id, updated_at: edge.now },
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
