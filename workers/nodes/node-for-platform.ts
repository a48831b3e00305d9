/** Which node's browser acts on a platform now. */
import type { Client } from '../../schema/contracts/clients.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import { AppError } from '../../schema/errors.ts';
import type { Edge } from '../db/plan.ts';
import { connectedBrowsers } from './browser-reads.ts';
import { presenceOf } from './presence.ts';

/**
 * The node of the browser that reported last, of those that are signed in to the platform and not stopped there. A node
 * with a live socket comes before one that finds its commands when it polls. Throws `no_active_client` without a
 * connected browser, `no_credentials` when none of them can act.
 */
export async function nodeForPlatform({ env, db }: Edge, platform: Platform): Promise<string> {
  const connected = await connectedBrowsers(db, platform);
  if (connected.length === 0) throw new AppError('no_active_client', `no browser with ${platform} is connected`);
  const able = connected.filter((browser) => canAct(browser, platform));
  const presence = await presenceOf(env, [...new Set(able.map((browser) => browser.controller_id))]);
  const chosen = able.find((browser) => presence(browser.controller_id).connected) ?? able[0];
  if (chosen === undefined) {
    throw new AppError(
      'no_credentials',
      `no connected browser is signed in to ${platform}, or all of them are stopped`,
    );
  }
  return chosen.controller_id;
}

function canAct(browser: Client, platform: Platform): boolean {
  return browser.platforms.some(
    (one) => one.platform === platform && one.login !== 'lost' && one.stopped_reason === null,
  );
}
